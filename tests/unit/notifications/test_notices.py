"""Which transitions are news, and what a chat and a program are told."""

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from pydantic import SecretStr, ValidationError

from bot import settings
from bot.domain.loading import load
from bot.domain.mistake import ConfigError
from bot.domain.notification import Happening, Notice, happenings
from bot.messages.notification import chat, document, sentence

NOTICE = Notice(
    id="p1-7",
    happenings=(Happening.MERGED, Happening.PASSED),
    at=datetime(2026, 11, 21, 12, 0, tzinfo=UTC),
    repository="acme/gitops",
    model="fraud",
    version="3",
    baseline="2",
    environment="production",
    actor="ada",
    reason="both objectives were kept",
    pull=7,
    url="https://github.test/acme/gitops/pull/7",
)


@pytest.mark.parametrize(
    ("before", "after", "approvals", "expected"),
    [
        ("", "waiting", 0, ()),
        ("waiting", "open", 0, (Happening.OPENED,)),
        ("waiting", "open", 2, (Happening.OPENED, Happening.APPROVAL)),
        ("open", "syncing", 1, (Happening.MERGED,)),
        ("open", "closed", 1, ()),
        ("open", "passed", 0, (Happening.MERGED, Happening.PASSED)),
        ("open", "reverting", 0, (Happening.MERGED, Happening.REVERTING)),
        ("syncing", "watching", 0, ()),
        ("watching", "passed", 0, (Happening.PASSED,)),
        ("watching", "held", 0, (Happening.HELD,)),
        ("watching", "reverting", 0, (Happening.REVERTING,)),
        ("held", "syncing", 0, ()),
        ("reverting", "reverted", 0, (Happening.REVERTED,)),
        ("syncing", "closed", 0, ()),
    ],
)
def test_a_transition_is_the_news_that_it_brings(before, after, approvals, expected):
    """What happened within one look is told together."""
    assert happenings(before, after, approvals=approvals) == expected


def test_a_chat_reads_one_sentence_and_why():
    """The last happening leads; the pull request is one click away."""
    assert sentence(NOTICE) == (
        "✅ *fraud* version 3 for production passed (<https://github.test/acme/gitops/pull/7|acme/gitops#7>)\n"
        "both objectives were kept"
    )
    assert "(<" not in sentence(replace(NOTICE, url=None, pull=None))


@pytest.mark.parametrize("happening", list(Happening))
def test_every_happening_has_its_sentence(happening):
    """A new one fails here until it is said."""
    assert "fraud" in sentence(replace(NOTICE, happenings=(happening,)))


@pytest.mark.parametrize(
    "hostile",
    [
        "<!channel>",
        "@channel",
        "<https://evil.example|click>",
        "*bold* _it_ ~s~ `c`",
        "www.evil.example",
        ":tada:",
    ],
)
def test_hostile_text_calls_nobody_and_links_nothing(hostile):
    """In a chat too, it is shown and does nothing."""
    shown = chat(hostile)

    assert "<" not in shown
    assert hostile not in shown
    assert shown.replace("\u200b", "").replace("&lt;", "<").replace("&gt;", ">") == hostile


def test_a_program_reads_everything():
    """The JSON has all that the sentence has, and the happenings on the way."""
    told = document(NOTICE)

    assert (told["version"], told["id"], told["event"], told["events"]) == (
        1,
        "p1-7",
        "passed",
        ["merged", "passed"],
    )
    assert (told["model"], told["model_version"], told["environment"]) == ("fraud", "3", "production")
    assert told["at"] == "2026-11-21T12:00:00+00:00"


def test_every_event_is_documented():
    """An event without a word in the documentation fails here."""
    page = (Path(__file__).parents[3] / "docs" / "notifications.md").read_text(encoding="utf-8")

    assert [each for each in Happening if f"| `{each}` |" not in page] == []
    assert [field for field in document(NOTICE) if f"`{field}`" not in page] == []


CONFIG = "models: {m: {environments: {e: {targets: [{kserve: a.yaml}]}}}}\n"


def test_who_is_told_of_what_stands_in_the_configuration():
    """A name and its events."""
    config = load(CONFIG + "notifications: {ml-chat: [approval, held]}\n")

    assert config.notifications == {"ml-chat": (Happening.APPROVAL, Happening.HELD)}


@pytest.mark.parametrize(
    ("wrong", "key"),
    [("{ml-chat: [opend]}", "notifications.ml-chat[0]"), ("{'a b': [opened]}", "notifications")],
)
def test_a_wrong_name_or_event_is_told_with_its_place(wrong, key):
    """Like every mistake of the file."""
    with pytest.raises(ConfigError) as told:
        load(CONFIG + f"notifications: {wrong}\n")

    assert told.value.mistakes[0].key.startswith(key)
    assert told.value.mistakes[0].line == 2


@pytest.mark.parametrize(
    "wrong",
    [
        {"kind": "slack", "url": "hooks.example"},
        {"kind": "webhook", "url": "https://x.example"},
        {"kind": "slack", "url": "https://x.example", "secret": "s"},
        {"kind": "pigeon", "url": "https://x.example"},
    ],
)
def test_a_wrong_target_keeps_slipway_from_starting(wrong):
    """It is a mistake of the settings."""
    with pytest.raises(ValidationError):
        settings.NotifyTarget.model_validate(wrong)


def test_an_address_is_a_secret():
    """Whoever knows the address of a chat may write in it."""
    target = settings.NotifyTarget(kind="slack", url=SecretStr("https://hooks.example/T1/hidden"))

    assert "hidden" not in repr(target)
    assert "hidden" not in repr(target.target())
