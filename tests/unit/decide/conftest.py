"""Plain values for decisions: no mocks, no I/O."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from bot.domain.config import Environment
from bot.domain.gates import GateResult
from bot.domain.policy import Policy
from bot.domain.promotion import PinChange, Promotion, Stage
from bot.domain.pull import Pull, PullState
from bot.domain.situation import BumpPlan, Request, Situation
from bot.domain.verdict import Outcome, Verdict

NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)


class Given:
    """Makes the values that a decision is made from, each with what matters to the test."""

    now = NOW

    def promotion(self, stage: Stage = Stage.OPEN, **changes) -> Promotion:
        made = Promotion(
            id="p1",
            repository="acme/models",
            model="fraud",
            environment="production",
            candidate="3",
            baseline="2",
            stage=stage,
            requested_by="alias candidate",
            created_at=NOW - timedelta(minutes=5),
            stage_since=NOW - timedelta(minutes=1),
            changes=(PinChange(0, "a.yaml", "v2", "v3"),),
        )
        if stage is not Stage.WAITING:
            made = replace(made, pull=7, head_sha="ours")
        if stage in (
            Stage.SYNCING,
            Stage.WATCHING,
            Stage.PASSED,
            Stage.HELD,
            Stage.REVERTING,
            Stage.REVERTED,
        ):
            made = replace(made, merge_sha="merged", merged_at=NOW - timedelta(minutes=1))
        if stage in (Stage.REVERTING, Stage.REVERTED):
            made = replace(made, revert_reason="slow", reverted_by="slipway")
        return replace(made, **changes)

    def environment(self, **changes) -> Environment:
        keys = {
            "targets": [{"file": "a.yaml", "pointer": "/tag"}],
            "alias": "champion",
            "slo": {"preset": "fastapi", "errors": {"objective": "99%"}},
        }
        return Environment.model_validate({**keys, **changes})

    def situation(self, **changes) -> Situation:
        return replace(Situation(environment=self.environment(), policy=Policy(name="p")), **changes)

    def pull(self, state: PullState = PullState.OPEN, **changes) -> Pull:
        made = Pull(7, state, "t", "u", "slipway/p1/bump", "ours", "main", "slipway[bot]", mergeable=True)
        return replace(made, **changes)

    def plan(self) -> BumpPlan:
        return BumpPlan("base", {"a.yaml": b"tag: v3\n"}, (PinChange(0, "a.yaml", "v2", "v3"),), "2")

    def request(self, command, **changes) -> Request:
        return replace(Request(1, "ada", command), **changes)

    def gate(self, *, holds: bool, name: str = "evidence", **changes) -> GateResult:
        return GateResult(name, holds, "because", **changes)

    def verdict(self, outcome: Outcome) -> Verdict:
        return Verdict(outcome, f"It {outcome.value}.", (), NOW, NOW, "digest")


@pytest.fixture
def given() -> Given:
    return Given()
