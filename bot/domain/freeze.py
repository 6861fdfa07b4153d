"""Freezes: calendar windows in which nothing merges, as cron starts or as an iCalendar file. Pure.

`frozen_until(window, now)` answers when the freeze that is on now ends, or None. Times of day are
meant in the window's time zone: a window that starts at 16:00 in Zurich does so in summer and winter.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from itertools import islice
from typing import Annotated, Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from croniter import CroniterError, croniter
from dateutil.rrule import rrule, rruleset, rrulestr
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator
from pydantic_core import PydanticCustomError

from bot.domain.units import Duration

LARGEST_CALENDAR = 1_000_000
MOST_EVENTS = 2_000
MOST_OCCURRENCES = 20_000
"""Occurrences of one event that are looked at: 54 years of a daily one."""
_LONGEST_EVENT = timedelta(days=366)


def _zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise PydanticCustomError(
            "time_zone", "this is no time zone", {"hint": "write it like `Europe/Zurich` or `UTC`"}
        ) from None
    return name


def _cron(expression: str) -> str:
    if len(expression.split()) != 5 or not croniter.is_valid(expression):  # noqa: PLR2004 - cron's fields
        raise PydanticCustomError(
            "cron",
            "this is no cron expression",
            {"hint": "five fields: minute, hour, day, month, weekday, like `0 16 * * FRI`"},
        )
    return expression


_Zone = Annotated[str, AfterValidator(_zone)]


class CronFreeze(BaseModel):
    """Freezes for `duration` from each time that `cron` names."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    cron: Annotated[str, AfterValidator(_cron)] = Field(
        description="When a freeze begins: minute, hour, day of the month, month, day of the week.",
        examples=["0 16 * * FRI"],
    )
    duration: Duration = Field(gt=timedelta(0), le=_LONGEST_EVENT, description="How long it lasts.")
    time_zone: _Zone = Field(default="UTC", description="The zone that `cron` is meant in.")
    reason: str = Field(default="", max_length=200, description="Why, for the reviewer.")


