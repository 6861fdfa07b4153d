"""Every message as a reader sees it: one golden file each, to be read in review like the messages themselves."""

import re
from dataclasses import dataclass, replace
from datetime import timedelta

import pytest

from bot.domain import commands
from bot.domain.authorization import DEFAULT_RULES, Action
from bot.domain.checks import CheckResult, CheckState
from bot.domain.comparison import compare
from bot.domain.drift import Drift
from bot.domain.evidence import Column, Metric, Signature, VersionEvidence
from bot.domain.facts import Approval, EarlierEnvironment
from bot.domain.gate import Enforce, GateResult
from bot.domain.gates import evaluate
from bot.domain.hold import Hold, Quarantine
from bot.domain.mistake import Mistake
from bot.domain.policies import resolve
from bot.domain.promotion import UNMERGED, AliasDue, PinChange, Stage, TrafficStep
from bot.domain.pull import Permission
from bot.domain.retrain import Retraining
from bot.domain.verdict import Outcome
from bot.messages import bump, canary, check, issue, layout, replies, revert, status, step
from tests.fakes import samples
from tests.fakes.samples import NOW

HOSTILE = "](https://evil.example) @octocat <img src=x> | `code` \u202e **bold** #1\n# heading"
HOLD = Hold("example/gitops", "fraud-detector", "production", "maria", "a sale is on", NOW)


@dataclass(frozen=True)
class Watching:
    elapsed: float = 125.0
    left: float = 775.0
    extended: bool = False
    waiting: str | None = None
    slos: tuple = samples.verdict(Outcome.PASSED).slos
    notes: tuple = ()


@pytest.fixture(scope="session")
def shipped():
    return resolve({}, samples.shipped_policies())


@pytest.fixture(scope="session")
def strict_gates(shipped):
    return evaluate(shipped.get("strict"), samples.facts())


def worse():
    """A candidate with everything wrong that evidence can show."""
    return samples.evidence(
        "3",
        metrics=(
            Metric("auc", 0.88, "holdout", "d41d8cd9"),
            Metric("log_loss", float("nan"), "holdout", "d41d8cd9"),
            Metric("recall", 0.71, "holdout-2", "ffff"),
        ),
        signature=Signature(
            (Column("amount", "string"), Column("device", "string")), (Column("fraud", "double"),)
        ),
        git_commit=None,
        licence=None,
        size_bytes=None,
        description="",
        unreadable=("the training run was deleted from the registry",),
    )


def hostile():
    """A version whose author tries to speak through the bot."""
    return samples.evidence(
        "3",
        model=f"fraud{HOSTILE}",
        creator=HOSTILE,
        description=HOSTILE * 5,
        tags={HOSTILE: HOSTILE},
        metrics=(Metric(HOSTILE, 0.5, HOSTILE, HOSTILE),),
        parameters={HOSTILE: HOSTILE},
        signature=Signature((Column(HOSTILE, HOSTILE),), ()),
        git_branch=HOSTILE,
        git_repository=f"https://evil.example/{HOSTILE}",
        url=f"https://evil.example/{HOSTILE}",
        flavors=(HOSTILE,),
        libraries={HOSTILE: HOSTILE},
        licence=HOSTILE,
    )


def prompt(version, text):
    """A version of a prompt: text and variables, and nothing else."""
    return VersionEvidence(
        "greeting",
        version,
        "https://mlflow.example.test/#/prompts/greeting",
        created_at=NOW,
        description="shorter",
        signature=Signature((Column("name", "text"),), ()),
        prompt=text,
    )


BODIES = {
    "prompt": lambda: compare(
        prompt("2", "You are kind.\nAnswer {{name}} in two sentences.\n```\n@octocat </details>\n```"),
        prompt("1", "You are kind.\nAnswer {{name}} at length."),
    ),
    "prompt-first": lambda: compare(prompt("1", "You are kind.\nAnswer {{name}} at length."), None),
    "better": lambda: compare(samples.evidence("3"), samples.evidence("2")),
    "worse": lambda: compare(
        worse(),
        samples.evidence(
            "2", metrics=(*samples.evidence("2").metrics, Metric("recall", 0.7, "holdout", "d41d8cd9"))
        ),
    ),
    "application": lambda: compare(
        samples.evidence(
            "3", prompts=("greeting/3", "safety/1"), tools={"search": "1.5"}, flavors=("langchain",)
        ),
        samples.evidence("2", prompts=("greeting/2", "safety/1"), tools={"search": "1.4", "weather": "2"}),
    ),
    "nothing-recorded": lambda: compare(
        VersionEvidence("fraud-detector", "3", "https://mlflow.example.test/v/3"), samples.evidence("2")
    ),
    "first": lambda: compare(samples.evidence("1"), None),
    "hostile": lambda: compare(hostile(), samples.evidence("2")),
}


