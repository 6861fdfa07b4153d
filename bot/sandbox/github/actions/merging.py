"""Merging pull requests: as a merge commit, squashed or rebased, and only when everything allows it."""

from dataclasses import dataclass

from bot.sandbox.github.actions.branches import delete_ref, emit_pull, moved
from bot.sandbox.github.actions.committing import commit, github
from bot.sandbox.github.actions.mergeable import may_bypass, mergeability
from bot.sandbox.github.actions.merged import finish_merge
from bot.sandbox.github.errors import Problem, unprocessable
from bot.sandbox.github.git import Person
from bot.sandbox.github.records import Issue, Repository
from bot.sandbox.github.render.pulls import pull_of
from bot.sandbox.github.visit import Visit
from bot.sandbox.github.world import World

METHODS = {"merge": "Merge commits", "squash": "Squash merges", "rebase": "Rebase merges"}


@dataclass(frozen=True, slots=True)
class MergeWish:
    """What the client asked for; `sha` is the head it has seen."""

    sha: str | None = None
    method: str = "merge"
    title: str | None = None
    message: str | None = None


def merge_pull(at: Visit, issue: Issue, wish: MergeWish) -> str:
    """The new tip of the base branch.

    Raises 409 when `sha` is not the head, 405 when git or the rules forbid it, 422 for a wrong method.
    """
    pull = pull_of(issue)
    if wish.method not in METHODS:
        raise unprocessable(
            f"Invalid request.\n\nFor 'properties/merge_method', {wish.method} is not a member of the enum."
        )
    if issue.state == "closed":
        raise Problem(405, "Pull Request is not mergeable")
    if pull.draft:
        raise Problem(405, "Pull Request is still a draft")
    if wish.sha is not None and wish.sha != pull.head_sha:
        raise Problem(409, "Head branch was modified. Review and try the merge again.")
    if wish.method not in at.repo.merge_methods:
        raise Problem(405, f"{METHODS[wish.method]} are not allowed on this repository.")
    found = mergeability(at.world, at.repo, issue)
    if found.refusal is not None and not may_bypass(at.world, at.repo, issue, at.actor):
        raise Problem(405, found.refusal)
    if found.tree is None:
        raise Problem(405, "Pull Request is not mergeable")
    git = at.git
    before = git.branch(pull.base)
    assert before is not None
    if wish.method == "rebase":
        after = _rebase(at.world, at.repo, issue, before)
    else:
        parents = [before, pull.head_sha] if wish.method == "merge" else [before]
        after = commit(at, tree=found.tree, parents=parents, message=_message(at, issue, before, wish))
    name = f"refs/heads/{pull.base}"
    git.set_ref(name, after, expected=before)
    finish_merge(at, issue, after)
    emit_pull(at, issue, "closed")
    moved(at, name, before, after)
    if at.repo.delete_branch_on_merge and git.branch(pull.head) is not None:
        delete_ref(at, f"refs/heads/{pull.head}")
    return after


def _message(at: Visit, issue: Issue, before: str, wish: MergeWish) -> str:
    """GitHub's default texts where the client gave none."""
    if wish.method == "merge":
        title = f"Merge pull request #{issue.number} from {at.repo.owner}/{pull_of(issue).head}"
        text = issue.title
    else:
        own = list(at.git.log(pull_of(issue).head_sha, hide=before))
        first, _, rest = own[0].message.partition("\n") if len(own) == 1 else (issue.title, "", "")
        title = f"{first} (#{issue.number})"
        text = rest if len(own) == 1 else "\n\n".join(f"* {one.message.strip()}" for one in reversed(own))
    if wish.message is not None:
        text = wish.message
    return f"{wish.title or title}\n\n{text.strip()}".strip()


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
