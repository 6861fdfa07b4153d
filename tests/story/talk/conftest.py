"""One running Slipway for all conversations, and their transcripts as golden files."""

import os
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from sqlalchemy import make_url, text

from bot.adapters.database.connection import connect
from tests.fakes.running import Conversation, Running, wait_for
from tests.fakes.wire import recorded

GOLDEN = Path(__file__).parents[2] / "golden" / "talk"


@pytest.fixture(scope="session")
def running(tmp_path_factory, server_url, migrated, operations) -> Iterator[Running]:
    """At the end all that went over the wire is held against GitHub's description of its API."""
    server = connect(server_url)
    with server.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text(f"CREATE DATABASE talk TEMPLATE {migrated}"))
    server.dispose()
    engine = connect(make_url(server_url).set(database="talk").render_as_string(hide_password=False))
    with recorded() as wire:
        running = Running(tmp_path_factory.mktemp("talk"), engine)
        yield running
        running.close()
    engine.dispose()
    ours = [each for each in wire.exchanges if each.host == urlsplit(running.server.api_url).netloc]
    assert ours
    for exchange in ours:
        operations.check(exchange)


class Transcript:
    """What people said in one pull request and what the bot answered, as they saw it."""

    def __init__(self, talk: Conversation, pull: int) -> None:
        self._talk, self._pull = talk, pull
        self._parts: list[str] = []

    def says(
        self, author: str, body: str, *, answers: int = 1, mistakes: bool = False, until: str = ""
    ) -> int:
        """Somebody comments; the transcript goes on when every answer is there, and says `until`."""
        comment = self._talk.say(author, self._pull, body)
        said = [self.settled(comment, ordinal, until) for ordinal in range(answers)]
        if mistakes:
            said.append(self._talk.written(self._pull, f"<!-- slipway:mistakes-{comment} -->"))
        last = {"eyes"} if not answers else {"rocket", "-1"}
        wait_for(lambda: last & set(self._talk.reactions(comment)) or None, "the reaction that ends it")
        self._add(f"{author} comments", body, self._talk.reactions(comment), said)
        return comment

    def settled(self, comment: int, ordinal: int, until: str) -> str:
        def look() -> str | None:
            answer = self._talk.answer(self._pull, comment, ordinal)
            return answer if until in answer else None

        return wait_for(look, f"an answer that says {until!r}")

    def edited(self, comment: int, until: str) -> None:
        """An earlier answer is edited in place."""
        self._parts.append(f"## The answer is edited\n\n{self.settled(comment, 0, until)}")

    def reviews(self, author: str, body: str, event: str = "APPROVE", answers: int = 1) -> None:
        review = self._talk.review(author, self._pull, body, event)
        said = [self._talk.answer(self._pull, -review, ordinal) for ordinal in range(answers)]
        self._add(f"{author} reviews ({event.lower()})", body, [], said)

    def ignores(self, author: str, body: str) -> None:
        """A comment that is no command gets no reaction and no answer: the next one's answer proves it."""
        comment = self._talk.say(author, self._pull, body)
        self.says(author, "/status")
        assert self._talk.reactions(comment) == []
        marker = f"slipway:answer-{comment}-"
        assert not any(marker in said["body"] for said in self._talk.comments(self._pull))

    def _add(self, who: str, body: str, reactions: list[str], said: list[str]) -> None:
        quoted = "\n".join(f"> {line}".rstrip() for line in body.splitlines())
        seen = f"Reactions: {', '.join(reactions)}" if reactions else "No reaction."
        self._parts.append("\n\n".join([f"## {who}", quoted, seen, *said]))

    def text(self) -> str:
        return neutral("\n\n".join(self._parts), self._talk.model)


def neutral(text: str, model: str) -> str:
    """Without what is another in each run."""
    text = text.replace(model, "fraud").replace(model.replace("-", "\\-"), "fraud")
    text = re.sub(r"\b[0-9a-f]{40}\b", "<commit>", text)
    text = re.sub(r"\b[0-9a-f]{12}\b", "<promotion>", text)
    return re.sub(r"\d{4}-\d\d-\d\d \d\d:\d\d(:\d\d)?( UTC)?", "<moment>", text)


@pytest.fixture
def golden() -> Callable[[str, str], None]:
    """Compare a transcript with its golden file; `SLIPWAY_GOLDEN=write` writes what is new."""

    def compare(name: str, text: str) -> None:
        file = GOLDEN / name
        if os.environ.get("SLIPWAY_GOLDEN") == "write":
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text + "\n", encoding="utf-8")

        assert file.read_text(encoding="utf-8") == text + "\n"

    return compare


@pytest.fixture
def transcript() -> Callable[[Conversation, int], Transcript]:
    return Transcript
