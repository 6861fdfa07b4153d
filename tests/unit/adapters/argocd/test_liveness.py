"""The table of `bot.adapters.argocd.liveness`, row by row, on documents of the Application schema."""

import copy
import json
from datetime import UTC, datetime
from pathlib import Path

import jsonschema
import pytest

from bot.adapters.argocd.application import Application, same_repository
from bot.adapters.argocd.liveness import decide_liveness
from bot.domain.live import Liveness, LiveState

OURS = "https://git.example.com/ml/gitops.git"
OLD, MERGE, LATER, CHART = "0" * 40, "a" * 40, "b" * 40, "c" * 40
AFTER_MERGE = {MERGE, LATER}


def document(**status) -> dict:
    """A healthy, synced, automated Application at the merge commit; `status` replaces parts of its status."""
    return {
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "Application",
        "metadata": {"name": "fraud-detector-production", "namespace": "argocd"},
        "spec": {
            "project": "default",
            "destination": {"server": "https://kubernetes.default.svc", "namespace": "production"},
            "source": {"repoURL": OURS, "path": "models/fraud-detector", "targetRevision": "HEAD"},
            "syncPolicy": {"automated": {"prune": True, "selfHeal": True}},
        },
        "status": {
            "sync": {"status": "Synced", "revision": MERGE},
            "health": {"status": "Healthy", "lastTransitionTime": "2026-11-20T10:00:30Z"},
            "reconciledAt": "2026-11-20T10:00:40Z",
            "operationState": operation("Succeeded"),
            "history": [
                {"id": 3, "revision": OLD, "deployedAt": "2026-11-19T09:00:00Z"},
                {"id": 4, "revision": MERGE, "deployedAt": "2026-11-20T10:00:20Z"},
            ],
        }
        | status,
    }


def operation(phase: str, revision: str = MERGE, message: str = "told by Argo CD") -> dict:
    state = {
        "operation": {"sync": {"revision": revision}},
        "phase": phase,
        "message": message,
        "startedAt": "2026-11-20T10:00:10Z",
    }
    if phase not in {"Running", "Terminating"}:
        state["finishedAt"] = "2026-11-20T10:00:20Z"
    return state


def with_spec(base: dict, **spec) -> dict:
    changed = copy.deepcopy(base)
    changed["spec"] |= spec
    return changed


def several_sources(revisions: list[str]) -> dict:
    base = document(sync={"status": "Synced", "revisions": revisions}, history=[])
    base["status"]["operationState"]["operation"] = {"sync": {"revisions": revisions}}
    del base["spec"]["source"]
    return with_spec(
        base,
        sources=[
            {"repoURL": "https://charts.example.com/serving", "chart": "serving", "targetRevision": "1.2.3"},
            {"repoURL": "git@git.example.com:ml/gitops", "ref": "values", "targetRevision": "main"},
        ],
    )


def hydrated(**status) -> dict:
    source = {"dry": MERGE, "hydrated": CHART, "at": CHART, "failed": None} | status
    hydrator = {
        "drySource": {"repoURL": OURS, "path": "models", "targetRevision": "HEAD"},
        "syncSource": {"targetBranch": "environments/production", "path": "models"},
    }
    base = document(
        sync={"status": "Synced", "revision": source["at"]},
        sourceHydrator={
            "lastSuccessfulOperation": {
                "drySHA": source["dry"],
                "hydratedSHA": source["hydrated"],
                "sourceHydrator": hydrator,
            },
        },
    )
    if source["failed"]:
        base["status"]["sourceHydrator"]["currentOperation"] = {
            "phase": "Failed",
            "message": "manifests do not render",
            "startedAt": "2026-11-20T10:00:10Z",
            "drySHA": source["failed"],
            "sourceHydrator": hydrator,
        }
    del base["spec"]["source"]
    base["status"]["operationState"]["operation"]["sync"]["revision"] = source["at"]
    return with_spec(base, sourceHydrator=hydrator)


