"""How exactly, and how fast, pins are changed: a table of this project's engine beside other YAML writers.

Every image scalar of the real files and every hard case is set to a new value.

- exact: the file differs from the original in that scalar and nowhere else;
- requoted: so it is but for the quotes of that scalar, and it reads as the same value;
- refused rightly: a scalar that nobody can change safely (filled in by a template, served by an anchor,
  doubled, …) was not changed;
- refused needlessly: any other that was not changed;
- wrong: other characters of the file changed too, or the value reads as something else.

Times are CPU milliseconds for one file, from text to text.
"""

import json
import os
import re
import statistics
import time
from collections import Counter
from dataclasses import dataclass
from itertools import zip_longest
from pathlib import Path

import yaml
from writers import Writer, installed

PROJECT = Path(__file__).parents[2]
DATA = Path(os.environ.get("SLIPWAY_SHARED_DATA", PROJECT.parent / "shared" / "data")) / "manifests"
QUOTES = {"": "", "single": "'", "double": '"'}
QUOTE = re.compile("[\"']")
MEGABYTE = 1_000_000


@dataclass(frozen=True)
class Case:
    """One scalar to change; `expected` None where it must be refused."""

    text: str
    document: int
    path: tuple[str | int, ...]
    value: str
    expected: str | None


def real_cases() -> list[Case]:
    """Every indexed image scalar of the real files."""
    cases = []
    for line in (DATA / "index.jsonl").read_text().splitlines():
        row = json.loads(line)
        text = (DATA / row["file"]).read_bytes().decode("utf-8-sig")
        doubled = Counter((site["doc"], tuple(site["path"])) for site in row["sites"])
        for site in row["sites"]:
            place = (site["doc"], tuple(site["path"]))
            value = "registry.example.com/team/app:v9.8.7" if set(site["value"]) & set("/:") else "v9.8.7"
            quote = QUOTES[site["style"]]
            expected = text[: site["start"]] + quote + value + quote + text[site["end"] :]
            refuse = site["template"] or site["shared"] or site["multiline"] or doubled[place] > 1
            cases.append(Case(text, *place, value, None if refuse else expected))
    return cases


def hard_cases() -> list[Case]:
    """The synthetic cases that are UTF-8."""
    cases = []
    for told in json.loads((DATA / "synthetic" / "cases.json").read_text()):
        data = (DATA / "synthetic" / told["file"]).read_bytes()
        expected = told["expect_text_latin1"]
        try:
            text = data.decode()
            wanted = None if expected is None else expected.encode("latin-1").decode()
        except UnicodeDecodeError:
            continue
        cases.append(Case(text, told["doc"], tuple(told["path"]), told["new"], wanted))
    return cases


def outcome(writer: Writer, case: Case) -> tuple[str, float]:
    """(what became of a case, CPU milliseconds)."""
    started = time.process_time()
    try:
        text = writer(case.text, case.document, case.path, case.value)
    except Exception:  # noqa: BLE001 - whatever a writer raises is its refusal
        text = None
    took = (time.process_time() - started) * 1000
    if text is None:
        return ("refused rightly" if case.expected is None else "refused needlessly"), took
    if text == case.expected:
        return "exact", took
    return ("requoted" if case.expected is not None and requoted(text, case.expected) else "wrong"), took


def requoted(text: str, expected: str) -> bool:
    """Whether two texts differ in the quotes of one line only and read as the same data."""
    lines = list(
        zip_longest(text.splitlines(keepends=True), expected.splitlines(keepends=True), fillvalue="")
    )
    if any(QUOTE.sub("", one) != QUOTE.sub("", other) for one, other in lines):
        return False
    try:
        read = [list(yaml.load_all(each, yaml.CSafeLoader)) for each in (text, expected)]
    except (yaml.YAMLError, TypeError, ValueError):
        return False
    return sum(one != other for one, other in lines) == 1 and read[0] == read[1]


def large_file() -> str:
    """Just under 1 MB of Deployments in one file."""
    one = (
        "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: NAME}\nspec:\n  template:\n    spec:\n"
        "      containers:\n        - name: server\n          image: registry.example.com/team/app:v1\n---\n"
    )
    count = MEGABYTE // (len(one) + 6)
    return "".join(one.replace("NAME", f"app-{number}") for number in range(count))


def main() -> None:
    if not DATA.is_dir():
        print(f"the shared test data is absent: {DATA} (set SLIPWAY_SHARED_DATA)")
        return
    columns = ("exact", "requoted", "refused rightly", "refused needlessly", "wrong")
    for title, cases in (("real files", real_cases()), ("hard cases", hard_cases())):
        print(f"\n{len(cases)} scalars, {title}\n")
        print(f"| writer | {' | '.join(columns)} | median ms |")
        print("|---" * (len(columns) + 2) + "|")
        for name, writer in installed().items():
            results = [outcome(writer, case) for case in cases]
            counted = Counter(result for result, _ in results)
            median = statistics.median(took for _, took in results)
            print(f"| {name} | {' | '.join(str(counted[column]) for column in columns)} | {median:.2f} |")
    text = large_file()
    path = ("spec", "template", "spec", "containers", 0, "image")
    writer = installed()["Slipway"]
    started = time.process_time()
    writer(text, 1000, path, "registry.example.com/team/app:v2")
    print(f"\n{len(text):,} bytes in one file: {time.process_time() - started:.2f} s of CPU")


if __name__ == "__main__":
    main()
