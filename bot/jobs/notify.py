"""Tells what happened to whoever asked to be told: at least once, later where it must be, never in the way.

A transition's row is written with the promotion's own; here it becomes one row for each target that wants
it, and each row is tried until it is told or given up. A process killed in between leaves rows behind.
"""

import asyncio
import logging
from datetime import datetime, timedelta

from bot.domain.notification import Notice, happenings
from bot.jobs.configuration import Configurations
from bot.jobs.outside import Outside
from bot.jobs.store import NoticeRow, Transition
from bot.ports import OutsideError, Refused, Unavailable

logger = logging.getLogger(__name__)

LEASE = timedelta(seconds=60)
"""After which a notice whose process was killed is tried again."""
BATCH = 50
TRIES = 12
"""Tries before a notice is given up: about a day and a half with the waits between."""
_LONGEST_WAIT = timedelta(hours=6)


class Notifications:
    """Tells news to the targets of a repository's configuration."""

    def __init__(self, outside: Outside, configurations: Configurations) -> None:
        self._outside = outside
        self._store = outside.store
        self._configurations = configurations

    def run(self) -> None:
        """Look for news, and try what is due."""
        for number, transition in self._store.news(BATCH):
            self._store.note(number, self._wanted_by(transition))
        for row in self._store.claim_notices(self._outside.clock.now(), LEASE, BATCH):
            self._tell(row)

    def _wanted_by(self, transition: Transition) -> dict[str, tuple[str, ...]]:
        """Target → which of the happenings it wants to hear of; only targets that have an address."""
        loaded = self._store.load(transition.promotion)
        repository = self._store.repository(loaded.promotion.repository) if loaded is not None else None
        configured = self._configurations.of(repository) if repository is not None else None
        if loaded is None or configured is None or self._outside.notifier is None:
            return {}
        promotion = loaded.promotion
        model = configured.config.promoted.get(promotion.model)
        environment = model.environments.get(promotion.environment) if model is not None else None
        count = configured.policy(environment).approvals.count if environment is not None else 0
        found = happenings(transition.stage_from, transition.stage_to, approvals=count)
        wanted: dict[str, tuple[str, ...]] = {}
        for target, asked in configured.config.notifications.items():
            heard = tuple(str(each) for each in found if each in asked)
            if heard and target in self._outside.notifier.targets:
                wanted[target] = heard
            elif heard:
                logger.warning("%s wants to be told, but has no address in the settings", target)
        return wanted

    def _tell(self, row: NoticeRow) -> None:
        loaded = self._store.load(row.transition.promotion)
        assert loaded is not None, "transitions keep their promotion"
        assert self._outside.notifier is not None, "rows are made for targets only"
        promotion, transition = loaded.promotion, row.transition
        url = self._outside.repository_url(promotion.repository)
        notice = Notice(
            id=f"{promotion.id}-{row.id}",
            happenings=row.happenings,
            at=transition.at,
            repository=promotion.repository,
            model=promotion.model,
            version=promotion.candidate,
            baseline=promotion.baseline,
            environment=promotion.environment,
            actor=transition.actor,
            reason=transition.reason,
            pull=promotion.pull,
            url=f"{url}/pull/{promotion.pull}" if promotion.pull is not None else None,
        )
        try:
            self._outside.notifier.send(row.target, notice)
        except OutsideError as trouble:
            self._again(row, trouble)
            return
        self._store.told(row.id, self._outside.clock.now())

    def _again(self, row: NoticeRow, trouble: OutsideError) -> None:
        now = self._outside.clock.now()
        if isinstance(trouble, Refused) or row.tries >= TRIES:
            logger.error("the notice %s to %s is given up: %s", row.id, row.target, trouble)
            self._store.give_up(row.id, now, str(trouble))
            return
        logger.info("the notice %s to %s is tried again: %s", row.id, row.target, trouble)
        self._store.try_again(row.id, _next(now, row.tries, trouble), str(trouble))


def _next(now: datetime, tries: int, trouble: OutsideError) -> datetime:
    wait = min(timedelta(seconds=10 * 4 ** (tries - 1)), _LONGEST_WAIT)
    asked = trouble.retry_after if isinstance(trouble, Unavailable) else None
    return now + max(wait, timedelta(seconds=min(asked or 0, _LONGEST_WAIT.total_seconds())))


async def notify_forever(notifications: Notifications, every: float = 1.0) -> None:
    """Tell until cancelled; a database that is away is waited for."""
    while True:
        try:
            await asyncio.to_thread(notifications.run)
        except Exception:
            logger.warning("news could not be told; it is tried again", exc_info=True)
        await asyncio.sleep(every)
