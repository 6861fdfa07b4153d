"""The story: one model goes from version 1 to 2, to 3, back to 2, and back to 1, through pull requests.

Every step says what is expected and waits until it is observed outside of Slipway; what was observed
goes into the report. `play` raises `NotObserved` at the first step that does not come true in time.
"""

import time
from collections.abc import Callable
from typing import Any

from bot.sandbox import repository
from bot.sandbox.narration import Narration
from bot.sandbox.outside import BOT, Outside
from bot.sandbox.processes import SandboxError
from bot.sandbox.report import Report, Step
from bot.sandbox.world import World

PAUSE_SECONDS = 0.2
PATIENCE = 180.0
"""Seconds for anything to come true: a small machine under load is slow, and the report says how slow."""
QUIET_SECONDS = 6.0
"""How long nothing must happen before it counts as "opens nothing"."""


class NotObserved(SandboxError):
    """A step did not come true in time."""


class Story:
    """Plays on a started world and writes down what it sees."""

    def __init__(self, world: World, narration: Narration, report: Report) -> None:
        self._world = world
        self._narration = narration
        self._report = report
        self._outside = Outside(world)

    def play(self) -> None:
        """The whole story, once."""
        try:
            self._begin()
            second = self._promote("2", "A better version")
            self._passes(second, "2")
            self._help(second)
            third = self._promote("3", "Better in every metric, and bad in production")
            self._fails(third)
            self._stays_away(third)
            self._goes_back(second)
        finally:
            self._outside.close()
        self._report.ended = True

    def _begin(self) -> None:
        outside = self._outside
        self._narration.chapter("Version 1 runs in production")
        self._step(
            "version 1 serves",
            "the default branch pins 1, callers are answered by 1, champion is 1",
            lambda: _if(
                (outside.pinned(), outside.serving(), outside.alias("champion")) == ("1", {"1"}, "1")
                and outside.requests("1") > 0,
                lambda: f"{outside.requests('1'):.0f} requests answered by version 1 in Prometheus",
            ),
        )

    def _promote(self, version: str, title: str) -> int:
        """From the alias in MLflow to callers that are answered by the version; its pull request."""
        outside, before = self._outside, self._newest()
        self._narration.chapter(f"Version {version}: {title}")
        self._narration.note(f"the alias candidate is set to version {version} in MLflow")
        outside.set_alias("candidate", version)
        self._step(
            f"pull request for version {version}",
            "MLflow's webhook makes Slipway open a pull request that changes only the pin",
            lambda: self._bump(before, version),
            number=f"alias to pull request, version {version}",
        )
        number = self._newest()
        self._narration.link("pull request", self._page(number))
        head = outside.pull(number)["head"]["sha"]
        self._narration.note("the reviewer comments /promote")
        comment = outside.say(number, "/promote")
        self._step(
            f"version {version} merged",
            "the bot reacts to the command and merges exactly its own commit",
            lambda: self._merged(number, head, comment),
        )
        self._merged_at = time.monotonic()
        self._step(
            f"version {version} synced",
            f"the default branch pins {version}, Argo CD brings it in, callers are answered by it",
            lambda: _if(
                outside.pinned() == version and outside.serving(1.0) == {version},
                lambda: f"pin {outside.pinned()}, answers from version {version}",
            ),
        )
        return number

    def _passes(self, pull: int, version: str) -> None:
        outside = self._outside
        self._narration.note("the canary watches real traffic")
        self._step(
            f"version {version} passed",
            f"the canary passes on real traffic and champion moves to {version}",
            lambda: _if(
                outside.alias("champion") == version,
                lambda: f"champion is {version} after {outside.requests(version):.0f} requests in Prometheus",
            ),
        )
        self._step(
            "no revert of a good version",
            "the last pull request is still the bump itself",
            lambda: _if(
                self._newest() == pull and outside.pinned() == version, lambda: f"#{pull} is the last"
            ),
        )

    def _help(self, pull: int) -> None:
        self._narration.chapter("Commands answer")
        self._answered(
            pull, "/help", "help", "a comment that lists the commands", ("/promote", "/rollback", "/hold")
        )
        self._answered(pull, "/status", "status", "a comment that says where the promotion is", ("passed",))

    def _fails(self, pull: int) -> None:
        outside, merged_at = self._outside, self._merged_at
        self._step(
            "version 3 breaks its SLOs",
            "Prometheus and the callers see errors or slow answers",
            lambda: _if(
                outside.requests("3", "5xx") > 0 or outside.latency()[1] > 0.25,  # noqa: PLR2004 - the SLO
                self._damage,
            ),
        )
        self._step(
            "revert pull request",
            "Slipway opens the revert pull request by itself",
            lambda: self._revert(pull, "3", "2"),
        )
        self._report.numbers["version 3 merged to revert pull request open"] = time.monotonic() - merged_at
        revert = self._newest()
        self._narration.link("revert", self._page(revert))
        self._step(
            "revert merged",
            "the policy lets the bot merge it, and the default branch pins 2 again",
            lambda: _if(
                outside.pull(revert)["merged"] and outside.pinned() == "2",
                lambda: f"#{revert} merged by {outside.pull(revert)['merged_by']['login']}, pin 2",
            ),
        )
        self._step(
            "version 2 serves again",
            "callers are answered by version 2 and nothing else",
            lambda: _if(outside.serving(1.0) == {"2"}, lambda: "answers from version 2"),
        )
        self._report.numbers["version 3 merged to version 2 serving"] = time.monotonic() - merged_at
        self._step(
            "champion is back",
            "the alias champion is on version 2",
            lambda: _if(outside.alias("champion") == "2", lambda: "champion is 2"),
        )

    def _stays_away(self, pull: int) -> None:
        outside, before = self._outside, self._newest()
        self._narration.chapter("Version 3 stays away")
        self._narration.note("the alias candidate is set to version 3 once more")
        known = set(outside.bot_comments(pull))
        outside.set_alias("candidate", "3")
        self._step(
            "version 3 is quarantined",
            "the bot says in the pull request of version 3 why it opens nothing",
            lambda: next(
                (
                    _first_words(said)
                    for said in outside.bot_comments(pull)
                    if _new(said, known, "nothing was opened")
                ),
                None,
            ),
        )
        quiet = time.monotonic()
        self._step(
            "nothing is opened",
            f"no pull request in {QUIET_SECONDS:.0f} s",
            lambda: _if(
                time.monotonic() - quiet > QUIET_SECONDS and self._newest() == before,
                lambda: f"#{before} is still the last pull request",
            ),
        )
        self._answered(
            pull, "/status", "hold", "the status tells of the hold that the revert has set", ("hold",)
        )

    def _goes_back(self, pull: int) -> None:
        outside, before = self._outside, self._newest()
        self._narration.chapter("A person takes version 2 back")
        self._narration.note("the reviewer comments /rollback on the merged pull request of version 2")
        outside.say(pull, "/rollback business asked for the old behaviour")
        self._step(
            "rollback pull request",
            "Slipway opens the pull request that restores version 1",
            lambda: self._revert(before, "2", "1"),
        )
        revert = self._newest()
        self._narration.link("rollback", self._page(revert))
        self._step(
            "version 1 serves again",
            "it is merged, callers are answered by version 1, champion is 1",
            lambda: _if(
                (outside.pinned(), outside.serving(1.0), outside.alias("champion")) == ("1", {"1"}, "1"),
                lambda: f"#{revert} merged, pin 1, answers from version 1, champion is 1",
            ),
        )

    # What to look at.
    def _damage(self) -> str:
        failed, all_requests = self._outside.requests("3", "5xx"), self._outside.requests("3")
        share, median = self._outside.latency()
        told = f"{failed:.0f} of {all_requests:.0f} requests failed in Prometheus"
        return f"{told}; callers: {share:.0%} failed, median {median:.2f} s"

    def _newest(self) -> int:
        return max((pull["number"] for pull in self._outside.pulls()), default=0)

    def _page(self, number: int) -> str:
        return str(self._outside.pull(number)["html_url"])

    def _bump(self, before: int, version: str) -> str | None:
        pull = self._outside.bot_pull_after(before)
        if pull is None:
            return None
        changed = self._changed(pull["number"])
        if not changed.endswith(f"→ {version}"):
            raise NotObserved(f"#{pull['number']} changes something else: {changed}")
        old, new = (f"{self._outside.metric(one, 'f1'):.4g}" for one in (str(int(version) - 1), version))
        shown = next((line for line in pull["body"].splitlines() if old in line and new in line), None)
        if shown is None:
            return None  # the text is written a moment after the pull request is opened
        return f"#{pull['number']} {pull['title']!r} by {BOT}: {changed}; shows f1 {old} → {new}"

    def _revert(self, before: int, old: str, new: str) -> str | None:
        pull = self._outside.bot_pull_after(before)
        if pull is None:
            return None
        changed = self._changed(pull["number"])
        if not changed.endswith(f"{old} → {new}"):
            raise NotObserved(f"#{pull['number']} does not restore version {new}: {changed}")
        return f"#{pull['number']} {pull['title']!r} by {BOT}: {changed}"

    def _changed(self, number: int) -> str:
        """The one changed line, as `file: old → new`."""
        files = self._outside.files(number)
        if [file["filename"] for file in files] != [repository.PIN_FILE]:
            return ", ".join(file["filename"] for file in files)
        patch = files[0]["patch"].splitlines()
        lines = {sign: [line for line in patch if line.startswith(sign)] for sign in "+-"}
        if [len(found) for found in lines.values()] != [1, 1]:
            return f"{repository.PIN_FILE}: {files[0]['changes']} lines"
        old, new = (lines[sign][0].rpartition("/")[2] for sign in "-+")
        return f"{repository.PIN_FILE}: {old} → {new}"

    def _merged(self, number: int, head: str, comment: int) -> str | None:
        pull = self._outside.pull(number)
        if not pull["merged"]:
            return None
        if (pull["head"]["sha"], pull["merged_by"]["login"]) != (head, BOT):
            raise NotObserved(
                f"#{number} was merged by {pull['merged_by']['login']} at {pull['head']['sha']}"
            )
        reactions = ", ".join(self._outside.reactions(comment)) or "none yet"
        return f"{head[:10]} merged by {BOT} as {pull['merge_commit_sha'][:10]}; reactions: {reactions}"

    def _answered(self, pull: int, command: str, name: str, expected: str, words: tuple[str, ...]) -> None:
        known = set(self._outside.bot_comments(pull))
        self._outside.say(pull, command)
        self._step(
            name,
            expected,
            lambda: next(
                (
                    _first_words(said)
                    for said in self._outside.bot_comments(pull)
                    if _new(said, known, *words)
                ),
                None,
            ),
        )

    def _step(
        self,
        name: str,
        expected: str,
        observe: Callable[[], str | None],
        *,
        number: str | None = None,
    ) -> None:
        """Wait until `observe` says what it saw; note how long that took."""
        started = time.monotonic()
        with self._narration.doing(f"{name}: {expected}"):
            while (observed := observe()) is None:
                self._world.check_alive()
                if time.monotonic() - started > PATIENCE:
                    self._report.steps.append(Step(name, expected, "nothing of it", PATIENCE, ok=False))
                    raise NotObserved(f"not within {PATIENCE:.0f} s: {expected}")
                time.sleep(PAUSE_SECONDS)
        took = time.monotonic() - started
        self._narration.note(f"  {observed}")
        self._report.steps.append(Step(name, expected, observed, round(took, 3), ok=True))
        if number is not None:
            self._report.numbers[number] = round(took, 3)


def _if(holds: Any, say: Callable[[], str]) -> str | None:
    return say() if holds else None


def _new(said: str, known: set[str], *words: str) -> bool:
    return said not in known and all(word in said.lower() for word in words)


def _first_words(said: str) -> str:
    """The first line of a comment that tells something: not a hidden marker, not who asked what."""
    lines = (line.strip("#>*_ ") for line in said.splitlines())
    return next((line for line in lines if line and line[0] != "<" and " asked `/" not in line), "")[:160]
