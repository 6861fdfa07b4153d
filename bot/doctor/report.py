"""Findings for a person, and for a program."""

import json
from collections.abc import Callable, Sequence
from dataclasses import asdict

from bot.domain.finding import Finding, Level

Paint = Callable[[str, Level], str]


def text(findings: Sequence[Finding], paint: Paint = lambda word, _: word) -> str:
    """One paragraph an area: each finding's level, its sentence, and below it what to do."""
    paragraphs = []
    for area in dict.fromkeys(finding.area for finding in findings):
        lines = [area]
        for finding in findings:
            if finding.area == area:
                lines += _lines(finding, paint)
        paragraphs.append("\n".join(lines))
    return "\n\n".join([*paragraphs, summary(findings)])


def _lines(finding: Finding, paint: Paint) -> list[str]:
    word = paint(f"{finding.level:<8}", finding.level)
    lines = [f"  {word} {_printable(finding.subject)}: {_printable(finding.sentence)}"]
    if finding.todo:
        lines.append(f"           → {_printable(finding.todo)}")
    return lines


def summary(findings: Sequence[Finding]) -> str:
    counts = {level: sum(finding.level is level for finding in findings) for level in Level}
    return (
        f"{_counted(counts[Level.PROBLEM], 'problem')}, {_counted(counts[Level.WARNING], 'warning')}, "
        f"{counts[Level.OK]} ok"
    )


def as_json(findings: Sequence[Finding]) -> str:
    """`ok` is whether there is no problem; every finding with all its parts."""
    told = [asdict(finding) for finding in findings]
    return json.dumps({"ok": healthy(findings), "findings": told}, indent=2, ensure_ascii=False)


def healthy(findings: Sequence[Finding]) -> bool:
    return all(finding.level is not Level.PROBLEM for finding in findings)


def _counted(count: int, what: str) -> str:
    return f"1 {what}" if count == 1 else f"{count or 'no'} {what}s"


def _printable(text: str) -> str:
    """What came from outside never steers the terminal."""
    return "".join(character if character.isprintable() else " " for character in text)
