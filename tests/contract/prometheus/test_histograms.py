"""Histograms that are no classic ones, with real samples: native ones, and the ranges of VictoriaMetrics."""

import struct
import time
import urllib.request

import pytest

from bot.adapters.prometheus import Connection, Prometheus
from bot.analysis.reader import CanaryReader, Span
from bot.analysis.windows import NOTHING, Count
from bot.domain.slo import Slo

MERGED = float(int(time.time()) - 1800)
SCRAPE = 15.0


def varint(number: int) -> bytes:
    low, rest = number & 127, number >> 7
    return bytes([low | 128]) + varint(rest) if rest else bytes([low])


def zigzag(number: int) -> bytes:
    return varint(2 * number if number >= 0 else -2 * number - 1)


def whole(field: int, number: int) -> bytes:
    return varint(field << 3) + varint(number)


def signed(field: int, number: int) -> bytes:
    return varint(field << 3) + zigzag(number)


def real(field: int, number: float) -> bytes:
    return varint(field << 3 | 1) + struct.pack("<d", number)


def message(field: int, content: bytes) -> bytes:
    return varint(field << 3 | 2) + varint(len(content)) + content


def sample(at: float, schema: int, buckets: dict[int, int]) -> bytes:
    """A native histogram in the remote-write protocol; bucket n ends at 2 ** (n / 2 ** schema)."""
    spans, deltas, before, last = b"", b"", None, 0
    for index, count in sorted(buckets.items()):
        spans += message(11, signed(1, index if before is None else index - before - 1) + whole(2, 1))
        deltas += zigzag(count - last)
        before, last = index, count
    return (
        whole(1, sum(buckets.values()))
        + real(3, 1.0)
        + signed(4, schema)
        + real(5, 1e-128)
        + whole(6, 0)
        + spans
        + message(12, deltas)
        + whole(15, round(at * 1000))
    )


def write(url: str, labels: dict[str, str], samples: list[bytes]) -> None:
    """Remote write; snappy takes literals as they are."""
    named = b"".join(message(1, message(1, k.encode()) + message(2, v.encode())) for k, v in labels.items())
    plain = message(1, named + b"".join(message(4, each) for each in samples))
    packed = varint(len(plain))
    for start in range(0, len(plain), 60):
        piece = plain[start : start + 60]
        packed += bytes([(len(piece) - 1) << 2]) + piece
    headers = {"Content-Encoding": "snappy", "Content-Type": "application/x-protobuf"}
    request = urllib.request.Request(f"{url}/api/v1/write", data=packed, headers=headers)
    urllib.request.urlopen(request, timeout=10).close()


def reader(threshold: str, *, native: bool) -> CanaryReader:
    latency = {"threshold": threshold, "objective": "95%", "histogram": 'h{app="m"}', "native": native}
    return CanaryReader(Slo.model_validate({"latency": latency}), {}, Span(MERGED, SCRAPE), born_after=MERGED)


def counted(metrics: Prometheus, reads: CanaryReader, looks: int = 20) -> Count:
    windows = []
    for look in range(1, looks + 1):
        now = MERGED + SCRAPE * look
        answers = {ask.text: metrics.raw(ask.text, ask.start, ask.end) for ask in reads.asks(now)}
        windows += reads.ingest(answers, now)
    return sum((window.candidate.get("latency", NOTHING) for window in windows), NOTHING)


@pytest.fixture
def native(native_prometheus):
    """Each scrape brings 90 requests up to 0.25 s, 6 up to 0.324 s and 4 up to 2 s; halfway the process halves
    its resolution.
    """
    rows = []
    for k in range(1, 21):
        fine = {-16: 90 * k, -13: 6 * k, 8: 4 * k}
        coarse = {-8: 90 * k, -6: 6 * k, 4: 4 * k}
        rows.append(sample(MERGED + SCRAPE * k, *((3, fine) if k <= 10 else (2, coarse))))
    write(native_prometheus.url, {"__name__": "h", "app": "m", "instance": "a"}, rows)
    return Prometheus(Connection(native_prometheus.url))


@pytest.mark.real("prometheus")
@pytest.mark.parametrize(
    ("threshold", "slow", "notes"),
    [
        ("250ms", 20 * 10, []),
        ("500ms", 20 * 4, []),
        (
            "300ms",
            20 * 4,
            [
                "latency: 0.3 is no bucket bound; the next one, 0.324210, is used",
                "latency: 0.3 is no bucket bound; the next one, 0.353553, is used",
            ],
        ),
    ],
)
def test_native_samples_of_a_real_prometheus_are_counted_exactly(native, threshold, slow, notes):
    """From the very first request, at two resolutions; a threshold inside a bucket takes the bucket's end."""
    reads = reader(threshold, native=True)

    assert counted(native, reads) == Count(2000, slow)
    assert reads.notes == [note.replace("0.324210", "0.32421") for note in notes]


@pytest.fixture(scope="module")
def ranges(start):
    """Buckets as VictoriaMetrics' client writes them, each counted by itself."""
    each = {"2.154e-01...2.448e-01": 90, "2.783e-01...3.162e-01": 6, "1.778e+00...2.031e+00": 4}
    history = {
        f'h_bucket{{app="m",instance="a",vmrange="{span}"}}': [
            (MERGED + SCRAPE * k, float(count * k)) for k in range(1, 21)
        ]
        for span, count in each.items()
    }
    return Prometheus(Connection(start(history).url))


@pytest.mark.parametrize(
    ("threshold", "slow", "notes"),
    [
        ("250ms", 20 * 10, []),
        ("300ms", 20 * 4, ["latency: 0.3 is no bucket bound; the next one, 0.3162, is used"]),
    ],
)
def test_ranges_of_victoriametrics_are_counted_exactly(ranges, threshold, slow, notes):
    """They are read as they are, on either server."""
    reads = reader(threshold, native=False)

    assert counted(ranges, reads) == Count(2000, slow)
    assert reads.notes == notes


def test_a_server_without_native_histograms_has_no_data_for_them(ranges):
    """Nothing is claimed where nothing was measured."""
    reads = reader("250ms", native=True)
    now = MERGED + SCRAPE
    answers = {ask.text: ranges.raw(ask.text, ask.start, ask.end) for ask in reads.asks(now)}

    assert [window.candidate for window in reads.ingest(answers, now)] == [{}]
