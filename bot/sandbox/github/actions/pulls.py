"""Opening, editing and closing pull requests; reviewers."""

from bot.sandbox.github.access import Actor, may_write, role_of
from bot.sandbox.github.actions.branches import emit_pull
from bot.sandbox.github.actions.issues import check_body, check_title, edit_issue, new_issue
from bot.sandbox.github.errors import custom, forbidden, invalid, unprocessable
from bot.sandbox.github.records import Issue, Pull, Repository
from bot.sandbox.github.render.people import simple_user, team_simple
from bot.sandbox.github.render.pulls import pull_of
from bot.sandbox.github.world import World

LONGEST_LIST = 15


def create_pull(
    world: World,
    repo: Repository,
    actor: Actor,
    *,
    title: str,
    head: str,
    base: str,
    body: str | None,
    draft: bool = False,
) -> Issue:
    """`head` may be `owner:branch`; only branches of the repository itself can be proposed."""
    if not may_write(world, repo, actor, "contents") and actor.installation is None:
        raise forbidden("must have write access to the head or source branch")
    check_title("PullRequest", title)
    check_body("PullRequest", body)
    owner, _, name = head.rpartition(":")
    if owner and owner.casefold() != repo.owner.casefold():
        raise invalid("PullRequest", "head")
    git = world.git(repo)
    tip, target = git.branch(name), git.branch(base)
    if tip is None:
        raise invalid("PullRequest", "head")
    if target is None:
        raise invalid("PullRequest", "base")
    if git.merge_base(target, tip) is None:
        raise custom("PullRequest", f"The {name} branch has no history in common with {base}")
    if git.is_ancestor(tip, target):
        raise custom("PullRequest", f"No commits between {base} and {name}")
    if open_pull(repo, name, base) is not None:
        raise custom("PullRequest", f"A pull request already exists for {repo.owner}:{name}.")
    issue = new_issue(world, repo, actor, title, body)
    issue.pull = Pull(
        id=world.new_id(),
        head=name,
        base=base,
        head_sha=tip,
        base_sha=target,
        draft=draft,
        maintainer_can_modify=False,
    )
    git.set_ref(f"refs/pull/{issue.number}/head", tip)
    emit_pull(world, repo, actor, issue, "opened")
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
    world: World,
    repo: Repository,
    actor: Actor,
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
        _check_reopen(world, repo, issue)
    if base is not None and base != pull.base:
        _rebase_onto(world, repo, actor, issue, base)
    edit_issue(world, repo, actor, issue, title=title, body=body, state=state)


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


def _rebase_onto(world: World, repo: Repository, actor: Actor, issue: Issue, base: str) -> None:
    pull = pull_of(issue)
    target = world.git(repo).branch(base)
    if target is None:
        raise invalid("PullRequest", "base")
    if issue.state == "closed":
        raise custom("PullRequest", "Cannot change the base branch of a closed pull request.")
    if open_pull(repo, pull.head, base) is not None:
        raise custom(
            "PullRequest",
            f"A pull request already exists for base branch '{base}' and head branch '{pull.head}'",
        )
    before = {"ref": {"from": pull.base}, "sha": {"from": pull.base_sha}}
    pull.base, pull.base_sha = base, target
    emit_pull(world, repo, actor, issue, "edited", {"changes": {"base": before}})


def request_reviewers(
    world: World, repo: Repository, actor: Actor, issue: Issue, logins: list[str], slugs: list[str]
) -> None:
    pull = pull_of(issue)
    teams = {team.slug: team for team in world.state.teams if team.organization == repo.owner}
    for login in logins:
        if login.casefold() == issue.login.casefold():
            raise unprocessable("Review cannot be requested from pull request author.")
        account = world.account(login)
        if account is None or role_of(world, repo, account.login) == "none":
            raise unprocessable(
                "Reviews may only be requested from collaborators. One or more of the users or teams you specified"
                f" is not a collaborator of the {repo.full_name} repository."
            )
    if any(slug not in teams for slug in slugs):
        raise unprocessable("Could not resolve to a node with the global id of the team.")
    if len(logins) + len(slugs) > LONGEST_LIST:
        raise unprocessable("Review cannot be requested from more than 15 reviewers.")
    for login in logins:
        name = world.known_account(login).login
        if name not in pull.reviewers:
            pull.reviewers.append(name)
            more = {"requested_reviewer": simple_user(world, name)}
            emit_pull(world, repo, actor, issue, "review_requested", more)
    for slug in slugs:
        if slug not in pull.teams:
            pull.teams.append(slug)
            more = {"requested_team": team_simple(world, teams[slug])}
            emit_pull(world, repo, actor, issue, "review_requested", more)


def remove_reviewers(
    world: World, repo: Repository, actor: Actor, issue: Issue, logins: list[str], slugs: list[str]
) -> None:
    pull = pull_of(issue)
    for login in [name for name in pull.reviewers if name.casefold() in {one.casefold() for one in logins}]:
        pull.reviewers.remove(login)
        more = {"requested_reviewer": simple_user(world, login)}
        emit_pull(world, repo, actor, issue, "review_request_removed", more)
    pull.teams = [slug for slug in pull.teams if slug not in slugs]
