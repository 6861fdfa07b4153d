"""Whether a pull request can be merged, by git and by the rules of its base branch."""

from dataclasses import dataclass
from typing import Any

from bot.sandbox.github.access import Actor, role_of
from bot.sandbox.github.owners import PLACES, owners
from bot.sandbox.github.records import ROLES, Issue, Protection, Repository
from bot.sandbox.github.render.pulls import pull_full, pull_of
from bot.sandbox.github.world import World

JSON = dict[str, Any]
GOOD = frozenset({"success", "neutral", "skipped"})


@dataclass(frozen=True, slots=True)
class Mergeability:
    """`tree` None: git finds conflicts. `refusal`: what the branch's rules still ask for."""

    tree: str | None
    refusal: str | None
    behind: bool

    def state(self, issue: Issue, *, green: bool) -> str:
        if self.tree is None:
            return "dirty"
        if pull_of(issue).draft:
            return "draft"
        if self.behind:
            return "behind"
        if self.refusal is not None:
            return "blocked"
        return "clean" if green else "unstable"


def mergeability(world: World, repo: Repository, issue: Issue) -> Mergeability:
    pull = pull_of(issue)
    git = world.git(repo)
    base = git.branch(pull.base)
    if base is None:
        return Mergeability(None, None, behind=False)
    tree = world.merge_tree(repo, base, pull.head_sha)
    rules = repo.protections.get(pull.base)
    behind = rules is not None and rules.strict and not git.is_ancestor(base, pull.head_sha)
    return Mergeability(tree, _refusal(world, repo, issue, rules, behind=behind), behind)


def _refusal(
    world: World, repo: Repository, issue: Issue, rules: Protection | None, *, behind: bool
) -> str | None:
    if rules is None:
        return None
    pull = pull_of(issue)
    if rules.approvals is not None:
        latest = latest_reviews(issue)
        strong = {login: state for login, state in latest.items() if _may_approve(world, repo, login)}
        if "CHANGES_REQUESTED" in strong.values():
            return "Changes have been requested by reviewers with write access."
        given = sum(state == "APPROVED" for state in strong.values())
        if given < rules.approvals:
            noun = "review is" if rules.approvals == 1 else "reviews are"
            return f"At least {rules.approvals} approving {noun} required by reviewers with write access."
        if rules.code_owners and (owner := waiting_owner(world, repo, issue)) is not None:
            return f"Waiting on code owner review from {owner}."
    if rules.contexts is not None:
        results = check_results(repo, pull.head_sha)
        waiting = [context for context in rules.contexts if results.get(context) not in GOOD]
        if waiting:
            return _checks_sentence(waiting, results, len(rules.contexts))
    return "The head branch is not up to date with the base branch." if behind else None


def waiting_owner(world: World, repo: Repository, issue: Issue) -> str | None:
    """The first owner of a changed file whose review is missing; None: everybody has approved."""
    pull, git = pull_of(issue), world.git(repo)
    base = git.branch(pull.base) or ""
    found = next((data for place in PLACES if (data := _text(repo, world, base, place)) is not None), "")
    approved = {login.casefold() for login, state in latest_reviews(issue).items() if state == "APPROVED"}
    members = {
        f"{team.organization}/{team.slug}".casefold(): {login.casefold() for login in team.members}
        for team in world.state.teams
    }
    for delta in git.diff(git.merge_base(base, pull.head_sha), pull.head_sha).deltas:
        wanted = owners(found, delta.new_file.path)
        if wanted and not any(approved & members.get(name.casefold(), {name.casefold()}) for name in wanted):
            return wanted[0]
    return None


def _text(repo: Repository, world: World, commit: str, path: str) -> str | None:
    entry = world.git(repo).entry(commit, path)
    data = world.git(repo).blob(str(entry.id)) if entry is not None else None
    return None if data is None else data.decode(errors="replace")


def _checks_sentence(waiting: list[str], results: dict[str, str], total: int) -> str:
    if len(waiting) > 1:
        return f"{len(waiting)} of {total} required status checks have not succeeded."
    name = waiting[0]
    said = results.get(name)
    if said is None:
        return f'Required status check "{name}" is expected.'
    return f'Required status check "{name}" is {"in progress" if said == "pending" else "failing"}.'


def _may_approve(world: World, repo: Repository, login: str) -> bool:
    return ROLES.index(role_of(world, repo, login)) >= ROLES.index("write")


def latest_reviews(issue: Issue) -> dict[str, str]:
    """Each reviewer's standing word; a mere comment does not replace an approval."""
    standing: dict[str, str] = {}
    for review in pull_of(issue).reviews:
        if review.state in {"APPROVED", "CHANGES_REQUESTED", "DISMISSED"} and review.login != issue.login:
            standing[review.login] = review.state
    return standing


def check_results(repo: Repository, sha: str) -> dict[str, str]:
    """Context → conclusion of the newest check run or status on a commit; `pending` while it runs."""
    results: dict[str, str] = {}
    for status in repo.statuses:
        if status.sha == sha:
            results[status.context] = status.state
    for check in repo.checks.values():
        if check.head_sha == sha:
            results[check.name] = check.conclusion or "pending"
    return results


def may_bypass(world: World, repo: Repository, issue: Issue, actor: Actor) -> bool:
    """Administrators pass rules that were not made for them too."""
    rules = repo.protections.get(pull_of(issue).base)
    person = actor.installation is None and bool(actor.login)
    return rules is None or (
        not rules.enforce_admins and person and role_of(world, repo, actor.login) == "admin"
    )


def render_pull(world: World, repo: Repository, issue: Issue) -> JSON:
    pull = pull_of(issue)
    if issue.state == "closed":
        return pull_full(world, repo, issue, None, "unknown")
    found = mergeability(world, repo, issue)
    green = all(result in GOOD for result in check_results(repo, pull.head_sha).values())
    return pull_full(world, repo, issue, found.tree is not None, found.state(issue, green=green))