OUT_OF_SYNC = {"status": "OutOfSync", "revision": MERGE}
TABLE = {
    "live": (document(), LiveState.LIVE, "synced and healthy"),
    "a later commit is live": (
        document(sync={"status": "Synced", "revision": LATER}),
        LiveState.LIVE,
        "synced and healthy",
    ),
    "an older commit is live": (
        document(sync={"status": "Synced", "revision": OLD}, operationState=operation("Succeeded", OLD)),
        LiveState.SYNCING,
        "does not contain aaaaaaaaaa yet",
    ),
    "synced without an operation": (
        {**document(), "status": {k: v for k, v in document()["status"].items() if k != "operationState"}},
        LiveState.LIVE,
        "synced and healthy",
    ),
    "nothing compared yet": ({**document(), "status": {}}, LiveState.SYNCING, "not compared"),
    "no status at all": (
        {k: v for k, v in document().items() if k != "status"},
        LiveState.SYNCING,
        "not compared",
    ),
    "another repository": (
        with_spec(document(), source={"repoURL": "https://git.example.com/other/repo"}),
        LiveState.FAILED,
        "does not deploy",
    ),
    "being deleted": (
        {
            **document(),
            "metadata": {"name": "fraud-detector-production", "deletionTimestamp": "2026-11-20T10:00:00Z"},
        },
        LiveState.FAILED,
        "being deleted",
    ),
    "sync asked for": (
        {**document(), "operation": {"sync": {"revision": MERGE}}},
        LiveState.SYNCING,
        "asked",
    ),
    "sync running": (document(operationState=operation("Running")), LiveState.SYNCING, "told by Argo CD"),
    "self-heal running": (
        document(operationState=operation("Running", message="waiting for healthy state")),
        LiveState.SYNCING,
        "waiting for healthy",
    ),
    "sync failed": (
        document(sync=OUT_OF_SYNC, operationState=operation("Failed")),
        LiveState.FAILED,
        "the sync failed: told by Argo CD",
    ),
    "sync ended in error": (
        document(sync=OUT_OF_SYNC, operationState=operation("Error")),
        LiveState.FAILED,
        "the sync failed",
    ),
    "a hook failed after the sync": (
        document(operationState=operation("Failed")),
        LiveState.FAILED,
        "the sync failed",
    ),
    "an older sync failed": (
        document(sync=OUT_OF_SYNC, operationState=operation("Failed", OLD)),
        LiveState.SYNCING,
        "OutOfSync",
    ),
    "an older sync failed and nothing differs": (
        document(operationState=operation("Failed", OLD)),
        LiveState.LIVE,
        "synced and healthy",
    ),
    "a failed sync that names only a branch": (
        document(
            sync=OUT_OF_SYNC,
            operationState=operation("Failed", "main")
            | {"syncResult": {"revision": MERGE, "source": {"repoURL": OURS}}},
        ),
        LiveState.FAILED,
        "the sync failed",
    ),
    "sync ended after the last look": (
        document(reconciledAt="2026-11-20T10:00:19Z"),
        LiveState.SYNCING,
        "not looked again",
    ),
    "manifests do not render": (
        document(
            sync={"status": "Unknown", "revision": MERGE},
            conditions=[{"type": "ComparisonError", "message": "kustomize build failed"}],
        ),
        LiveState.FAILED,
        "ComparisonError: kustomize build failed",
    ),
    "sync error of our commit": (
        document(
            sync=OUT_OF_SYNC, conditions=[{"type": "SyncError", "message": f"Failed sync attempt to {MERGE}"}]
        ),
        LiveState.FAILED,
        "SyncError",
    ),
    "sync error of an older commit": (
        document(
            sync=OUT_OF_SYNC, conditions=[{"type": "SyncError", "message": f"Failed sync attempt to {OLD}"}]
        ),
        LiveState.SYNCING,
        "OutOfSync",
    ),
    "a warning condition": (
        document(conditions=[{"type": "OrphanedResourceWarning", "message": "1 orphan"}]),
        LiveState.LIVE,
        "synced",
    ),
    "automatic sync off": (
        with_spec(document(sync=OUT_OF_SYNC), syncPolicy={}),
        LiveState.WAITING,
        "manual sync",
    ),
    "automatic sync disabled": (
        with_spec(document(sync=OUT_OF_SYNC), syncPolicy={"automated": {"enabled": False}}),
        LiveState.WAITING,
        "manual sync",
    ),
    "synced by hand": (with_spec(document(), syncPolicy={}), LiveState.LIVE, "synced and healthy"),
    "out of sync": (document(sync=OUT_OF_SYNC), LiveState.SYNCING, "OutOfSync"),
    "progressing": (
        document(health={"status": "Progressing", "message": "1 of 2 updated"}),
        LiveState.SYNCING,
        "Progressing: 1 of 2 updated",
    ),
    "degraded": (document(health={"status": "Degraded"}), LiveState.SYNCING, "Degraded"),
    "missing": (document(health={"status": "Missing"}), LiveState.SYNCING, "Missing"),
    "suspended": (document(health={"status": "Suspended"}), LiveState.WAITING, "Suspended"),
    "several sources, ours live": (several_sources(["1.2.3", MERGE]), LiveState.LIVE, "synced and healthy"),
    "several sources, ours older": (
        several_sources(["1.2.3", OLD]),
        LiveState.SYNCING,
        "does not contain aaaaaaaaaa yet (it follows main)",
    ),
    "several sources, ours not compared": (several_sources(["1.2.3"]), LiveState.SYNCING, "not compared"),
    "hydrated and live": (hydrated(), LiveState.LIVE, "synced and healthy"),
    "hydrated from an older commit": (hydrated(dry=OLD), LiveState.SYNCING, "not rendered"),
    "hydrated, not seen": (hydrated(at=OLD), LiveState.SYNCING, "not seen the hydrated commit"),
    "hydration failed": (hydrated(dry=OLD, failed=MERGE), LiveState.FAILED, "manifests do not render"),
    "an older hydration failed": (hydrated(failed=OLD), LiveState.LIVE, "synced and healthy"),
}


