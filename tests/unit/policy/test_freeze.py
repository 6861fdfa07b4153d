"""When nothing merges: cron starts and iCalendar events, in their own time zones."""

from datetime import UTC, datetime, timedelta

import pytest

from bot.domain.freeze import BadCalendar, CalendarFreeze, CronFreeze, frozen_until

WEEKEND = CronFreeze(cron="0 16 * * FRI", duration="64h", time_zone="Europe/Zurich", reason="weekend")


def at(text):
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("now", "until"),
    [
        ("2026-11-20T14:59:59", None),
        ("2026-11-20T15:00:00", "2026-11-23T07:00:00"),
        ("2026-11-23T06:59:59", "2026-11-23T07:00:00"),
        ("2026-11-23T07:00:00", None),
        # In summer Zurich is two hours ahead.
        ("2026-07-03T14:00:00", "2026-07-06T06:00:00"),
        ("2026-07-03T13:59:59", None),
    ],
)
def test_a_cron_window_starts_on_the_clock_of_its_zone(now, until):
    """On from the start, included, to the end, excluded."""
    found = frozen_until(WEEKEND, at(now), {})

    assert (found and found[0]) == (until and at(until))


def test_a_date_that_never_comes_freezes_nothing():
    """30 February is no mistake of the reader."""
    assert frozen_until(CronFreeze(cron="0 0 30 2 *", duration="1h"), at("2026-01-01T00:00:00"), {}) is None


def calendar(*events):
    body = "\n".join(f"BEGIN:VEVENT\nUID:{n}\n{event}\nEND:VEVENT" for n, event in enumerate(events))
    return {
        "f.ics": f"BEGIN:VCALENDAR\nVERSION:2.0\nPRODID:test\n{body}\nEND:VCALENDAR\n".replace("\n", "\r\n")
    }


CHRISTMAS = "SUMMARY:Christmas\nDTSTART;VALUE=DATE:20201224\nDTEND;VALUE=DATE:20201227\nRRULE:FREQ=YEARLY"
NIGHTLY = "SUMMARY:Backup\nDTSTART;TZID=Europe/Zurich:20260301T020000\nDURATION:PT1H\nRRULE:FREQ=DAILY;UNTIL=20261101T000000Z"
ONCE = "SUMMARY:Audit\nDTSTART:20261118T080000Z\nDTEND:20261118T100000Z"
EXCEPT = "DTSTART:20261101T080000Z\nDURATION:PT2H\nRRULE:FREQ=DAILY\nEXDATE:20261118T080000Z"
CANCELLED = f"{ONCE}\nSTATUS:CANCELLED"


@pytest.mark.parametrize(
    ("event", "now", "until", "reason"),
    [
        (ONCE, "2026-11-18T08:00:00", "2026-11-18T10:00:00", "Audit"),
        (ONCE, "2026-11-18T10:00:00", None, None),
        (CANCELLED, "2026-11-18T09:00:00", None, None),
        (CHRISTMAS, "2026-12-24T00:00:00", "2026-12-26T23:00:00", "Christmas"),
        (CHRISTMAS, "2026-12-23T23:30:00", "2026-12-26T23:00:00", "Christmas"),
        (CHRISTMAS, "2026-12-23T22:30:00", None, None),
        (NIGHTLY, "2026-07-01T00:30:00", "2026-07-01T01:00:00", "Backup"),
        (NIGHTLY, "2026-03-02T01:30:00", "2026-03-02T02:00:00", "Backup"),
        (NIGHTLY, "2026-11-18T01:30:00", None, None),
        (EXCEPT, "2026-11-17T09:00:00", "2026-11-17T10:00:00", ""),
        (EXCEPT, "2026-11-18T09:00:00", None, None),
    ],
)
def test_calendar_events_freeze(event, now, until, reason):
    """Whole days and times without a zone are meant in the window's zone; rules and exceptions count."""
    window = CalendarFreeze(ical="f.ics", time_zone="Europe/Zurich")
    found = frozen_until(window, at(now), calendar(event))

    assert found == (until and (at(until), reason))


