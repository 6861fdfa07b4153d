"""What the gates of a promotion are asked with, and their answers."""

import logging
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Generic, TypeVar

from bot.domain.comparison import Comparison, compare
from bot.domain.config import Environment
from bot.domain.evidence import VersionEvidence
from bot.domain.facts import Approval, EarlierEnvironment, Facts, History, Image, Override
from bot.domain.gate import GateResult
from bot.domain.gates import evaluate
from bot.domain.hold import Hold, Quarantine
from bot.domain.policy import Policy
from bot.domain.promotion import Promotion, Stage
from bot.domain.pull import Pull, Review, ReviewState
from bot.jobs.outside import Outside
from bot.ports import Attestations, Forge, OutsideError

logger = logging.getLogger(__name__)

_Key = TypeVar("_Key")
_Answer = TypeVar("_Answer")

_FRESH = 30.0
"""Seconds for which the same is not asked again: a pull request is looked at in bursts."""

_DAY = timedelta(days=1)
_WEEK = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class Place:
    """Where a promotion goes, as configured, and what stands in the way there."""

    environment: Environment
    policy: Policy
    calendars: Mapping[str, str]
    holds: tuple[Hold, ...]
    quarantine: Quarantine | None
    busy: str | None
    """The other promotion that has this environment in its hands."""


class _Kept(Generic[_Key, _Answer]):
    """Answers of the outside, for a short while."""

    def __init__(self) -> None:
        self._answers: dict[_Key, tuple[float, _Answer]] = {}

    def of(self, key: _Key, ask: Callable[[_Key], _Answer]) -> _Answer:
        """The answer that is fresh enough, else a new one; raises what asking raises."""
        moment = time.monotonic()
        self._answers = {at: kept for at, kept in self._answers.items() if moment - kept[0] < _FRESH}
        if key not in self._answers:
            self._answers[key] = (moment, ask(key))
        return self._answers[key][1]


