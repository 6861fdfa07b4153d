"""Durations and fractions as people write them."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, ValidationError

from bot.domain.units import Duration, Fraction, format_duration, format_fraction


class Sample(BaseModel):
    bake: Duration = timedelta(minutes=15)
    objective: Fraction = 0.999


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("15m", timedelta(minutes=15)),
        ("1h30m", timedelta(minutes=90)),
        ("500ms", timedelta(milliseconds=500)),
        ("0.5s", timedelta(milliseconds=500)),
        ("2w1d", timedelta(days=15)),
        ("0s", timedelta(0)),
    ],
)
def test_durations_are_read_as_written(written: str, meant: timedelta) -> None:
    """A duration is numbers with units, the largest unit first."""
    assert meant == Sample(bake=written).bake


@pytest.mark.parametrize(
    "written", [15, 1.5, True, None, "", "15", "m", "30m1h", "1h 30m", "-5m", "٣m", "5m\n", "99999999w", []]
)
def test_what_is_no_duration_is_refused_with_a_hint(written: object) -> None:
    """Anything else is a validation error that says how to write it."""
    with pytest.raises(ValidationError) as caught:
        Sample(bake=written)

    assert caught.value.errors()[0]["ctx"]["hint"]


@pytest.mark.parametrize(
    ("written", "meant"),
    [("99%", 0.99), ("99.9%", 0.999), ("100%", 1.0), ("5 %", 0.05), (0.95, 0.95), (0, 0)],
)
def test_fractions_are_read_as_written(written: object, meant: float) -> None:
    """A percentage becomes the nearest float of its exact decimal value."""
    assert meant == Sample(objective=written).objective


@pytest.mark.parametrize(
    "written", [99, -0.1, True, None, "", "99", "101%", "%", "nan%", float("nan"), "9٣%", {}]
)
def test_what_is_no_fraction_is_refused_with_a_hint(written: object) -> None:
    """Anything else is a validation error that says how to write it."""
    with pytest.raises(ValidationError) as caught:
        Sample(objective=written)

    assert caught.value.errors()[0]["ctx"]["hint"]


def test_both_are_printed_as_people_write_them() -> None:
    """JSON carries the written form, which the same model reads back."""
    printed = Sample().model_dump_json()

    assert printed == '{"bake":"15m","objective":"99.9%"}'
    assert Sample() == Sample.model_validate_json(printed)


@given(st.timedeltas(min_value=timedelta(0), max_value=timedelta(days=3650)))
def test_a_printed_duration_is_always_read_back(value: timedelta) -> None:
    """Printing and reading agree to the millisecond."""
    read = Sample(bake=format_duration(value)).bake

    assert abs(read - value) <= timedelta(microseconds=500)


@given(st.floats(min_value=0, max_value=1).map(lambda value: round(value, 6)))
def test_a_printed_fraction_is_always_read_back(value: float) -> None:
    """Printing and reading agree exactly for up to six decimals."""
    assert value == Sample(objective=format_fraction(value)).objective