@pytest.mark.parametrize("case", BODIES)
def test_bump(case, golden, shipped):
    """The pull request that promotes a version, its title and its commit message."""
    comparison = BODIES[case]()
    gates = evaluate(shipped.get("baseline"), samples.facts(comparison=comparison))
    promotion = samples.promotion(
        model=comparison.candidate.model,
        candidate=comparison.candidate.version,
        baseline=comparison.baseline and comparison.baseline.version,
        requested_by=HOSTILE if case == "hostile" else "alias candidate",
    )
    pull = bump.render(promotion, comparison, promotion.changes, gates)

    golden(f"bump-{case}.md", f"{pull.title}\n\n{pull.commit_message}\n\n---\n\n{pull.body}")


WAITS = "Gates that do not hold: approvals."
CHECKS = (
    CheckResult(
        "alive", CheckState.PASSED, "it answered as expected", NOW, NOW, "GET http://f/healthz", "200\nok"
    ),
    CheckResult(
        "parity",
        CheckState.FAILED,
        "/1 is 0.31 instead of 0.75",
        NOW,
        NOW,
        'POST http://f/predict\n{"inputs": [[1.0], [2.0]]}',
        f'200\n{{"predictions": [0.25, 0.31]}}\n```\n{HOSTILE}',
    ),
    CheckResult(
        "integration",
        CheckState.PENDING,
        "integration.yml runs",
        NOW,
        NOW,
        "integration.yml with model=fraud-detector",
        url="https://github.example.test/example/gitops/actions/runs/7",
    ),
    CheckResult(HOSTILE, CheckState.UNASKED, HOSTILE, NOW, NOW),
)
STATUSES = {
    "open-strict": (samples.promotion(reason=WAITS), {"gates": "strict"}),
    "armed": (
        samples.promotion(
            armed_by="maria", reason="Armed by maria; merges as soon as these gates hold: `approvals`."
        ),
        {"gates": "strict"},
    ),
    "held-by-person": (samples.promotion(reason=WAITS), {"gates": "strict", "holds": (HOLD,)}),
    "waiting": (
        samples.promotion(stage=Stage.WAITING, pull=None, reason="The image is not in the registry yet."),
        {},
    ),
    "syncing": (samples.promotion(stage=Stage.SYNCING, armed_by="maria", reason="Argo CD is syncing."), {}),
    "watching": (samples.promotion(stage=Stage.WATCHING, reason="Healthy so far."), {"progress": Watching()}),
    "watching-extended": (
        samples.promotion(stage=Stage.WATCHING, reason="Too few requests."),
        {
            "progress": Watching(
                extended=True, waiting="no request has come yet", notes=("one scrape is missing",)
            )
        },
    ),
    "passed": (
        samples.promotion(
            stage=Stage.PASSED,
            verdict=samples.verdict(Outcome.PASSED),
            reason="The canary passed.",
            due=(AliasDue("champion", "3"),),
        ),
        {},
    ),
    "inconclusive": (
        samples.promotion(
            stage=Stage.HELD,
            verdict=samples.verdict(Outcome.INCONCLUSIVE),
            reason="Too few requests to tell.",
        ),
        {},
    ),
    "reverting": (
        samples.promotion(
            stage=Stage.REVERTING,
            verdict=samples.verdict(),
            revert_pull=13,
            reason="12.4% of requests failed.",
        ),
        {},
    ),
    "reverted": (
        samples.promotion(
            stage=Stage.REVERTED, verdict=samples.verdict(), revert_pull=13, reason="Version 2 runs again."
        ),
        {
            "holds": (HOLD,),
            "quarantine": Quarantine(
                "example/gitops", "fraud-detector", "production", "3", "12.4% of requests failed", NOW, 12
            ),
        },
    ),
    "stepping": (
        samples.promotion(
            stage=Stage.WATCHING,
            reason="Passed at 10%; merging 50%.",
            steps=(10, 50, 100),
            weight=10,
            step=TrafficStep(50, 14, "7" * 40),
        ),
        {"progress": Watching()},
    ),
    "back-to-zero": (
        samples.promotion(
            stage=Stage.REVERTING,
            reason="The candidate's share is 0; the revert is merged as soon as that is live.",
            steps=(10, 50, 100),
            weight=0,
            step=TrafficStep(0, 15, "8" * 40, merge_sha="9" * 40),
            revert_pull=16,
        ),
        {},
    ),
    "checked": (
        samples.promotion(stage=Stage.WATCHING, reason="Not settled yet: integration.", checks=CHECKS),
        {"progress": Watching()},
    ),
    "closed": (samples.promotion(stage=Stage.CLOSED, reason="Version 4 is proposed now."), {}),
    "hostile": (
        samples.promotion(reason=HOSTILE, requested_by=HOSTILE, armed_by=HOSTILE, override=HOSTILE),
        {"holds": (replace(HOLD, owner=HOSTILE, reason=HOSTILE),)},
    ),
}


