"""Promises of progressive traffic that hold whatever happens, in whatever order."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from bot.domain import commands, effects
from bot.domain.config import Environment
from bot.domain.decide import absorb, decide
from bot.domain.hold import Hold
from bot.domain.live import Liveness, LiveState
from bot.domain.policy import Policy
from bot.domain.promotion import PinChange, Promotion, Stage
from bot.domain.pull import Pull, PullState
from bot.domain.situation import Request, Situation
from bot.domain.verdict import Outcome, Verdict

START = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
STEPS = (10, 50, 100)
ENVIRONMENT = Environment.model_validate(
    {
        "targets": [{"kserve": "a.yaml"}],
        "traffic": {"steps": STEPS, "weights": [{"kserve": "a.yaml", "field": "canaryTrafficPercent"}]},
        "slo": {"preset": "kserve", "baseline": 'version="{baseline}"', "errors": {"objective": "99%"}},
    }
)
WORDS = st.sampled_from(
    [None, None, None, commands.Rollback("no"), commands.PutOnHold(), commands.Retry(), commands.PassCanary()]
)
MOMENTS = st.tuples(
    st.sampled_from([None, *Outcome]),
    st.booleans(),  # somebody holds it
    st.sampled_from([LiveState.LIVE, LiveState.SYNCING]),
    WORDS,
    st.sampled_from(["merges", "refuses", "closed", "moved"]),
)


def merged(promotion: Promotion) -> Promotion:
    """At the first share, live."""
    return replace(
        promotion,
        stage=Stage.WATCHING,
        pull=7,
        head_sha="h",
        merge_sha="m",
        merged_at=START,
        live_at=START,
        steps=STEPS,
        weight=10,
        changes=(PinChange(0, "a.yaml", "v2", "v3"), PinChange(1, "a.yaml", "100", "10")),
    )


BEGUN = merged(Promotion("p", "r", "fraud", "production", "3", "2", Stage.OPEN, "ada", START, START))


@given(st.lists(MOMENTS, max_size=25))
def test_no_share_is_given_but_the_next_one_and_only_after_a_pass(moments):
    """Never two steps at once, never under a hold, never on anything but a pass or a person's word; and back
    only to 0. What was pinned before the bump is always remembered.
    """
    promotion, now, number = BEGUN, START, 100
    for outcome, on_hold, live, word, forge in moments:
        now += timedelta(seconds=15)
        step = promotion.open_step
        states = {"closed": PullState.CLOSED}
        pull = (
            Pull(
                step.pull,
                states.get(forge, PullState.OPEN),
                "t",
                "u",
                "b",
                "other" if forge == "moved" else step.head_sha,
                "main",
                "slipway[bot]",
                mergeable=True,
            )
            if step is not None
            else None
        )
        revert = (
            Pull(
                promotion.revert_pull,
                PullState.OPEN,
                "t",
                "u",
                "b",
                "back",
                "main",
                "slipway[bot]",
                mergeable=True,
            )
            if promotion.revert_pull is not None and promotion.stage is Stage.REVERTING
            else None
        )
        situation = Situation(
            environment=ENVIRONMENT,
            policy=Policy(name="p"),
            verdict=Verdict(outcome, "said", (), now, now, "d")
            if outcome is not None and promotion.stage is Stage.WATCHING
            else None,
            holds=(Hold("r", "fraud", "production", "ada", "wait", now),) if on_hold else (),
            liveness=Liveness(live, "so"),
            requests=(Request(1, "ada", word),) if word is not None else (),
            step=pull,
            revert=revert,
        )
        before, decision = promotion, decide(promotion, situation, now)
        promotion = decision.promotion
        for effect in decision.effects:
            match effect:
                case effects.MergePull(weight=int() as weight):
                    stopped = on_hold or isinstance(word, commands.PutOnHold)
                    assert weight == 0 or not stopped
                    # A person's word in a hold goes on at once, with the step that was open already.
                    said = isinstance(word, commands.PassCanary)
                    forward = before.next_weight == weight and (before.stage is Stage.WATCHING or said)
                    judged = outcome is Outcome.PASSED or before.vouched_by is not None or said
                    assert weight == 0 or (forward and judged)
                    refused = effects.MergeRefused("protected", weight=weight)
                    done = effects.Merged(f"m{weight}", weight=weight)
                    promotion = absorb(promotion, refused if forge == "refuses" else done, now)
                case effects.OpenStep(weight=weight):
                    number += 1
                    opened = Pull(number, PullState.OPEN, "t", "u", "b", f"s{number}", "main", "slipway[bot]")
                    change = PinChange(1, "a.yaml", str(promotion.weight), str(weight))
                    promotion = absorb(promotion, effects.StepOpened(opened, weight, (change,)), now)
                case effects.OpenRevert():
                    opened = Pull(900, PullState.OPEN, "t", "u", "b", "back", "main", "slipway[bot]")
                    promotion = absorb(promotion, effects.RevertOpened(opened), now)
                case effects.MergePull(revert=True):
                    promotion = absorb(promotion, effects.Merged("r", revert=True), now)
                case _:
                    pass
        assert [change.old for change in promotion.changes] == ["v2", "100"]
        assert promotion.weight in (None, 0, *STEPS)
        if promotion.stage is Stage.PASSED and before.stage is not Stage.PASSED:
            assert before.weight == 100
