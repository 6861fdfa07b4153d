"""Prometheus, and what speaks its HTTP API: Thanos, Mimir, VictoriaMetrics, managed offers.

Raw samples are read by an instant query of a range selector, which no limit on points applies to.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import requests
from prometheus_api_client import PrometheusConnect
from urllib3.util.retry import Retry

from bot.domain.series import Histogram, Series
from bot.ports import Forbidden, NotFound, Refused, Unavailable

_SYSTEM = "Prometheus"
_LONGEST_ERROR = 300
_NOT_PROMETHEUS = "the answer is not from a Prometheus API"


@dataclass(frozen=True, slots=True)
class Connection:
    """How one metrics server is reached. Times in seconds.

    Either `bearer` or `basic` (user, password), or neither; `headers` go along as they are
    (`X-Scope-OrgID` names a tenant); `certificate` is the client's, as (certificate, key) files; `ca` is a
    file of authorities to trust instead of the system's.
    """

    url: str
    bearer: str | None = field(default=None, repr=False)
    basic: tuple[str, str] | None = field(default=None, repr=False)
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    certificate: tuple[str, str] | None = None
    ca: str | None = None
    connect_timeout: float = 2.0
    read_timeout: float = 10.0


class Prometheus:
    """`bot.ports.Metrics` over one `Connection`. Never retries: whoever asks, asks again later."""

    def __init__(self, connection: Connection) -> None:
        session = requests.Session()
        session.verify = connection.ca or True
        session.cert = connection.certificate
        session.hooks["response"].append(_raise_for)
        self._client = PrometheusConnect(
            url=connection.url.rstrip("/"),
            headers=dict(connection.headers),
            auth=_auth(connection),
            session=session,
            retry=Retry(total=0),
            # The library hands it to requests, which takes the pair.
            timeout=(connection.connect_timeout, connection.read_timeout),
            method="POST",
        )

    def raw(self, selector: str, start: float, end: float) -> Sequence[Series]:
        """The raw samples of a selector in (start, end], unix seconds; see `bot.ports.Metrics`."""
        milliseconds = max(1, round((end - start) * 1000))
        rows = self._query(f"{selector}[{milliseconds}ms]", end)
        with _understood():
            found = [_series(row["metric"], row, start, end) for row in rows]
        return [series for series in found if series.samples or series.histograms]

    def instant(self, query: str, at: float) -> Sequence[Series]:
        """An instant query; a scalar is one series without labels. See `bot.ports.Metrics`."""
        rows = self._query(query, at)
        with _understood():
            if rows and not isinstance(rows[0], Mapping):
                return [_series({}, {"values": [rows]}, -math.inf, math.inf)]
            return [
                _series(row["metric"], {"values": [row["value"]]}, -math.inf, math.inf)
                for row in rows
                if "value" in row
            ]

    def _query(self, query: str, at: float) -> Sequence[Any]:
        # Thanos would otherwise leave out what it cannot reach, and VictoriaMetrics what is youngest.
        params = {"time": f"{at:.3f}", "partial_response": "false", "nocache": "1"}
        try:
            with _understood():
                answer = self._client.custom_query(query, params=params)
        except requests.exceptions.Timeout as error:
            raise Unavailable(_SYSTEM, "no answer in time") from error
        except requests.exceptions.SSLError as error:
            raise Unavailable(_SYSTEM, "its certificate is not trusted, or it does not trust ours") from error
        except requests.exceptions.RequestException as error:
            raise Unavailable(_SYSTEM, f"no connection ({type(error).__name__})") from error
        if not isinstance(answer, list):
            raise Unavailable(_SYSTEM, _NOT_PROMETHEUS)
        return answer


@contextmanager
def _understood() -> Iterator[None]:
    """An answer that cannot be read, like a login page with status 200, is no answer."""
    try:
        yield
    except requests.exceptions.JSONDecodeError as error:
        raise Unavailable(_SYSTEM, _NOT_PROMETHEUS) from error
    except requests.exceptions.RequestException:
        raise
    except (KeyError, IndexError, TypeError, ValueError) as error:
        raise Unavailable(_SYSTEM, _NOT_PROMETHEUS) from error


class _Bearer(requests.auth.AuthBase):
    """A token; as an auth object, because a .netrc would overwrite a header."""

    def __init__(self, token: str) -> None:
        self._token = token

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        request.headers["Authorization"] = f"Bearer {self._token}"
        return request


def _auth(connection: Connection) -> requests.auth.AuthBase | tuple[str, str] | None:
    if connection.bearer is not None:
        return _Bearer(connection.bearer)
    return connection.basic


def _series(labels: Mapping[str, str], row: Mapping[str, Any], start: float, end: float) -> Series:
    """Servers differ in whether a range includes its start: here it never does."""
    samples = ((float(at), float(value)) for at, value in row.get("values", ()))
    histograms = ((float(at), _histogram(sample)) for at, sample in row.get("histograms", ()))
    return Series(
        labels=dict(labels),
        samples=tuple(sample for sample in samples if start < sample[0] <= end),
        histograms=tuple(sample for sample in histograms if start < sample[0] <= end),
    )


def _histogram(sample: Mapping[str, Any]) -> Histogram:
    """A bucket is [rule, lower, upper, count]; the rule says whether the bounds belong to it."""
    rows = sample.get("buckets", ())
    buckets = tuple((float(lower), float(upper), float(count)) for _, lower, upper, count in rows)
    return Histogram(count=float(sample["count"]), buckets=buckets)


def _raise_for(response: requests.Response, **_: Any) -> None:
    """Our own error for a status that is one, with the server's own sentence where it gave one."""
    status = response.status_code
    if status < requests.codes.bad_request:
        return
    message = f"HTTP {status}: {_error_of(response)}"
    if status in (requests.codes.unauthorized, requests.codes.forbidden):
        raise Forbidden(_SYSTEM, message)
    if status == requests.codes.not_found:
        raise NotFound(_SYSTEM, message)
    if status in (requests.codes.bad_request, requests.codes.unprocessable_entity):
        raise Refused(_SYSTEM, message)
    raise Unavailable(_SYSTEM, message, retry_after=_seconds(response.headers.get("Retry-After")))


def _error_of(response: requests.Response) -> str:
    try:
        error = response.json()["error"]
    except (ValueError, KeyError, TypeError):
        return response.reason
    return str(error)[:_LONGEST_ERROR]


def _seconds(retry_after: str | None) -> float | None:
    return float(retry_after) if retry_after is not None and retry_after.isdecimal() else None