@pytest.mark.parametrize("case", STATUSES)
def test_status(case, golden, strict_gates):
    """The one comment that is edited in place, at each stage."""
    promotion, shown = STATUSES[case]
    if shown.get("gates") == "strict":
        shown = {**shown, "gates": strict_gates}

    golden(f"status-{case}.md", status.comment(promotion, **shown))


def test_the_status_comment_is_found_by_its_marker():
    """Every status comment begins with the marker that finds it again."""
    for promotion, _ in STATUSES.values():
        assert status.comment(promotion).startswith(status.MARKER)


def _few():
    """An SLO with hardly any requests."""
    return replace(
        samples.verdict(Outcome.INCONCLUSIVE).slos[0],
        reason="errors: only 12 requests, fewer than the 50 that the policy asks for.",
        total=12,
        bad=1,
        ratio=1 / 12,
        interval=(0.002, 0.38),
        evidence=((0.0, 1.0), (3600.0, 1.9)),
    )


def _missing():
    """An SLO without series."""
    return replace(
        samples.verdict().slos[1],
        outcome=Outcome.NO_DATA,
        reason="latency: no such series.",
        total=0,
        bad=0,
        ratio=None,
        interval=None,
        evidence=(),
        baseline_ratio=None,
    )


VERDICTS = {
    "failed": samples.verdict(),
    "passed": samples.verdict(Outcome.PASSED),
    "warned": replace(
        samples.verdict(Outcome.PASSED),
        slos=(
            *samples.verdict(Outcome.PASSED).slos,
            samples.drift(warns=True, value="0.41"),
            replace(samples.drift(), slo="abstained"),
            replace(samples.drift(decides=True), slo="cost"),
        ),
    ),
    "failed-by-a-gauge": replace(
        samples.verdict(),
        reason="Drift was 0.41, beyond its limit (not above 0.3 for 5 minutes).",
        slos=(
            *samples.verdict(Outcome.PASSED).slos,
            replace(samples.drift(warns=True, value="0.41"), decides=True, warns=False),
        ),
    ),
    "inconclusive": replace(
        samples.verdict(Outcome.INCONCLUSIVE),
        reason="Errors: only 12 requests, fewer than the 50 that the policy asks for.",
        slos=(_few(),),
        decided_at=NOW + timedelta(hours=1),
    ),
    "no-data": replace(
        samples.verdict(Outcome.NO_DATA),
        reason="Latency: no such series.",
        slos=(samples.verdict(Outcome.PASSED).slos[0], _missing()),
        notes=("latency: 2 is above the largest bucket bound, 0.5: slow requests cannot be told",),
    ),
    "source-down": replace(
        samples.verdict(Outcome.SOURCE_DOWN),
        reason="The metrics server has been away for 60 minutes: no answer in time",
        slos=(_few(),),
        notes=("the metrics server gave no answer: no answer in time",),
        decided_at=NOW + timedelta(hours=1),
    ),
}


@pytest.mark.parametrize("case", VERDICTS)
def test_verdict(case, golden):
    """What a canary concluded can be read in ten seconds: the outcome and the reason first, then the numbers."""
    golden(f"verdict-{case}.md", canary.verdict(VERDICTS[case], "7c1f0a2b9d3e"))