class CalendarFreeze(BaseModel):
    """Freezes during every event of an iCalendar file of the GitOps repository."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    ical: str = Field(
        max_length=200,
        pattern=r"^(?:[A-Za-z0-9_-][A-Za-z0-9_ .-]*/)*[A-Za-z0-9_-][A-Za-z0-9_ .-]*\.ics$",
        description="Path of an iCalendar file (RFC 5545) in the repository.",
        examples=["policies/freezes.ics"],
    )
    time_zone: _Zone = Field(default="UTC", description="The zone of whole days and of times without one.")
    reason: str = Field(default="", max_length=200, description="Why; without it, the event's summary.")

    @model_validator(mode="before")
    @classmethod
    def _one_of_both(cls, data: object) -> object:
        if isinstance(data, Mapping) and {"cron", "ical"} <= data.keys():
            message = "a freeze is written as `cron` or as `ical`, not both"
            raise PydanticCustomError("one_of_both", message, {"hint": "make two entries of it"})
        return data


FreezeWindow = CronFreeze | CalendarFreeze


class BadCalendar(ValueError):
    """An iCalendar file that cannot be used; the message is for a person."""


@dataclass(frozen=True, slots=True)
class Freeze:
    """A freeze that is on; `until` is None where nobody can tell when it ends."""

    until: datetime | None
    reason: str


def freeze_on(windows: Iterable[FreezeWindow], now: datetime, calendars: Mapping[str, str]) -> Freeze | None:
    """The freeze that is on at `now`, of several the one that ends last; None where none is.

    One that cannot be read is taken to be on.
    """
    try:
        found = [end for window in windows if (end := frozen_until(window, now, calendars))]
    except BadCalendar as error:
        return Freeze(None, f"a freeze cannot be read, so it is taken to be on: {error}")
    if not found:
        return None
    until, why = max(found)
    return Freeze(until, f"frozen until {until:%Y-%m-%d %H:%M} UTC" + (f" ({why})" if why else ""))


def frozen_until(
    window: FreezeWindow, now: datetime, calendars: Mapping[str, str]
) -> tuple[datetime, str] | None:
    """When the freeze that is on at `now` ends, and its reason; None where it is off.

    `calendars` maps the paths of iCalendar files to their text. Raises BadCalendar for a file that is
    absent or cannot be read: who asks must take that for a freeze.
    """
    if isinstance(window, CronFreeze):
        begin = _last_start(window, now)
        until = begin + window.duration
        return (until.astimezone(UTC), window.reason) if now < until else None
    if window.ical not in calendars:
        raise BadCalendar(f"{window.ical} is not in the repository")
    found = [
        (end, window.reason or summary)
        for begin, end, summary in _events(calendars[window.ical], window, now)
        if begin <= now < end
    ]
    return max(found, default=None)


def wrong_with(calendar: str, window: CalendarFreeze) -> str | None:
    """Why the text of a calendar cannot be used; None where it can."""
    try:
        frozen_until(window, datetime(2026, 1, 1, tzinfo=UTC), {window.ical: calendar})
    except BadCalendar as error:
        return str(error)
    return None


def _last_start(window: CronFreeze, now: datetime) -> datetime:
    local = now.astimezone(ZoneInfo(window.time_zone))
    # A second later, because `get_prev` leaves out the moment itself.
    try:
        start: datetime = croniter(window.cron, local + timedelta(seconds=1)).get_prev(datetime)
    except CroniterError:  # a date that never comes, such as 30 February
        return datetime.min.replace(tzinfo=UTC)
    return start.astimezone(UTC)


def _events(text: str, window: CalendarFreeze, now: datetime) -> Iterator[tuple[datetime, datetime, str]]:
    """The occurrences that could be on at `now`, as (begin, end, summary), in UTC."""
    if len(text) > LARGEST_CALENDAR:
        raise BadCalendar(f"{window.ical} is larger than {LARGEST_CALENDAR:,} characters")
    from icalendar import Calendar  # noqa: PLC0415 - slow to import, and few policies have a calendar

    try:
        events = Calendar.from_ical(text).walk("VEVENT")
        zone = ZoneInfo(window.time_zone)
        moved = _moved(events[:MOST_EVENTS], zone)
        for event in events[:MOST_EVENTS]:
            summary = str(event.get("SUMMARY", ""))[:200]
            elsewhere = moved.get(str(event.get("UID", "")), ()) if "RECURRENCE-ID" not in event else ()
            for begin, end in _occurrences(event, zone, now):
                if begin not in elsewhere:
                    yield begin, end, summary
    except BadCalendar:
        raise
    except (ValueError, KeyError, TypeError, AttributeError, OverflowError, IndexError) as error:
        raise BadCalendar(f"{window.ical} cannot be read: {str(error)[:200]}") from error
    if len(events) > MOST_EVENTS:
        raise BadCalendar(f"{window.ical} has more than {MOST_EVENTS:,} events")


def _moved(events: Sequence[Any], zone: tzinfo) -> Mapping[str, Collection[datetime]]:
    """By event, which occurrences of its rule an event of their own stands for, moved or cancelled."""
    moved = defaultdict(set)
    for event in events:
        if "RECURRENCE-ID" not in event:
            continue
        if event["RECURRENCE-ID"].params.get("RANGE"):
            raise BadCalendar("an event is moved together with all that follow it; end its rule instead")
        moved[str(event.get("UID", ""))].add(_aware(event.decoded("RECURRENCE-ID"), zone).astimezone(UTC))
    return moved


def _occurrences(event: Any, zone: tzinfo, now: datetime) -> Iterator[tuple[datetime, datetime]]:
    if str(event.get("STATUS", "")).upper() == "CANCELLED":
        return
    if "DTSTART" not in event:
        raise BadCalendar("an event has no beginning (DTSTART)")
    first = event.decoded("DTSTART")
    begin = _aware(first, zone)
    if "DTEND" in event:
        length = _aware(event.decoded("DTEND"), zone) - begin
    elif "DURATION" in event:
        length = event.decoded("DURATION")
    else:
        length = timedelta(0) if isinstance(first, datetime) else timedelta(days=1)
    if not timedelta(0) <= length <= _LONGEST_EVENT:
        raise BadCalendar("an event lasts longer than a year, or ends before it begins")
    for start in islice(_starts(event, begin, zone, now), MOST_OCCURRENCES):
        # The wall clock of the zone counts: an event of a day ends at midnight, also when clocks change.
        yield start.astimezone(UTC), (start + length).astimezone(UTC)


def _starts(event: Any, begin: datetime, zone: tzinfo, now: datetime) -> Iterator[datetime]:
    rules = event.get("RRULE", [])
    rules = rules if isinstance(rules, list) else [rules]
    if not rules and "RDATE" not in event:
        yield begin
        return
    for rule in rules:
        if set(rule.get("FREQ", ())) & {"SECONDLY", "MINUTELY", "HOURLY"}:
            raise BadCalendar("an event repeats more often than daily")
    # dateutil adds wall-clock time to naive values; the zone is put back on each occurrence.
    naive = begin.replace(tzinfo=None)
    repeats = rruleset()
    repeats.rdate(naive)
    for rule in rules:
        repeats.rrule(_rule(rule, begin.tzinfo or zone, naive))
    for key, add in (("RDATE", repeats.rdate), ("EXDATE", repeats.exdate)):
        for value in _dates(event.get(key, [])):
            add(_aware(value, zone).astimezone(begin.tzinfo).replace(tzinfo=None))
    horizon = now.astimezone(begin.tzinfo).replace(tzinfo=None)
    for start in repeats:
        if start > horizon:
            return
        yield start.replace(tzinfo=begin.tzinfo)


def _rule(rule: Any, zone: tzinfo, begin: datetime) -> rrule:
    parts = rule.to_ical().decode().split(";")
    kept = [part for part in parts if not part.startswith("UNTIL=")]
    if "UNTIL" in rule:
        until = _aware(rule["UNTIL"][0], zone).astimezone(zone)
        kept.append(f"UNTIL={until:%Y%m%dT%H%M%S}")
    parsed = rrulestr(";".join(kept), dtstart=begin)
    assert isinstance(parsed, rrule), "one rule is no set"
    return parsed


def _dates(value: Any) -> list[Any]:
    lists = value if isinstance(value, list) else [value]
    return [item.dt for entry in lists for item in entry.dts]


def _aware(value: date | datetime, zone: tzinfo) -> datetime:
    if not isinstance(value, datetime):
        value = datetime.combine(value, time())
    return value if value.tzinfo else value.replace(tzinfo=zone)
