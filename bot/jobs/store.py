"""What the jobs need remembered, in their own words; `bot.adapters.database` remembers it in PostgreSQL."""

from collections.abc import Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Protocol

from bot.domain.build import BuildOrder, ImageBuild
from bot.domain.drift import Drift
from bot.domain.hold import Hold, Quarantine
from bot.domain.notification import Happening
from bot.domain.promotion import Promotion, Stage
from bot.domain.retrain import Retraining
from bot.domain.verdict import Verdict
from bot.ports import Installed
from bot.webhooks.alertmanager import Alert


@dataclass(frozen=True, slots=True)
class Repository:
    """A repository the App is installed in, with the last good configuration of its default branch.

    `files` maps the path of `slipway.yaml` and of each policy to its text, as last read without a
    mistake at `commit`; empty where the repository has no `slipway.yaml`.
    """

    name: str
    installation: int
    files: Mapping[str, str] = field(default_factory=dict)
    commit: str | None = None
    heard_at: datetime | None = None
    """Up to when its comments were last listed."""


@dataclass(frozen=True, slots=True)
class Delivery:
    """A verified webhook delivery; `event` is what `bot.webhooks` made of it."""

    source: str
    id: str
    event: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class RequestRow:
    """A command as it was given.

    `comment` is the id of the comment, negative where it is that of a review, or a number of our own where
    a button was pressed; with `ordinal` it tells commands apart.
    """

    repository: str
    pull: int
    author: str
    command: Mapping[str, Any]
    comment: int
    ordinal: int
    id: int = 0
    promotion: str | None = None
    """Whose bump or revert the pull request showed when it was said; None: whose it is now."""


@dataclass(frozen=True, slots=True)
class Transition:
    """One line of the audit: what became of a promotion, by whom and why."""

    promotion: str
    at: datetime
    stage_from: str
    stage_to: str
    actor: str
    reason: str


@dataclass(frozen=True, slots=True)
class NoticeRow:
    """What one target is to be told of one transition; `tries` counts this one."""

    id: int
    target: str
    happenings: tuple[Happening, ...]
    transition: Transition
    tries: int


@dataclass(frozen=True, slots=True)
class Watched:
    """A canary's stored state, as `bot.analysis` wants it back."""

    state: Mapping[str, Any]
    windows: Sequence[Mapping[str, Any]] = ()
    """New windows since the last save."""
    again: bool = False
    """The watch began anew: the windows that were stored before are dropped."""


