"""Two versions of a fraud detector and a promotion of the second: what many tests start from."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from bot.domain.comparison import compare
from bot.domain.evidence import Column, Dataset, Metric, Signature, VersionEvidence
from bot.domain.facts import EarlierEnvironment, Facts, Image
from bot.domain.promotion import PinChange, Promotion, Stage
from bot.domain.pull import Pull, PullState
from bot.domain.verdict import Outcome, SloEvidence, Verdict

NOW = datetime(2026, 11, 18, 9, 30, tzinfo=UTC)
"""A Wednesday morning."""
HEAD = "5" * 40
SIGNATURE = Signature(
    inputs=(Column("amount", "double"), Column("country", "string", required=False)),
    outputs=(Column("fraud", "double"),),
)


def evidence(version: str = "3", **changes) -> VersionEvidence:
    """A version with everything recorded; later versions are a little better."""
    number = int(version)
    recorded = VersionEvidence(
        model="fraud-detector",
        version=version,
        url=f"https://mlflow.example.test/#/models/fraud-detector/versions/{version}",
        run_url=f"https://mlflow.example.test/#/experiments/1/runs/{number}",
        created_at=NOW - timedelta(days=10 - number),
        creator="maria",
        description="Scores card payments for fraud. Not for credit decisions.",
        tags={"license": "Apache-2.0", "owner": "payments"},
        metrics=(
            Metric("auc", 0.93 + number / 1000, "holdout", "d41d8cd9"),
            Metric("log_loss", 0.21 - number / 1000, "holdout", "d41d8cd9"),
            Metric("training_seconds", 300.0 + number),
        ),
        parameters={"depth": str(number), "learning_rate": "0.1"},
        signature=SIGNATURE,
        datasets=(Dataset("holdout", "d41d8cd9", "evaluation"), Dataset(f"payments-{number}", f"a{number}")),
        git_commit=f"{number}" * 40,
        git_branch="main",
        git_repository="git@github.com:example/fraud-training.git",
        flavors=("python_function", "sklearn"),
        python_version="3.11.9",
        libraries={"mlflow": "3.17.2", "scikit-learn": f"1.{number}"},
        size_bytes=1_400_000 + number * 10_000,
        licence="Apache-2.0",
        input_example=True,
        trained_at=NOW - timedelta(days=10 - number, hours=1),
    )
    return replace(recorded, **changes)


def promotion(**changes) -> Promotion:
    """Version 3 on its way into production, its pull request open."""
    opened = Promotion(
        id="7c1f0a2b9d3e",
        repository="example/gitops",
        model="fraud-detector",
        environment="production",
        candidate="3",
        baseline="2",
        stage=Stage.OPEN,
        requested_by="alias candidate",
        created_at=NOW - timedelta(minutes=5),
        stage_since=NOW - timedelta(minutes=4),
        reason="All gates hold. /promote merges it.",
        pull=12,
        head_sha=HEAD,
        changes=(
            PinChange(
                0,
                "models/fraud-detector/overlays/production/kustomization.yaml",
                "sha256:" + "2" * 64,
                "sha256:" + "3" * 64,
            ),
        ),
    )
    return replace(opened, **changes)


def pull(**changes) -> Pull:
    """The promotion's pull request."""
    opened = Pull(
        number=12,
        state=PullState.OPEN,
        title="Promote fraud-detector version 3 to production",
        url="https://github.example.test/example/gitops/pull/12",
        branch="slipway/7c1f0a2b9d3e/bump",
        head_sha=HEAD,
        base_branch="main",
        author="slipway[bot]",
        head_repository="example/gitops",
    )
    return replace(opened, **changes)


def facts(**changes) -> Facts:
    """Everything in order: the gates of the shipped baseline and strict policies hold but for approvals."""
    observed = Facts(
        model="fraud-detector",
        environment="production",
        comparison=compare(evidence("3"), evidence("2")),
        now=NOW,
        repository="example/gitops",
        pull=pull(),
        head_sha=HEAD,
        earlier=EarlierEnvironment("staging", verified_at=NOW - timedelta(hours=30)),
        image=Image("registry.example.test/ml/fraud-detector:v3", "sha256:" + "3" * 64),
    )
    return replace(observed, **changes)


def verdict(outcome: Outcome = Outcome.FAILED) -> Verdict:
    """A canary of four minutes; E climbs past its threshold where it failed."""
    failed = outcome is Outcome.FAILED
    steps = range(0, 241, 15)
    climb = tuple((float(s), (1.06**s if failed else 0.97**s)) for s in steps)
    return Verdict(
        outcome=outcome,
        reason=f"{'Errors: 12.4%' if failed else 'Errors: 0.33%'} of 1,210 requests were bad, where 1% are allowed.",
        slos=(
            SloEvidence(
                slo="errors",
                objective="99% without error",
                query='http_requests_total{model="fraud-detector",version="3"}',
                outcome=outcome,
                reason=f"errors: {'12.4%' if failed else '0.33%'} of 1,210 requests were bad, where 1% are allowed.",
                total=1210,
                bad=150 if failed else 4,
                ratio=0.124 if failed else 0.0033,
                interval=(0.106, 0.144) if failed else (0.0013, 0.0084),
                threshold=2000.0,
                evidence=climb,
                baseline_ratio=0.0021,
            ),
            SloEvidence(
                slo="latency",
                objective="95% under 500 ms",
                query='http_request_duration_seconds_bucket{le="0.5"}',
                outcome=Outcome.PASSED,
                reason="latency: 1.74% of 1,210 requests were bad, where 5% are allowed.",
                total=1210,
                bad=21,
                ratio=0.0174,
                interval=(0.0114, 0.0264),
                threshold=2000.0,
                evidence=((0.0, 1.0), (240.0, 0.2)),
                baseline_ratio=0.0162,
            ),
        ),
        started_at=NOW,
        decided_at=NOW + timedelta(minutes=4),
        digest="9f" * 32,
    )


def drift(*, decides: bool = False, warns: bool = False, value: str = "0.12") -> SloEvidence:
    """A gauge among the SLOs."""
    limit = "not above 0.3 for 5 minutes"
    within = f"drift is {value}, within its limit ({limit})."
    return SloEvidence(
        slo="drift",
        objective=limit,
        query='max(prediction_drift{model="fraud-detector"})',
        outcome=Outcome.FAILED if warns else Outcome.PASSED,
        reason=f"drift was {value}, beyond its limit ({limit})." if warns else within,
        total=16.0,
        bad=0.0,
        ratio=None,
        interval=None,
        threshold=0.0,
        decides=decides,
        value=float(value),
        warns=warns,
    )


def shipped_policies() -> dict[str, str]:
    """The texts of the policies in `policies/`, by path."""
    folder = Path(__file__).parents[2] / "policies"
    return {
        f"policies/{file.name}": file.read_text(encoding="utf-8") for file in sorted(folder.glob("*.yaml"))
    }
