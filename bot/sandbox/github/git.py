"""One bare git repository: objects and references through libgit2, merges through git itself."""

import shutil
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import cast

import pygit2
from pygit2.enums import FileMode, ObjectType, SortMode

FORBIDDEN_NAMES = frozenset({"", ".", "..", ".git"})
FULL_SHA = 40
SHORT_SHA = 7

# Run by git for each reference of a push: name, old commit, new commit.
UPDATE_HOOK = """#!/bin/sh
rule=$(grep -sF "$1 " guarded | cut -d' ' -f2)
zero=0000000000000000000000000000000000000000
[ -z "$rule" ] || [ "$2" = "$zero" ] && exit 0
if [ "$rule" = closed ]; then
  echo "GH006: Protected branch update failed for $1. Changes must be made through a pull request." >&2
  exit 1
fi
if [ "$3" = "$zero" ] || ! git merge-base --is-ancestor "$2" "$3"; then
  echo "GH006: Protected branch update failed for $1. Cannot force-push to this branch." >&2
  exit 1
fi
"""


class GitError(Exception):
    """What was asked cannot be done with these objects; the message is for the client."""


class Moved(GitError):
    """A reference is not where it was expected."""


@dataclass(frozen=True, slots=True)
class Person:
    name: str
    email: str
    when: datetime

    def signature(self) -> pygit2.Signature:
        offset = self.when.utcoffset()
        minutes = int(offset.total_seconds() // 60) if offset else 0
        return pygit2.Signature(self.name, self.email, int(self.when.timestamp()), minutes)


@dataclass(frozen=True, slots=True)
class TreeEdit:
    """What a path becomes: `sha` None removes it."""

    mode: int
    sha: str | None


def valid_ref(name: str) -> bool:
    """Whether `name` is a full reference name that git accepts (the rules of `git check-ref-format`)."""
    return (
        name.startswith("refs/")
        and not name.rsplit("/", maxsplit=1)[-1].startswith("-")
        and pygit2.reference_is_valid_name(name)
    )


def valid_path(path: str) -> bool:
    """Whether every part of a path may stand in a tree."""
    return "\0" not in path and not any(part.casefold() in FORBIDDEN_NAMES for part in path.split("/"))


class GitRepository:
    """Not thread-safe: the server's lock is held around every use."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._git = pygit2.Repository(str(path))

    @classmethod
    def create(cls, path: Path, default_branch: str) -> "GitRepository":
        shutil.rmtree(path, ignore_errors=True)
        repository = pygit2.init_repository(str(path), bare=True, initial_head=default_branch)
        repository.config["http.receivepack"] = "true"
        repository.config["uploadpack.allowAnySHA1InWant"] = "true"
        repository.config["receive.fsckObjects"] = "true"
        repository.config["receive.hideRefs"] = "refs/pull"
        hook = path / "hooks" / "update"
        hook.parent.mkdir(exist_ok=True)
        hook.write_text(UPDATE_HOOK)
        hook.chmod(0o755)
        return cls(path)

    def guard(self, rules: Mapping[str, str]) -> None:
        """What a push may not do to a branch: `closed` takes no commits, `straight` only fast forwards."""
        lines = [f"refs/heads/{branch} {rule}\n" for branch, rule in rules.items()]
        (self.path / "guarded").write_text("".join(lines))

    # References.
    def ref(self, name: str) -> str | None:
        """The commit (or tag object) a full reference name points to."""
        if not valid_ref(name):
            return None
        try:
            return str(self._git.lookup_reference(name).resolve().target)
        except (KeyError, pygit2.GitError):
            return None

    def refs(self, prefix: str = "refs/") -> dict[str, str]:
        names = sorted(name for name in self._git.listall_references() if name.startswith(prefix))
        return {name: sha for name in names if (sha := self.ref(name)) is not None}

    def branch(self, name: str) -> str | None:
        return self.ref(f"refs/heads/{name}")

    def branches(self) -> dict[str, str]:
        return {name.removeprefix("refs/heads/"): sha for name, sha in self.refs("refs/heads/").items()}

    def set_ref(self, name: str, sha: str, *, expected: str | None = None) -> None:
        """Point a reference at an object. Raises Moved where it is not at `expected`."""
        if expected is not None and self.ref(name) != expected:
            raise Moved(f"{name} is not at {expected}")
        self._git.references.create(name, pygit2.Oid(hex=sha), force=True)

    def delete_ref(self, name: str) -> None:
        self._git.references.delete(name)

    def resolve(self, name: str) -> str | None:
        """The commit that a branch, tag, full reference, full or short sha names; None when there is none."""
        if name == "HEAD":
            name = str(self._git.lookup_reference("HEAD").target)
        for candidate in (f"refs/heads/{name}", f"refs/tags/{name}", name, f"refs/{name}"):
            if (sha := self.ref(candidate)) is not None:
                return self._commit_of(sha)
        if SHORT_SHA <= len(name) <= FULL_SHA and all(c in "0123456789abcdef" for c in name):
            return self._commit_of(name)
        return None

    def _commit_of(self, sha: str) -> str | None:
        try:
            return str(self._git[sha].peel(pygit2.Commit).id)
        except (KeyError, ValueError, pygit2.GitError):
            return None

    # Objects.
    def kind(self, sha: str) -> str | None:
        """`commit`, `tree`, `blob` or `tag`; None when no such object exists."""
        found = self._get(sha)
        return ObjectType(found.type).name.lower() if found is not None else None

    def _get(self, sha: str) -> pygit2.Object | None:
        if len(sha) != FULL_SHA:
            return None
        try:
            return self._git[sha]
        except (KeyError, ValueError):
            return None

    def commit(self, sha: str) -> pygit2.Commit | None:
        found = self._get(sha)
        return found if isinstance(found, pygit2.Commit) else None

    def tree(self, sha: str) -> pygit2.Tree | None:
        """The tree with this sha, or of the commit with this sha."""
        found = self._get(sha)
        return found.peel(pygit2.Tree) if found is not None and found.type_str in {"commit", "tree"} else None

    def blob(self, sha: str) -> bytes | None:
        found = self._get(sha)
        return found.data if isinstance(found, pygit2.Blob) else None

    def entry(self, commit: str, path: str) -> pygit2.Object | None:
        """The object at a path of a commit; the root tree for the empty path."""
        tree = self.tree(commit)
        if tree is None or path == "":
            return tree
        try:
            return cast("pygit2.Object", tree[path])
        except (KeyError, ValueError):
            return None

    def add_blob(self, data: bytes) -> str:
        return str(self._git.create_blob(data))

    def add_tree(self, base: str | None, edits: Mapping[str, TreeEdit]) -> str:
        """`base` with these paths changed; reads only the folders on the way. Raises GitError."""
        tree = self.tree(base) if base is not None else None
        sha = self._edit(tree, {tuple(path.split("/")): edit for path, edit in edits.items()})
        return sha if sha is not None else str(self._git.TreeBuilder().write())

    def _edit(self, tree: pygit2.Tree | None, edits: Mapping[tuple[str, ...], TreeEdit]) -> str | None:
        builder = self._git.TreeBuilder(tree) if tree is not None else self._git.TreeBuilder()
        below: dict[str, dict[tuple[str, ...], TreeEdit]] = {}
        for (name, *rest), edit in edits.items():
            if rest:
                below.setdefault(name, {})[tuple(rest)] = edit
            elif edit.sha is not None:
                builder.insert(name, pygit2.Oid(hex=edit.sha), cast("FileMode", edit.mode))
            elif builder.get(name) is None:
                raise GitError(f"{name} does not exist")
            else:
                builder.remove(name)
        for name, inner in below.items():
            there = builder.get(name)
            folder = there if isinstance(there, pygit2.Tree) else None
            sha = self._edit(folder, inner)
            if sha is not None:
                builder.insert(name, pygit2.Oid(hex=sha), FileMode.TREE)
            elif there is not None:
                builder.remove(name)
        return str(builder.write()) if len(builder) else None

    def add_commit(
        self, tree: str, parents: Sequence[str], message: str, author: Person, committer: Person
    ) -> str:
        oids: list[str | pygit2.Oid] = [pygit2.Oid(hex=parent) for parent in parents]
        made = self._git.create_commit(
            None, author.signature(), committer.signature(), message, pygit2.Oid(hex=tree), oids
        )
        return str(made)

    # History.
    def merge_base(self, one: str, other: str) -> str | None:
        found = self._git.merge_base(one, other)
        return str(found) if found is not None else None

    def is_ancestor(self, ancestor: str, descendant: str) -> bool:
        return ancestor == descendant or self._git.descendant_of(descendant, ancestor)

    def ahead_behind(self, head: str, base: str) -> tuple[int, int]:
        return self._git.ahead_behind(head, base)

    def log(self, start: str, *, hide: str | None = None) -> Iterator[pygit2.Commit]:
        """Newest first, from `start`, without what `hide` reaches."""
        walker = self._git.walk(start, SortMode.TOPOLOGICAL | SortMode.TIME)
        if hide is not None:
            walker.hide(hide)
        yield from walker

    def diff(self, base: str | None, head: str) -> pygit2.Diff:
        """From one commit's (or tree's) files to another's; base None: from nothing. Renames are found."""
        new = self.tree(head)
        if new is None:
            raise GitError(f"{head} is no commit")
        old = self.tree(base) if base is not None else None
        diff = old.diff_to_tree(new) if old is not None else new.diff_to_tree(swap=True)
        diff.find_similar()
        return diff

    def merge_tree(self, ours: str, theirs: str) -> str | None:
        """The tree of a real three-way merge by git; None on conflicts or without common history."""
        if self.merge_base(ours, theirs) is None:
            return None
        done = subprocess.run(
            ["git", "-C", str(self.path), "merge-tree", "--write-tree", ours, theirs],
            check=False,
            capture_output=True,
            text=True,
        )
        return done.stdout.split("\n", 1)[0] if done.returncode == 0 else None

    def pick_tree(self, commit: str, onto: str) -> str | None:
        """The tree of `onto` plus what `commit` changed against its first parent; None on conflicts."""
        picked = self.commit(commit)
        if picked is None or not picked.parents:
            return None
        index = self._git.merge_trees(picked.parents[0].tree, self._git[onto].peel(pygit2.Tree), picked.tree)
        return None if index.conflicts is not None else str(index.write_tree(self._git))