def decide(application: dict, *, can_sync: bool = True) -> Liveness:
    return decide_liveness(
        Application.model_validate(application),
        commit=MERGE,
        repository_url="https://git.example.com/ml/gitops",
        contains=AFTER_MERGE.__contains__,
        can_sync=lambda: can_sync,
    )


@pytest.mark.parametrize(("application", "state", "reason"), TABLE.values(), ids=TABLE.keys())
def test_each_row_of_the_table(application, state, reason):
    """Each document gets the state its row says, with Argo CD's own reason."""
    answer = decide(application)

    assert (answer.state, reason in answer.reason) == (state, True), answer.reason


def test_the_documents_are_real_applications(shared_data: Path):
    """Every document of the table is valid against Argo CD's own schema of an Application."""
    schema = json.loads((shared_data / "crd-schemas" / "argoproj.io_v1alpha1_Application.json").read_text())
    validator = jsonschema.Draft202012Validator(schema)

    for title, (application, _, _) in TABLE.items():
        assert list(validator.iter_errors(application)) == [], title


def test_a_closed_window_waits():
    """A closed sync window is a reason to wait, and only asked about when something is to be synced."""
    closed = decide(document(sync=OUT_OF_SYNC), can_sync=False)

    assert (closed.state, closed.reason) == (LiveState.WAITING, "the sync window is closed")
    assert decide(document(), can_sync=False).state is LiveState.LIVE


def test_since_is_the_first_deployment_of_the_revision():
    """A self-heal deploys the same revision again without moving the moment since when it is live."""
    healed = document(
        health={"status": "Healthy"},
        history=[
            {"id": 4, "revision": MERGE, "deployedAt": "2026-11-20T10:00:20Z"},
            {"id": 5, "revision": MERGE, "deployedAt": "2026-11-20T11:30:00Z"},
        ],
    )

    assert decide(healed).since == datetime(2026, 11, 20, 10, 0, 20, tzinfo=UTC)


def test_since_waits_for_health():
    """A revision counts as live since it became healthy, when that is after its deployment."""
    assert decide(document()).since == datetime(2026, 11, 20, 10, 0, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("https://git.example.com/ml/gitops.git", "https://git.example.com/ml/gitops", True),
        ("https://git.example.com/ML/GitOps/", "https://git.example.com/ml/gitops", True),
        ("git@git.example.com:ml/gitops.git", "https://git.example.com/ml/gitops", True),
        ("ssh://git@git.example.com:22/ml/gitops", "https://git.example.com/ml/gitops", True),
        ("https://bot@git.example.com/ml/gitops", "https://git.example.com/ml/gitops", True),
        ("http://127.0.0.1:8001/ml/gitops", "http://127.0.0.1:8002/ml/gitops", False),
        ("https://git.example.com/ml/gitops", "https://git.example.com/ml/gitops-old", False),
        ("https://elsewhere.example.com/ml/gitops", "https://git.example.com/ml/gitops", False),
    ],
)
def test_addresses_of_one_repository(one, other, same):
    """Https, ssh and scp-like addresses of one repository are the same, other repositories are not."""
    assert same_repository(one, other) is same