@pytest.mark.parametrize("case", VERDICTS)
def test_a_chart_is_what_mermaid_reads(case):
    """Quoted titles, ranges that rise, as many points in each line, and nothing else."""
    drawn = re.findall(r"```mermaid\n(.*?)\n```", canary.verdict(VERDICTS[case], "p1"), re.DOTALL)

    for drawing in drawn:
        head, title, across, up, *drawn_lines = drawing.splitlines()
        assert head == "xychart-beta"
        assert re.fullmatch(r'  title "[^"]+"', title)
        for axis, name in ((across, "x-axis"), (up, "y-axis")):
            low, high = re.fullmatch(rf'  {name} "[^"]+" ([\d.]+) --> ([\d.]+)', axis).groups()
            assert float(low) < float(high)
        points = [re.fullmatch(r"  line \[([\d., ]+)\]", line)[1].split(", ") for line in drawn_lines]
        assert len(points) == 2
        assert len(points[0]) == len(points[1]) > 1
    assert len(drawn) == 1


@pytest.mark.parametrize("case", ["failed", "by-hand"])
def test_revert(case, golden):
    """The pull request that restores the baseline."""
    reverting = samples.promotion(stage=Stage.REVERTING, merge_sha="6" * 40)
    if case == "failed":
        told = replace(reverting, verdict=samples.verdict(), revert_reason=samples.verdict().reason)
    else:
        told = replace(
            reverting, reverted_by="maria", revert_reason="customers complain about declined cards"
        )
    pull = revert.render(told, quarantined=case == "failed")

    golden(f"revert-{case}.md", f"{pull.title}\n\n{pull.commit_message}\n\n---\n\n{pull.body}")


@pytest.mark.parametrize("weight", [50, 0])
def test_step(weight, golden):
    """The pull request that gives the candidate another share, or takes all of it away."""
    watched = samples.promotion(
        stage=Stage.WATCHING if weight else Stage.REVERTING,
        reason="Passed at 10%; opening the step to 50%.",
        revert_reason=None if weight else samples.verdict().reason,
        steps=(10, 50, 100),
        weight=10,
        verdict=samples.verdict(Outcome.PASSED if weight else Outcome.FAILED),
    )
    change = PinChange(1, "models/fraud-detector/service.yaml", "10", str(weight))
    texts = (step.title(watched, weight), step.commit_message(watched, weight))

    golden(f"step-{weight}.md", "\n\n---\n\n".join((*texts, step.body(watched, weight, (change,)))))


def test_retraining(golden):
    """A new version was asked for, with the evidence."""
    evidence = {"query": 'feature_drift{version="3"}', "value": "0.41", "limit": "above 0.3 for 6h"}
    wanted = Retraining(
        "example/gitops",
        "fraud-detector",
        "production",
        "3",
        "7c1f",
        "drift",
        "drift of version 3 has been above 0.3 for 6h: 0.41 now.",
        evidence,
        NOW,
    )

    golden("reply-retraining.md", replies.retraining(wanted))


REPLIES = {
    "help-reader": lambda _: replies.help_text({Action.HELP, Action.STATUS, Action.EXPLAIN}),
    "help-writer": lambda _: replies.help_text(
        {action for action, rule in DEFAULT_RULES.items() if rule.permission <= Permission.WRITE}
    ),
    "help-maintainer": lambda _: replies.help_text(set(Action)),
    "explain": lambda gates: replies.explain(samples.promotion(verdict=samples.verdict()), gates),
    "status": lambda gates: status.short(samples.promotion(), gates),
    "answer": lambda _: replies.answer(
        "maria", "/hold a sale is on", replies.said("Held.\n\n`/release` lets it go on.")
    ),
    "refused": lambda _: replies.refused(
        "`/promote` needs the right to write in this repository; yours is read"
    ),
    "mistakes": lambda _: replies.mistakes(commands.parse("/promot\n\n/promote please @octocat").mistakes),
    "superseded": lambda _: replies.superseded("4", "production"),
    "updated": lambda _: replies.updated("4", "production"),
    "quarantined": lambda _: replies.quarantined(
        Quarantine(
            "example/gitops", "fraud-detector", "production", "3", "12.4% of requests failed", NOW, 12
        ),
        "alias candidate",
    ),
}


@pytest.mark.parametrize("case", REPLIES)
def test_reply(case, golden, strict_gates):
    """Answers to commands."""
    golden(f"reply-{case}.md", REPLIES[case](strict_gates))


def test_every_command_is_explained():
    """A command without a sentence in `/help` fails here."""
    assert set(replies.DOES) == set(commands.USAGES)