WEEKLY = "DTSTART;TZID=Europe/Zurich:20261106T160000\nDURATION:PT2H\nRRULE:FREQ=WEEKLY"
MOVED = (
    "RECURRENCE-ID;TZID=Europe/Zurich:20261113T160000\n"
    "DTSTART;TZID=Europe/Zurich:20261114T100000\nDURATION:PT1H"
)


@pytest.mark.parametrize(
    ("instance", "now", "frozen"),
    [
        (MOVED, "2026-11-06T15:30:00", True),
        (MOVED, "2026-11-13T15:30:00", False),
        (MOVED, "2026-11-14T09:30:00", True),
        (MOVED, "2026-11-20T15:30:00", True),
        (f"{MOVED}\nSTATUS:CANCELLED", "2026-11-13T15:30:00", False),
        (f"{MOVED}\nSTATUS:CANCELLED", "2026-11-14T09:30:00", False),
    ],
)
def test_an_occurrence_that_was_moved_or_cancelled_is_not_where_its_rule_has_it(instance, now, frozen):
    """Calendar programs write one as an event of its own with the same UID."""
    events = calendar(WEEKLY, instance)["f.ics"].replace("UID:1", "UID:0")
    window = CalendarFreeze(ical="f.ics", time_zone="Europe/Zurich")

    assert (frozen_until(window, at(now), {"f.ics": events}) is not None) is frozen


def test_the_window_may_name_its_own_reason():
    """It wins over the event's summary."""
    window = CalendarFreeze(ical="f.ics", reason="company calendar")

    assert frozen_until(window, at("2026-11-18T09:00:00"), calendar(ONCE))[1] == "company calendar"


def test_of_several_events_the_last_end_counts():
    """A freeze in a freeze ends with the longer one."""
    longer = "DTSTART:20261118T070000Z\nDTEND:20261119T070000Z"
    found = frozen_until(CalendarFreeze(ical="f.ics"), at("2026-11-18T09:00:00"), calendar(ONCE, longer))

    assert found[0] == at("2026-11-19T07:00:00")


@pytest.mark.parametrize(
    "calendars",
    [
        {},
        {"f.ics": "not a calendar"},
        {"f.ics": ""},
        calendar("SUMMARY:no start"),
        calendar("DTSTART:20261118T080000Z\nRRULE:FREQ=SECONDLY"),
        calendar("DTSTART:20261118T080000Z\nRECURRENCE-ID;RANGE=THISANDFUTURE:20261118T080000Z"),
        calendar("DTSTART:20261118T080000Z\nRRULE:FREQ=DAILY;BYDAY=XX"),
        calendar("DTSTART:20261118T080000Z\nDTEND:20281118T080000Z"),
        calendar("DTSTART:20261118T080000Z\nDTEND:20261117T080000Z"),
        calendar(*[ONCE] * 2_001),
        {"f.ics": "x" * 1_000_001},
    ],
    ids=[
        "absent",
        "no calendar",
        "empty",
        "no start",
        "secondly",
        "all that follow",
        "bad rule",
        "too long",
        "backwards",
        "many",
        "large",
    ],
)
def test_a_calendar_that_cannot_be_read_is_an_error_not_an_open_door(calendars):
    """Whoever asks is told; the gate takes it for a freeze."""
    with pytest.raises(BadCalendar):
        frozen_until(CalendarFreeze(ical="f.ics"), at("2026-11-18T12:00:00"), calendars)


def test_an_old_daily_event_costs_little():
    """Fifty years of a daily event are looked through."""
    old = "DTSTART:19760101T080000Z\nDURATION:PT1H\nRRULE:FREQ=DAILY"
    now = at("2026-11-18T08:30:00")

    assert frozen_until(CalendarFreeze(ical="f.ics"), now, calendar(old)) == (now + timedelta(minutes=30), "")
