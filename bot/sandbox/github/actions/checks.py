"""Check runs and commit statuses."""

from bot.sandbox.github import events
from bot.sandbox.github.errors import forbidden, invalid, not_found, unprocessable
from bot.sandbox.github.records import CheckRun, CommitStatus
from bot.sandbox.github.render.checks import check_run_event, commit_status
from bot.sandbox.github.render.commits import commit_simple
from bot.sandbox.github.render.people import simple_user
from bot.sandbox.github.visit import Visit

STATUSES = frozenset({"queued", "in_progress", "completed", "waiting", "requested", "pending"})
CONCLUSIONS = frozenset(
    {"action_required", "cancelled", "failure", "neutral", "success", "skipped", "stale", "timed_out"}
)
STATES = frozenset({"error", "failure", "pending", "success"})
MOST_OF_A_CONTEXT = 1000


def require_app(at: Visit) -> int:
    """Only Apps write check runs."""
    if at.actor.app_id is None:
        raise forbidden("You must authenticate via a GitHub App.")
    return at.actor.app_id


def find_check(at: Visit, number: int) -> CheckRun:
    if (found := at.repo.checks.get(number)) is None:
        raise not_found()
    return found


def create_check(at: Visit, name: str, sha: str) -> CheckRun:
    """A queued run; `update_check` fills in the rest before `announce` tells of it."""
    app = require_app(at)
    if not name.strip():
        raise invalid("CheckRun", "name", "missing_field")
    if at.git.commit(sha) is None:
        raise unprocessable(f"No commit found for SHA: {sha}")
    suite = at.repo.suites.setdefault(f"{app}:{sha}", at.world.new_id())
    made = CheckRun(at.world.new_id(), suite, app, name, sha, "queued", at.world.now())
    at.repo.checks[made.id] = made
    return made


def set_outcome(at: Visit, check: CheckRun, status: str | None, conclusion: str | None) -> None:
    """A conclusion completes a run, and a completed run must have one."""
    if status is not None and status not in STATUSES:
        raise invalid("CheckRun", "status")
    if conclusion is not None and conclusion not in CONCLUSIONS - {"stale"}:
        raise invalid("CheckRun", "conclusion")
    if status == "completed" and conclusion is None and check.conclusion is None:
        raise invalid("CheckRun", "conclusion", "missing_field")
    if conclusion is not None:
        check.status, check.conclusion = "completed", conclusion
        check.completed_at = at.world.now()
    elif status is not None:
        check.status = status
        if status != "completed":
            check.conclusion, check.completed_at = None, None


def announce(at: Visit, check: CheckRun, action: str, *, app: int | None = None) -> None:
    payload = {"check_run": check_run_event(at.world, at.repo, check)}
    events.emit(at, "check_run", action, payload, app=app)


def rerequest(at: Visit, check: CheckRun) -> None:
    """The re-run button: the App that made the run is told, and nobody else."""
    if check.status != "completed":
        raise forbidden("This check run is not rerequestable")
    announce(at, check, "rerequested", app=check.app)


def latest_checks(checks: list[CheckRun]) -> list[CheckRun]:
    """The newest run of each App and name."""
    newest = {(check.app, check.name): check for check in sorted(checks, key=lambda one: one.id)}
    return sorted(newest.values(), key=lambda one: one.id, reverse=True)


def create_status(
    at: Visit, sha: str, *, state: str, context: str, description: str | None, target_url: str | None
) -> CommitStatus:
    if state not in STATES:
        raise invalid("Status", "state")
    commit = at.git.commit(sha)
    if commit is None:
        raise unprocessable(f"No commit found for SHA: {sha}")
    if sum((one.sha, one.context) == (sha, context) for one in at.repo.statuses) >= MOST_OF_A_CONTEXT:
        raise invalid(
            "Status", "context", "custom", "This SHA and context has reached the maximum number of statuses."
        )
    made = CommitStatus(
        at.world.new_id(), sha, state, context, description, target_url, at.actor.login, at.world.now()
    )
    at.repo.statuses.append(made)
    shown = commit_status(at.world, at.repo, made)
    names = [name for name, tip in at.git.branches().items() if tip == sha]
    payload = {
        key: shown[key] for key in ("id", "state", "description", "target_url", "context", "created_at")
    }
    payload |= {
        "sha": sha,
        "name": at.repo.full_name,
        "updated_at": shown["updated_at"],
        "avatar_url": simple_user(at.world, at.actor.login)["avatar_url"],
        "commit": commit_simple(at.world, at.repo, commit),
        "branches": [
            {
                "name": name,
                "commit": {"sha": sha, "url": shown["url"]},
                "protected": name in at.repo.protections,
            }
            for name in names
        ],
    }
    events.emit(at, "status", None, payload)
    return made
