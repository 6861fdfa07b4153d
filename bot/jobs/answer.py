"""Answers to what people said in pull requests: a comment edited in place, and a reaction."""

import logging

from bot.domain import effects
from bot.domain.promotion import Promotion
from bot.jobs.authority import allowed
from bot.jobs.events import COMMANDS
from bot.jobs.observe import Observation
from bot.jobs.store import RequestRow, Store
from bot.messages import replies, status
from bot.messages.escape import Markdown
from bot.ports import OutsideError, Refused

logger = logging.getLogger(__name__)


class Answerer:
    """Answers requests; each has one comment, whatever becomes of it later."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def answer(self, effect: effects.Answer, promotion: Promotion, seen: Observation) -> None:
        request = self._store.request(effect.request)
        if request is None:
            return
        said = self._told(effect.topic, promotion, seen, request.author) or replies.said(effect.text)
        self._write(request, said, seen)
        if request.comment > 0:
            try:
                seen.forge.react(request.comment, effect.reaction)
            except Refused as refused:
                logger.info("no reaction on comment %s: %s", request.comment, refused)

    def _write(self, request: RequestRow, said: Markdown, seen: Observation) -> None:
        command = COMMANDS.load(request.command)
        marker = replies.marker("answer", f"{request.comment}-{request.ordinal}")
        text = replies.answer(request.author, replies.asked(command), said)
        seen.forge.upsert_comment(request.pull, marker, f"{marker}\n{text}")

    def _told(
        self, topic: str | None, promotion: Promotion, seen: Observation, author: str
    ) -> Markdown | None:
        match topic:
            case "help":
                return replies.help_text(allowed(seen.forge, seen.situation.policy, author))
            case "status":
                situation = seen.situation
                return status.short(promotion, situation.gates, situation.holds, situation.quarantine)
            case "explain":
                return replies.explain(promotion, seen.situation.gates)
            case _:
                return None

    def follow_up(self, promotion: Promotion, seen: Observation, text: str) -> None:
        """Edit the answer to the `/promote` that armed it, now that something came of it."""
        armed = promotion.armed_request
        request = self._store.request(armed) if armed is not None else None
        if request is None:
            return
        try:
            self._write(request, replies.said(text), seen)
        except OutsideError as trouble:
            # The status comment says it too.
            logger.info("promotion %s: the answer stays as it was: %s", promotion.id, trouble)
