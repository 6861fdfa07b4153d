"""Looks are carried out at the same time, and none hides another."""

import threading
import time

from bot.doctor import report
from bot.doctor.run import Look, run
from bot.domain.finding import Level, ok, problem, warning
from bot.ports import Unavailable


def test_one_that_hangs_or_breaks_hides_no_other():
    """Each has its place among the findings, in the order of the looks."""
    hangs = threading.Event()

    def breaks():
        raise KeyError("postgresql://u:hidden@host/db")

    def away():
        raise Unavailable("MLflow", "no answer")

    looks = [
        Look("A", "hangs", lambda: hangs.wait(60) and [], "Wake it."),
        Look("B", "breaks", breaks, "Mend it."),
        Look("C", "away", away, "Start it."),
        Look("D", "well", lambda: [ok("D", "well", "Fine.")], "Nothing."),
    ]
    began = time.monotonic()
    found = run(looks, 0.3)
    took = time.monotonic() - began
    hangs.set()

    assert [(each.area, each.level.value, each.sentence) for each in found] == [
        ("A", "problem", "There was no answer within 0.3 s."),
        ("B", "problem", "Looking at it failed unexpectedly (KeyError)."),
        ("C", "problem", "No answer."),
        ("D", "ok", "Fine."),
    ]
    assert [each.todo for each in found] == ["Wake it.", "Mend it.", "Start it.", ""]
    assert took < 30


def test_a_look_that_finds_nothing_is_not_late():
    """Silence in time is an answer."""
    assert run([Look("A", "x", list, "")], 60) == []


def test_they_do_not_wait_for_each_other():
    """All of them are under way at once: each waits until the last has begun."""
    together = threading.Barrier(20, timeout=60)

    def look():
        together.wait()
        return [ok("A", "x", "Fine.")]

    found = run([Look("A", str(number), look, "") for number in range(20)], 60)

    assert {finding.level for finding in found} == {Level.OK}


FOUND = [
    ok("GitHub", "App", "Well."),
    problem("MLflow", "server", "No \x1b[31manswer.", "Start it."),
    warning("GitHub", "main", "Open.", "Protect it."),
]


def test_the_text_groups_by_system_and_counts():
    """An escape sequence from outside does not reach the terminal."""
    assert report.text(FOUND) == (
        "GitHub\n"
        "  ok       App: Well.\n"
        "  warning  main: Open.\n"
        "           → Protect it.\n"
        "\n"
        "MLflow\n"
        "  problem  server: No  [31manswer.\n"
        "           → Start it.\n"
        "\n"
        "1 problem, 1 warning, 1 ok"
    )


def test_warnings_alone_are_healthy():
    """The exit code follows problems only."""
    assert not report.healthy(FOUND)
    assert report.healthy([each for each in FOUND if each.level is not Level.PROBLEM])
    assert report.summary([]) == "no problems, no warnings, 0 ok"