@pytest.mark.parametrize("case", ["success", "failure", "waiting", "neutral"])
def test_check(case, golden, shipped):
    """The check run on the head commit."""
    approved = (Approval("paula", samples.HEAD, Permission.WRITE),)
    gates = {
        "success": evaluate(shipped.get("strict"), samples.facts(approvals=approved)),
        "waiting": evaluate(shipped.get("strict"), samples.facts(earlier=EarlierEnvironment("staging"))),
        "failure": evaluate(shipped.get("baseline"), samples.facts(holds=(HOLD,))),
        "neutral": (GateResult("age", holds=False, reason="old", enforce=Enforce.WARN),),
    }[case]
    told = check.gates(gates)

    golden(f"check-{case}.md", f"{told.conclusion}: {told.title}\n\n{told.summary}")


def test_configuration_issue(golden):
    """Mistakes in the configuration, with their places."""
    mistakes = [
        Mistake(
            "slipway.yaml",
            4,
            7,
            "models.fraud.environments",
            "unknown key `enviroments`",
            "did you mean `environments`?",
        ),
        Mistake(
            "policies/production.yaml",
            9,
            17,
            "gates[0].expression",
            "it does not compile: 1:12: Syntax error",
            "",
        ),
        Mistake("slipway.yaml", 9, 1, HOSTILE, HOSTILE, HOSTILE),
    ]
    title, body = issue.configuration("a" * 40, mistakes)

    golden("issue-configuration.md", f"{title}\n\n{body}")


def test_drift_issue(golden):
    """Registry and Git disagree."""
    title, body = issue.drift(
        [
            Drift("fraud-detector", "production", "champion", "3", "2"),
            Drift("churn", "production", "champion", None, "1"),
        ]
    )

    golden("issue-drift.md", f"{title}\n\n{body}")


def test_no_body_is_longer_than_the_forge_accepts(shipped):
    """With 10,000 metrics, parameters, columns and a description of 200 kB the body still fits."""
    many = range(10_000)
    large = samples.evidence(
        "3",
        description="é𝄞" * 100_000,
        metrics=tuple(Metric(f"metric-{n}" * 10, n / 7, "holdout" * 20, f"{n}") for n in many),
        parameters={f"parameter-{n}" * 10: "𝄞" * 500 for n in many},
        tags={f"tag-{n}" * 10: "𝄞" * 500 for n in many},
        signature=Signature(tuple(Column(f"column-{n}" * 10, "double") for n in many), ()),
        unreadable=("x" * 5_000,) * 50,
    )
    comparison = compare(large, samples.evidence("2"))
    gates = evaluate(shipped.get("regulated"), samples.facts(comparison=comparison))
    gates += tuple(GateResult(f"gate-{n}", holds=n % 2 == 0, reason="𝄞<" * 2_000) for n in range(1_000))
    body = bump.render(samples.promotion(), comparison, samples.promotion().changes * 1000, gates).body
    mistakes = [Mistake(f"{n}.yaml", n, n, "𝄞<" * 900, "𝄞<" * 900, "𝄞<" * 900) for n in range(1_000)]
    others = [
        check.gates(gates).summary,
        replies.explain(samples.promotion(), gates),
        status.comment(samples.promotion(reason="𝄞<" * 9_000), gates=gates, holds=(HOLD,) * 100),
        issue.configuration("a" * 40, mistakes)[1],
        issue.drift([Drift("𝄞<" * 900, "𝄞<" * 900, "𝄞<" * 900, "𝄞<" * 900, None)] * 1_000)[1],
    ]

    assert max(layout.size(text) for text in (body, *others)) <= layout.LARGEST
    assert "𝄞" in others[3]
    assert "𝄞" in others[4]
    assert "Too long for this page" in body
    assert body.count("<details>") == body.count("</details>")


def test_times_are_told_in_words():
    """The status comment says how long it watched."""
    told = status.comment(
        samples.promotion(stage=Stage.WATCHING), progress=Watching(elapsed=timedelta(hours=2).total_seconds())
    )

    assert "Watched for 2 hours" in told


MERGED = [case for case, (promotion, _) in STATUSES.items() if promotion.stage not in UNMERGED]


@pytest.mark.parametrize("case", MERGED)
def test_canary_check(case, golden):
    """The check on the merge commit: live progress, then the verdict."""
    promotion, shown = STATUSES[case]
    told = check.canary(promotion, shown.get("progress"), has_slo=True)

    assert len(told.title) <= 120
    golden(f"canary-{case}.md", f"{told.conclusion}: {told.title}\n\n{told.summary}")
