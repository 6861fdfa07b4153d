"""Merging pull requests: as a merge commit, squashed or rebased, and only when everything allows it."""

from bot.sandbox.github.access import Actor
from bot.sandbox.github.actions.branches import delete_ref, emit_pull, moved
from bot.sandbox.github.actions.committing import commit, github
from bot.sandbox.github.actions.mergeable import may_bypass, mergeability
from bot.sandbox.github.actions.merged import finish_merge
from bot.sandbox.github.errors import Problem, unprocessable
from bot.sandbox.github.git import Person
from bot.sandbox.github.records import Issue, Repository
from bot.sandbox.github.render.pulls import pull_of
from bot.sandbox.github.world import World

METHODS = {"merge": "Merge commits", "squash": "Squash merges", "rebase": "Rebase merges"}


def merge_pull(
    world: World,
    repo: Repository,
    actor: Actor,
    issue: Issue,
    *,
    sha: str | None = None,
    method: str = "merge",
    title: str | None = None,
    message: str | None = None,
) -> str:
    """The new tip of the base branch.

    Raises 409 when `sha` is not the head, 405 when git or the branch's rules forbid it, 422 for an unknown method.
    """
    pull = pull_of(issue)
    if method not in METHODS:
        raise unprocessable(
            f"Invalid request.\n\nFor 'properties/merge_method', {method} is not a member of the enum."
        )
    if issue.state == "closed":
        raise Problem(405, "Pull Request is not mergeable")
    if pull.draft:
        raise Problem(405, "Pull Request is still a draft")
    if sha is not None and sha != pull.head_sha:
        raise Problem(409, "Head branch was modified. Review and try the merge again.")
    if method not in repo.merge_methods:
        raise Problem(405, f"{METHODS[method]} are not allowed on this repository.")
    found = mergeability(world, repo, issue)
    if found.refusal is not None and not may_bypass(world, repo, issue, actor):
        raise Problem(405, found.refusal)
    if found.tree is None:
        raise Problem(405, "Pull Request is not mergeable")
    git = world.git(repo)
    before = git.branch(pull.base)
    assert before is not None
    if method == "rebase":
        after = _rebase(world, repo, issue, before)
    else:
        after = _commit(world, repo, actor, issue, method, found.tree, before, title, message)
    name = f"refs/heads/{pull.base}"
    git.set_ref(name, after, expected=before)
    finish_merge(world, repo, actor, issue, after)
    emit_pull(world, repo, actor, issue, "closed")
    moved(world, repo, actor, name, before, after)
    if repo.delete_branch_on_merge and git.branch(pull.head) is not None:
        delete_ref(world, repo, actor, f"refs/heads/{pull.head}")
    return after


def _commit(
    world: World,
    repo: Repository,
    actor: Actor,
    issue: Issue,
    method: str,
    tree: str,
    before: str,
    title: str | None,
    message: str | None,
) -> str:
    pull = pull_of(issue)
    parents = [before, pull.head_sha] if method == "merge" else [before]
    if method == "merge":
        subject = title or f"Merge pull request #{issue.number} from {repo.owner}/{pull.head}"
        text = issue.title if message is None else message
    else:
        own = list(world.git(repo).log(pull.head_sha, hide=before))
        single = own[0].message.split("\n", 1) if len(own) == 1 else None
        subject = title or f"{single[0] if single else issue.title} (#{issue.number})"
        listed = "\n\n".join(f"* {one.message.strip()}" for one in reversed(own))
        text = (
            message
            if message is not None
            else (single[1].strip() if single and len(single) > 1 else "" if single else listed)
        )
    whole = f"{subject}\n\n{text}" if text else subject
    return commit(world, repo, actor, tree=tree, parents=parents, message=whole)


def _rebase(world: World, repo: Repository, issue: Issue, before: str) -> str:
    git = world.git(repo)
    onto = before
    for one in reversed(list(git.log(pull_of(issue).head_sha, hide=before))):
        tree = git.pick_tree(str(one.id), onto)
        if tree is None or len(one.parent_ids) > 1:
            raise Problem(405, "This branch can't be rebased")
        author = Person(one.author.name, one.author.email, world.now())
        onto = git.add_commit(tree, [onto], one.message, author, github(world))
    return onto
