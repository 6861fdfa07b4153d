"""Scrapes model servers into a `SampleStore`, with the labels that Prometheus would give."""

import json
import threading
import time
from pathlib import Path

import httpx
from prometheus_client.parser import text_string_to_metric_families

from bot.sandbox.sample_store import Labels, SampleStore


class Scraper:
    """Scrapes every target of a file (in the form of Prometheus' file discovery) once per interval."""

    def __init__(self, store: SampleStore, targets: Path, interval: float, job: str) -> None:
        self._store = store
        self._targets = targets
        self._interval = interval
        self._job = job
        self._seen: dict[str, frozenset[Labels]] = {}
        self._closed = threading.Event()
        self._http = httpx.Client(timeout=interval, trust_env=False)
        self._thread = threading.Thread(target=self._run, name="scraper", daemon=True)
        self._thread.start()

    def close(self) -> None:
        self._closed.set()
        self._thread.join(10)
        self._http.close()

    def _run(self) -> None:
        while not self._closed.is_set():
            started = time.monotonic()
            self.scrape()
            self._closed.wait(max(0.0, self._interval - (time.monotonic() - started)))

    def scrape(self) -> None:
        """One round over all targets."""
        found = _read_targets(self._targets)
        for target in set(self._seen) - set(found):
            self._store.end(milliseconds(), self._seen.pop(target))
        for target, labels in found.items():
            at = milliseconds()
            own = {"job": self._job, "instance": target} | labels
            values = self._ask(target, own)
            ended = self._seen.get(target, frozenset()) - set(values)
            self._store.end(at, ended)
            self._store.add(at, values)
            self._seen[target] = frozenset(values)

    def _ask(self, target: str, own: dict[str, str]) -> dict[Labels, float]:
        started = time.monotonic()
        values: dict[Labels, float] = {}
        try:
            text = self._http.get(f"http://{target}/metrics").raise_for_status().text
            for family in text_string_to_metric_families(text):
                for sample in family.samples:
                    values[_labels(sample.name, sample.labels, own)] = float(sample.value)
        except (httpx.HTTPError, ValueError):
            values = {}
        up = 1.0 if values else 0.0
        values[_labels("up", {}, own)] = up
        values[_labels("scrape_duration_seconds", {}, own)] = time.monotonic() - started
        return values


def _labels(name: str, labels: dict[str, str], own: dict[str, str]) -> Labels:
    """A target's labels win over those it exports, which stay as `exported_…`."""
    exported = {f"exported_{key}" if key in own else key: value for key, value in labels.items()}
    return frozenset((exported | own | {"__name__": name}).items())


def _read_targets(file: Path) -> dict[str, dict[str, str]]:
    groups = json.loads(file.read_text())
    return {target: group.get("labels", {}) for group in groups for target in group["targets"]}


def milliseconds() -> float:
    """Now, in unix seconds, as exactly as Prometheus counts."""
    return round(time.time(), 3)
