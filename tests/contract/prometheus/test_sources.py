"""Named sources of the settings, each with its own way in, read real servers that let nobody else in."""

import json
import time
from types import SimpleNamespace

import pytest

from bot.adapters.prometheus import Prometheus
from bot.domain.slo import Slo
from bot.jobs.canary import CanaryLook
from bot.ports import Forbidden, Refused, Unavailable
from bot.settings import MetricsSettings

T0 = float(int(time.time()) - 3600)
HISTORY = {'http_requests_total{app="m"}': [(T0 + 15 * k, 7.0 * k) for k in range(5)]}


def test_a_named_source_reads_a_server_behind_tls_and_a_password(secured, authority, monkeypatch):
    """What the settings say is what gets in; a wrong password, no certificate or no trust do not."""
    url = secured(HISTORY).url
    right = {
        "url": url,
        "username": "user",
        "password": "pass",
        "ca": str(authority / "ca.pem"),
        "certificate": str(authority / "client.pem"),
        "key": str(authority / "client.key"),
        "timeout": 5,
    }
    sources = {
        "right": right,
        "wrong password": {**right, "password": "word"},
        "no password": {name: right[name] for name in ("url", "ca", "certificate", "key")},
        "no trust": {name: right[name] for name in ("url", "username", "password")},
    }
    monkeypatch.setenv("SLIPWAY_PROMETHEUS_SOURCES", json.dumps(sources))
    metrics = {name: Prometheus(each.connection()) for name, each in MetricsSettings().sources().items()}

    (series,) = metrics["right"].raw('http_requests_total{app="m"}', T0, T0 + 60)
    assert series.samples == tuple((T0 + 15 * k, 7.0 * k) for k in range(1, 5))
    for name in ("wrong password", "no password"):
        with pytest.raises(Forbidden, match="HTTP 401"):
            metrics[name].raw("http_requests_total", T0, T0 + 60)
    with pytest.raises(Unavailable, match="certificate"):
        metrics["no trust"].raw("http_requests_total", T0, T0 + 60)


@pytest.mark.real("prometheus", "promtool", "openssl")
def test_without_a_client_certificate_there_is_no_connection(secured, authority):
    """Prometheus asks for one; VictoriaMetrics' free edition cannot."""
    server = secured(HISTORY)
    if server.kind != "prometheus":
        return
    source = {"url": server.url, "username": "user", "password": "pass", "ca": str(authority / "ca.pem")}
    metrics = MetricsSettings(prometheus_sources={"x": source}).sources()["x"]
    with pytest.raises(Unavailable):
        Prometheus(metrics.connection()).raw("http_requests_total", T0, T0 + 60)


def test_an_slo_is_read_from_the_source_that_it_names():
    """`default` where it names none; a name that nobody set up is refused with what to set."""
    default, paris = object(), object()
    look = CanaryLook(SimpleNamespace(metrics={"default": default, "paris": paris}))

    assert look._metrics(Slo()) is default
    assert look._metrics(Slo(source="paris")) is paris
    with pytest.raises(Refused, match=r"no connection named `rome` is set up \(SLIPWAY_PROMETHEUS_URL"):
        look._metrics(Slo(source="rome"))