class Judge:
    """Asks the gates."""

    def __init__(self, outside: Outside) -> None:
        self._outside = outside
        self._store = outside.store
        self._read: _Kept[tuple[str, str], VersionEvidence] = _Kept()
        self._attested: _Kept[str, Attestations | None] = _Kept()

    def comparison(self, promotion: Promotion, policy: Policy) -> Comparison:
        """The candidate beside its baseline. Raises OutsideError where the registry is away."""
        candidate = self._evidence(promotion.model, promotion.candidate)
        baseline = (
            self._evidence(promotion.model, promotion.baseline) if promotion.baseline is not None else None
        )
        return compare(candidate, baseline, policy.metrics.directions)

    def gates(
        self, promotion: Promotion, place: Place, forge: Forge, pull: Pull | None, now: datetime
    ) -> tuple[GateResult, ...]:
        """Every gate's answer. A registry that is away is a gate that does not hold, not an error."""
        try:
            comparison = self.comparison(promotion, place.policy)
        except OutsideError as trouble:
            reason = f"the evidence cannot be read: {trouble}"
            return (GateResult("evidence", holds=False, reason=reason, pending=True),)
        facts = Facts(
            model=promotion.model,
            environment=promotion.environment,
            comparison=comparison,
            now=now,
            repository=promotion.repository,
            pull=pull,
            head_sha=promotion.head_sha,
            holds=place.holds,
            quarantine=place.quarantine,
            calendars=place.calendars,
            override=_override(promotion),
            earlier=self.earlier(promotion, place.environment),
            image=self._image(promotion, place.policy),
            approvals=self._approvals(place.policy, forge, pull)
            if place.policy.approvals.count and pull
            else (),
            authors=frozenset({promotion.requested_by, promotion.armed_by or ""} - {""})
            if place.policy.approvals.exclude_author
            else frozenset(),
            history=self._history(promotion, now),
        )
        return (_free(place), *evaluate(place.policy, facts, self._outside.expressions))

    def _evidence(self, model: str, version: str) -> VersionEvidence:
        return self._read.of((model, version), lambda key: self._outside.registry.evidence(*key))

    def earlier(self, promotion: Promotion, environment: Environment) -> EarlierEnvironment | None:
        """What the environment before this one says of the version; None: this is the first."""
        if environment.after is None:
            return None
        there = self._store.of_version(
            promotion.repository, promotion.model, environment.after, promotion.candidate
        )
        passed = [each for each in there if each.stage is Stage.PASSED]
        if passed:
            since = passed[-1].stage_since
            left = self._left(passed[-1])
            if left is None:
                return EarlierEnvironment(environment.after, verified_at=since)
            return EarlierEnvironment(
                environment.after, verified_at=since, left_at=left.merged_at, left_for=left.candidate
            )
        reason = there[-1].reason if there else "it was never promoted there"
        return EarlierEnvironment(environment.after, reason=reason)

    def _left(self, passed: Promotion) -> Promotion | None:
        """The first that was merged in its place afterwards; one that was taken back again never came."""
        here = self._store.of_place(passed.repository, passed.model, passed.environment)
        later = [
            each
            for each in here
            if each.stage is not Stage.REVERTED
            and each.merged_at is not None
            and passed.merged_at is not None
            and each.merged_at > passed.merged_at
        ]
        return min(later, key=lambda each: each.merged_at or each.created_at, default=None)

    def _image(self, promotion: Promotion, policy: Policy) -> Image | None:
        """The image that the bump pins; what is attached to it where a gate asks for that."""
        if promotion.image is None:
            return None
        reference, _, digest = promotion.image.partition("@")
        pinned = Image(reference, digest or None, by_tag=not digest)
        if not policy.asks_for_attestations:
            return pinned
        try:
            found = self._attested.of(promotion.image, self._outside.images.attested)
        except OutsideError as trouble:
            logger.info("what is attached to %s is not known: %s", promotion.image, trouble)
            return pinned
        if found is None:
            return pinned
        return replace(pinned, digest=digest or found.digest, signed=found.signed, sbom=found.sbom)

    def _approvals(self, policy: Policy, forge: Forge, pull: Pull) -> tuple[Approval, ...]:
        latest: dict[str, Review] = {}
        for review in sorted(forge.reviews(pull.number), key=lambda review: review.submitted_at):
            if review.state is not ReviewState.COMMENTED:
                latest[review.author.lower()] = review
        return tuple(
            Approval(
                review.author,
                review.commit,
                forge.permission(review.author),
                frozenset(team for team in policy.approvals.teams if forge.in_team(team, review.author)),
            )
            for review in latest.values()
            if review.state is ReviewState.APPROVED
        )

    def _history(self, promotion: Promotion, now: datetime) -> History:
        verified: dict[str, datetime] = {}
        for each in self._store.of_model_version(promotion.repository, promotion.model, promotion.candidate):
            if each.stage is Stage.PASSED:
                verified[each.environment] = each.stage_since
        here = [
            each
            for each in self._store.of_place(promotion.repository, promotion.model, promotion.environment)
            if each.merged_at is not None
        ]
        merged = [each.merged_at for each in here if each.merged_at is not None]
        failed = [each.stage_since for each in here if each.revert_reason is not None]
        return History(
            verified=verified,
            last_promotion=max(merged, default=None),
            last_failure=max(failed, default=None),
            promotions_24h=sum(moment > now - _DAY for moment in merged),
            failures_7d=sum(moment > now - _WEEK for moment in failed),
        )


def _free(place: Place) -> GateResult:
    if place.busy is not None:
        return GateResult("environment", holds=False, reason=place.busy, pending=True)
    return GateResult("environment", holds=True, reason="no other promotion is under way here")


def _override(promotion: Promotion) -> Override | None:
    if promotion.override is None or promotion.armed_by is None:
        return None
    return Override(promotion.armed_by, promotion.override)
