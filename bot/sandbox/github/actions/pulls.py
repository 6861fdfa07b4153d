"""Opening, editing and closing pull requests; reviewers."""

from collections.abc import Sequence

from bot.sandbox.github.access import role_of
from bot.sandbox.github.actions.branches import emit_pull
from bot.sandbox.github.actions.issues import check_body, check_title, edit_issue, new_issue
from bot.sandbox.github.errors import custom, forbidden, invalid, unprocessable
from bot.sandbox.github.records import Issue, Pull, Repository
from bot.sandbox.github.render.people import simple_user, team_simple
from bot.sandbox.github.render.pulls import pull_of
from bot.sandbox.github.visit import Visit
from bot.sandbox.github.world import World

LONGEST_LIST = 15


def create_pull(
    at: Visit,
    *,
    title: str,
    head: str,
    base: str,
    body: str | None,
    draft: bool = False,
) -> Issue:
    """`head` may be `owner:branch`; only branches of the repository itself can be proposed."""
    if not at.writes("contents") and at.actor.installation is None:
        raise forbidden("must have write access to the head or source branch")
    check_title("PullRequest", title)
    check_body("PullRequest", body)
    owner, _, name = head.rpartition(":")
    if owner and owner.casefold() != at.repo.owner.casefold():
        raise invalid("PullRequest", "head")
    git = at.git
    tip, target = git.branch(name), git.branch(base)
    if tip is None:
        raise invalid("PullRequest", "head")
    if target is None:
        raise invalid("PullRequest", "base")
    if git.merge_base(target, tip) is None:
        raise custom("PullRequest", f"The {name} branch has no history in common with {base}")
    if git.is_ancestor(tip, target):
        raise custom("PullRequest", f"No commits between {base} and {name}")
    if open_pull(at.repo, name, base) is not None:
        raise custom("PullRequest", f"A pull request already exists for {at.repo.owner}:{name}.")
    issue = new_issue(at, title, body)
    issue.pull = Pull(
        id=at.world.new_id(),
        head=name,
        base=base,
        head_sha=tip,
        base_sha=target,
        draft=draft,
        maintainer_can_modify=False,
    )
    git.set_ref(f"refs/pull/{issue.number}/head", tip)
    emit_pull(at, issue, "opened")
    return issue


def open_pull(repo: Repository, head: str, base: str) -> Issue | None:
    for issue in repo.issues.values():
        if (
            issue.pull is not None
            and issue.state == "open"
            and (issue.pull.head, issue.pull.base) == (head, base)
        ):
            return issue
    return None


def edit_pull(
    at: Visit,
    issue: Issue,
    *,
    title: str | None,
    body: str | None,
    state: str | None,
    base: str | None,
) -> None:
    pull = pull_of(issue)
    if state is not None and state not in {"open", "closed"}:
        raise invalid("PullRequest", "state")
    if state == "open" and issue.state == "closed":
        _check_reopen(at.world, at.repo, issue)
    if base is not None and base != pull.base:
        _rebase_onto(at, issue, base)
    edit_issue(at, issue, title=title, body=body, state=state)


def _check_reopen(world: World, repo: Repository, issue: Issue) -> None:
    pull = pull_of(issue)
    git = world.git(repo)
    if pull.merged_at is not None:
        raise custom("PullRequest", "state cannot be changed. The pull request has been merged.")
    tip = git.branch(pull.head)
    if tip is None:
        raise custom("PullRequest", f"state cannot be changed. The {pull.head} branch has been deleted.")
    if open_pull(repo, pull.head, pull.base) is not None:
        message = (
            f"state cannot be changed. There is already an open pull request from {repo.owner}:{pull.head}."
        )
        raise custom("PullRequest", message)
    if tip != pull.head_sha and not git.is_ancestor(pull.head_sha, tip):
        message = f"state cannot be changed. The {pull.head} branch was force-pushed or recreated."
        raise custom("PullRequest", message)
    pull.head_sha = tip


def _rebase_onto(at: Visit, issue: Issue, base: str) -> None:
    pull = pull_of(issue)
    target = at.git.branch(base)
    if target is None:
        raise invalid("PullRequest", "base")
    if issue.state == "closed":
        raise custom("PullRequest", "Cannot change the base branch of a closed pull request.")
    if open_pull(at.repo, pull.head, base) is not None:
        raise custom(
            "PullRequest",
            f"A pull request already exists for base branch '{base}' and head branch '{pull.head}'",
        )
    before = {"ref": {"from": pull.base}, "sha": {"from": pull.base_sha}}
    pull.base, pull.base_sha = base, target
    emit_pull(at, issue, "edited", {"changes": {"base": before}})


def request_reviewers(at: Visit, issue: Issue, logins: Sequence[str], slugs: Sequence[str]) -> None:
    pull = pull_of(issue)
    teams = {team.slug: team for team in at.world.state.teams if team.organization == at.repo.owner}
    for login in logins:
        if login.casefold() == issue.login.casefold():
            raise unprocessable("Review cannot be requested from pull request author.")
        account = at.world.account(login)
        if account is None or role_of(at.world, at.repo, account.login) == "none":
            raise unprocessable(
                "Reviews may only be requested from collaborators. One or more of the users or teams you"
                f" specified is not a collaborator of the {at.repo.full_name} repository."
            )
    if any(slug not in teams for slug in slugs):
        raise unprocessable("Could not resolve to a node with the global id of the team.")
    if len(logins) + len(slugs) > LONGEST_LIST:
        raise unprocessable("Review cannot be requested from more than 15 reviewers.")
    for login in logins:
        name = at.world.known_account(login).login
        if name not in pull.reviewers:
            pull.reviewers.append(name)
            more = {"requested_reviewer": simple_user(at.world, name)}
            emit_pull(at, issue, "review_requested", more)
    for slug in slugs:
        if slug not in pull.teams:
            pull.teams.append(slug)
            more = {"requested_team": team_simple(at.world, teams[slug])}
            emit_pull(at, issue, "review_requested", more)


def remove_reviewers(at: Visit, issue: Issue, logins: Sequence[str], slugs: Sequence[str]) -> None:
    pull = pull_of(issue)
    for login in [name for name in pull.reviewers if name.casefold() in {one.casefold() for one in logins}]:
        pull.reviewers.remove(login)
        more = {"requested_reviewer": simple_user(at.world, login)}
        emit_pull(at, issue, "review_request_removed", more)
    pull.teams = [slug for slug in pull.teams if slug not in slugs]
