"""Commits that the server makes on somebody's behalf: who is the author, and that they are signed."""

from collections.abc import Mapping, Sequence

from bot.sandbox.github.errors import unprocessable
from bot.sandbox.github.git import GitError, Person, TreeEdit, valid_path
from bot.sandbox.github.records import Repository
from bot.sandbox.github.visit import Visit
from bot.sandbox.github.world import World

FILE_MODE = 0o100644


def person_of(world: World, login: str) -> Person:
    account = world.known_account(login)
    return Person(account.name, account.email, world.now())


def github(world: World) -> Person:
    """The committer of what GitHub itself writes."""
    return Person("GitHub", "noreply@github.com", world.now())


def commit(
    at: Visit,
    *,
    tree: str,
    parents: Sequence[str],
    message: str,
    author: Person | None = None,
) -> str:
    """A commit signed by the server, in the at.actor's name unless another author is given."""
    sha = at.git.add_commit(
        tree, parents, message, author or person_of(at.world, at.actor.login), github(at.world)
    )
    at.repo.verified.append(sha)
    return sha


def tree_with(world: World, repo: Repository, base: str, edits: Mapping[str, bytes | None]) -> str:
    """The tree of `base` with whole files replaced (None: removed); files keep their mode. Raises 422."""
    git = world.git(repo)
    changes: dict[str, TreeEdit] = {}
    for path, content in edits.items():
        if not valid_path(path):
            raise unprocessable("path contains a malformed path component")
        there = git.entry(base, path)
        mode = int(there.filemode) if there is not None and there.type_str == "blob" else FILE_MODE
        changes[path] = TreeEdit(mode, git.add_blob(content) if content is not None else None)
    try:
        return git.add_tree(base, changes)
    except GitError as error:
        raise unprocessable(str(error)) from None