@dataclass(frozen=True, slots=True)
class JudgedWatch:
    """A verdict on one share of the traffic, and what replays it."""

    verdict: Verdict
    state: Mapping[str, Any]
    windows: Sequence[Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class Loaded:
    """A promotion with what guards its next save."""

    promotion: Promotion
    wakes: int
    wake_at: datetime | None


class Store(Protocol):
    """Every write is one transaction."""

    # Deliveries.
    def accept(self, delivery: Delivery) -> bool:
        """Remember a delivery and wake its job; False when its id was seen before."""

    def delivery(self, source: str, delivery_id: str) -> Delivery | None:
        """The delivery while nobody has finished it."""

    def finish(self, source: str, delivery_id: str) -> None: ...
    def recover(self, lease: timedelta) -> None:
        """Let everything that a killed process may have held be found at once, not when its lease ends."""

    def reclaim_deliveries(self, lease: timedelta) -> int:
        """Wake the job of each delivery that nobody finished within `lease`, at most 20 times each."""

    # Repositories.
    def repositories(self) -> Sequence[Repository]: ...
    def repository(self, name: str) -> Repository | None: ...
    def set_repositories(self, installed: Iterable[Installed]) -> None:
        """Make the known repositories exactly these, told apart by their ids.

        One that has another name takes all that belongs to it along; one that is back finds its own again.
        The promotions of both are looked at now.
        """

    def set_heard(self, name: str, at: datetime) -> None: ...
    def set_configuration(self, name: str, files: Mapping[str, str], commit: str) -> None: ...

    # Promotions.
    def load(self, promotion: str) -> Loaded | None: ...
    def of_pull(self, repository: str, pull: int, at: datetime | None = None) -> Promotion | None:
        """The promotion whose bump or revert this pull request is, or was at that time: a newer candidate
        may go on in an older one's. Or the one that waits in this issue.
        """

    def of_commit(self, repository: str, sha: str) -> Sequence[Promotion]:
        """The promotions whose bump, revert or merge this commit is, oldest first."""

    def under_way(self, repository: str, model: str, environment: str) -> Sequence[Promotion]:
        """All promotions there that are not closed or reverted, oldest first."""

    def of_version(self, repository: str, model: str, environment: str, version: str) -> Sequence[Promotion]:
        """All promotions of the version there, oldest first."""

    def of_place(self, repository: str, model: str, environment: str) -> Sequence[Promotion]:
        """All promotions there, oldest first, at most the newest 100."""

    def of_model_version(self, repository: str, model: str, version: str) -> Sequence[Promotion]:
        """All promotions of the version, wherever, oldest first."""

    def recent(self, limit: int) -> Sequence[Promotion]: ...
    def of_stages(self, stages: Iterable[Stage]) -> Sequence[Promotion]:
        """All promotions in one of these stages, wherever, oldest first."""

    def open_pulls(self, repository: str) -> Mapping[int, str]:
        """Pull request number → promotion id, of every promotion that waits for a pull request."""

    def create(self, promotion: Promotion) -> bool:
        """Begin a promotion and wake it; False when this version is under way there already."""

    def save(
        self,
        before: Loaded,
        after: Promotion,
        *,
        wake_at: datetime | None,
        answered: Sequence[int] = (),
        actor: str = "slipway",
        watched: Watched | None = None,
    ) -> bool:
        """Save where the revision is unchanged; False when somebody else saved first.

        A wake that arrived since `before` was loaded wins over `wake_at`.
        """

    def wake(self, promotions: Iterable[str]) -> None:
        """Have each looked at now."""

    def wake_place(self, repository: str, model: str | None, environment: str | None) -> None:
        """Wake all promotions of a place that are under way, not passed ones; None means all."""

    def come_back(self, promotion: str, wait: timedelta) -> None:
        """Have it looked at after `wait`, or earlier where it is due earlier."""

    def claim_due(self, lease: timedelta, limit: int) -> int:
        """Wake what is due, pushing its wake-up by `lease` so that a lost job is found again."""

    def exclusive(self, key: str) -> AbstractContextManager[bool]:
        """Hold the lock of this key while the block runs; False when another process has it."""

    def transitions(self, promotion: str) -> Sequence[Transition]: ...

    # Requests.
    def add_requests(self, rows: Sequence[RequestRow]) -> int:
        """Remember commands, once each; returns how many were new."""

    def pending_requests(self, repository: str, pulls: Sequence[int], promotion: str) -> Sequence[RequestRow]:
        """What was said in these pull requests to this promotion, and is not answered."""

    def request(self, request: int) -> RequestRow | None: ...

    # Holds and quarantine.
    def holds(self, repository: str, model: str, environment: str) -> Sequence[Hold]:
        """The holds that stop automation there, those for everything first."""

    def place_hold(self, hold: Hold) -> None: ...
    def release_hold(
        self, repository: str, model: str | None, environment: str | None, by: str, at: datetime
    ) -> None: ...
    def quarantine(
        self, repository: str, model: str, environment: str, version: str
    ) -> Quarantine | None: ...
    def place_quarantine(self, quarantine: Quarantine) -> None: ...
    def lift_quarantine(
        self,
        repository: str,
        model: str,
        environment: str,
        version: str,
        *,
        by: str,
        reason: str,
        at: datetime,
    ) -> None: ...

    # Images that Slipway builds.
    def order_build(self, order: BuildOrder) -> None:
        """Have an image built now, unless it is being built."""

    def image_build(self, image: str) -> ImageBuild | None: ...
    def save_build(self, build: ImageBuild) -> None:
        """Save how far a build is. One that is done or failed wakes the promotions that wait for it."""

    def claim_builds(self, lease: timedelta, limit: int) -> int:
        """Wake the job of each build that is due or whose worker is silent, pushing it by `lease`."""

    # The registry as last seen.
    def wanted(self, repository: str, model: str) -> str | None:
        """The version that the registry last named for promotion."""

    def set_wanted(self, repository: str, model: str, version: str) -> None: ...
    def set_drifts(self, repository: str, found: Sequence[Drift]) -> None:
        """Where the registry and Git disagree now, instead of what was known before."""

    # News.
    def news(self, limit: int) -> Sequence[tuple[int, Transition]]:
        """Transitions that nobody has looked at yet, with their numbers, oldest first."""

    def note(self, transition: int, targets: Mapping[str, Sequence[str]]) -> None:
        """It was looked at, and each of these targets is to be told of these happenings, once."""

    def claim_notices(self, now: datetime, lease: timedelta, limit: int) -> Sequence[NoticeRow]:
        """What is due, pushed by `lease` so that it is found again where nobody settles it."""

    def told(self, notice: int, at: datetime) -> None: ...
    def try_again(self, notice: int, at: datetime, trouble: str) -> None: ...
    def give_up(self, notice: int, at: datetime, trouble: str) -> None: ...

    # Alerts.
    def keep_alerts(self, alerts: Sequence[Alert]) -> None:
        """Remember what each alert is now; what came late does not undo what is newer, and a resolved
        alert stays so until it starts again.
        """

    def firing(self, since: datetime) -> Sequence[Alert]:
        """The alerts that began to fire then or later and fire still, oldest first."""

    # Retraining.
    def asked_since(self, repository: str, model: str, environment: str, since: datetime) -> bool:
        """Whether a new version was asked for there after this moment."""

    def ask_retraining(self, wanted: Retraining, not_since: datetime) -> bool:
        """Remember that a new version is wanted, in the audit too; False when one was asked for there
        after `not_since`.
        """

    def retrainings(self, limit: int) -> Sequence[Retraining]:
        """What was asked for, newest first."""

    def untold_retrainings(self) -> Sequence[Retraining]:
        """What was asked for and nobody has tried to tell, oldest first."""

    def try_retraining(self, retraining: int, at: datetime) -> bool:
        """Take it on; False when another has. Who dies now leaves it: it may have arrived."""

    def failed_retraining(self, retraining: int, trouble: str) -> None:
        """It did not arrive, and may be tried again."""

    def told_retraining(self, retraining: int, at: datetime, trouble: str | None) -> None:
        """It arrived, or nothing is to be told any more (`trouble` says why)."""

    # Canaries.
    def watched(self, promotion: str) -> Mapping[str, Any] | None: ...
    def windows(self, promotion: str) -> Sequence[Mapping[str, Any]]: ...
    def forget_watch(self, promotion: str, verdict: Verdict | None) -> None:
        """Drop watch and windows; beside the verdict that they gave they are kept as judged."""

    def judged_watches(self, promotion: str) -> Sequence[JudgedWatch]:
        """Those before the one under way, oldest first."""
        ...
