"""What queries walk over: people, git objects, labels, reactions. Fields are snake_case of GitHub's names."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from typing import Any, ClassVar

import pygit2
from pygit2.enums import FileMode

from bot.sandbox.github.actions.mergeable import GOOD, check_results
from bot.sandbox.github.errors import not_found
from bot.sandbox.github.graphql.connection import Page, connection
from bot.sandbox.github.records import Account, Label, Reaction, Team
from bot.sandbox.github.render import people
from bot.sandbox.github.render.commits import account_of_email
from bot.sandbox.github.visit import Visit
from bot.sandbox.github.world import World, node_id

JSON = dict[str, Any]
LARGEST_TEXT = 500_000
REACTIONS = {
    "THUMBS_UP": "+1",
    "THUMBS_DOWN": "-1",
    "LAUGH": "laugh",
    "CONFUSED": "confused",
    "HEART": "heart",
    "HOORAY": "hooray",
    "EYES": "eyes",
    "ROCKET": "rocket",
}
REACTION_NAMES = {content: name for name, content in REACTIONS.items()}


@dataclass(frozen=True)
class Person:
    """A user, bot or organisation; `as_user` shows a bot where the schema knows users only."""

    world: World
    account: Account
    as_user: bool = False

    @property
    def typename(self) -> str:
        return "User" if self.as_user else self.account.kind

    @property
    def id(self) -> str:
        kind = "Organization" if self.account.kind == "Organization" else "User"
        return node_id(kind, self.account.id)

    @property
    def database_id(self) -> int:
        return self.account.id

    @property
    def login(self) -> str:
        """Bots go without the `[bot]` of REST, as on GitHub, except where they stand as users."""
        return self.account.login if self.as_user else self.account.login.removesuffix("[bot]")

    @property
    def name(self) -> str:
        return self.account.name

    @property
    def email(self) -> str:
        return self.account.email

    def avatar_url(self, size: int | None = None) -> str:
        del size
        return str(people.simple_user(self.world, self.account.login)["avatar_url"])

    @property
    def url(self) -> str:
        return str(people.simple_user(self.world, self.account.login)["html_url"])

    @property
    def resource_path(self) -> str:
        return self.url.removeprefix(self.world.base)

    def team(self, slug: str) -> "TeamNode | None":
        for team in self.world.state.teams:
            if team.organization == self.account.login and team.slug == slug:
                return TeamNode(team)
        return None


def person(world: World, login: str | None) -> Person | None:
    account = world.account(login) if login is not None else None
    return Person(world, account) if account is not None else None


@dataclass(frozen=True)
class TeamNode:
    team: Team
    typename: ClassVar[str] = "Team"

    @property
    def id(self) -> str:
        return node_id("Team", self.team.id)

    @property
    def database_id(self) -> int:
        return self.team.id

    @property
    def name(self) -> str:
        return self.team.name

    @property
    def slug(self) -> str:
        return self.team.slug

    @property
    def combined_slug(self) -> str:
        return f"{self.team.organization}/{self.team.slug}"


@dataclass(frozen=True)
class GitNode:
    """A commit, tree or blob."""

    at: Visit
    oid: str

    @property
    def typename(self) -> str:
        return str(self.at.git.kind(self.oid)).capitalize()

    @property
    def id(self) -> str:
        return node_id(self.typename, f"{self.at.repo.id}:{self.oid}")

    @property
    def abbreviated_oid(self) -> str:
        return self.oid[:7]

    @property
    def commit_url(self) -> str:
        return self.at.world.html(f"/{self.at.repo.full_name}/commit/{self.oid}")

    url = commit_url


@dataclass(frozen=True)
class BlobNode(GitNode):
    @cached_property
    def _data(self) -> bytes:
        return self.at.git.blob(self.oid) or b""

    @property
    def byte_size(self) -> int:
        return len(self._data)

    @property
    def is_binary(self) -> bool:
        return b"\0" in self._data[:8000]

    @property
    def is_truncated(self) -> bool:
        return len(self._data) > LARGEST_TEXT

    @property
    def text(self) -> str | None:
        return None if self.is_binary else self._data[:LARGEST_TEXT].decode("utf-8", "replace")


@dataclass(frozen=True)
class TreeNode(GitNode):
    @property
    def entries(self) -> list[JSON]:
        tree = self.at.git.tree(self.oid)
        return [tree_entry(self.at, item, str(item.name)) for item in tree or []]


def tree_entry(at: Visit, item: pygit2.Object, path: str) -> JSON:
    kind = {FileMode.TREE: "tree", FileMode.COMMIT: "commit"}.get(FileMode(item.filemode), "blob")
    return {
        "mode": int(item.filemode),
        "name": path.rsplit("/", 1)[-1],
        "path": path,
        "oid": str(item.id),
        "size": item.size if isinstance(item, pygit2.Blob) else 0,
        "type": kind,
        "object": None if kind == "commit" else git_node(at, str(item.id)),
    }


@dataclass(frozen=True)
class CommitNode(GitNode):
    @cached_property
    def _commit(self) -> pygit2.Commit:
        found = self.at.git.commit(self.oid)
        if found is None:
            raise not_found()
        return found

    @property
    def message(self) -> str:
        return str(self._commit.message)

    @property
    def message_headline(self) -> str:
        return self.message.split("\n", 1)[0]

    @property
    def message_body(self) -> str:
        return self.message.partition("\n")[2].strip()

    @property
    def author(self) -> JSON:
        return self._person(self._commit.author)

    @property
    def committer(self) -> JSON:
        return self._person(self._commit.committer)

    def _person(self, signature: pygit2.Signature) -> JSON:
        shown = account_of_email(self.at.world, signature.email)
        account = self.at.world.account(shown["login"]) if shown is not None else None
        user = Person(self.at.world, account, as_user=True) if account is not None else None
        return {"name": signature.name, "email": signature.email, "date": _time(signature), "user": user}

    @property
    def authored_date(self) -> str:
        return _time(self._commit.author)

    @property
    def committed_date(self) -> str:
        return _time(self._commit.committer)

    @property
    def tree(self) -> TreeNode:
        return TreeNode(self.at, str(self._commit.tree_id))

    def file(self, path: str) -> JSON | None:
        found = self.at.git.entry(self.oid, path.strip("/"))
        return tree_entry(self.at, found, path.strip("/")) if found is not None else None

    def parents(self, **page: Any) -> JSON:
        nodes = [CommitNode(self.at, str(parent)) for parent in self._commit.parent_ids]
        return connection("parents", nodes, Page(**page))

    def history(self, path: str | None = None, **page: Any) -> JSON:
        nodes = [CommitNode(self.at, str(one.id)) for one in self.at.git.log(self.oid)]
        if path is not None:
            nodes = [one for one in nodes if one.touches(path)]
        return connection("history", nodes, Page(**page))

    def touches(self, path: str) -> bool:
        mine = self.at.git.entry(self.oid, path)
        old = [self.at.git.entry(str(parent), path) for parent in self._commit.parent_ids] or [None]
        return (mine.id if mine is not None else None) not in {
            one.id if one is not None else None for one in old
        }

    @cached_property
    def _stats(self) -> pygit2.DiffStats:
        parent = str(self._commit.parent_ids[0]) if self._commit.parent_ids else None
        return self.at.git.diff(parent, self.oid).stats

    @property
    def additions(self) -> int:
        return self._stats.insertions

    @property
    def deletions(self) -> int:
        return self._stats.deletions

    @property
    def changed_files_if_available(self) -> int:
        return self._stats.files_changed

    @property
    def signature(self) -> JSON | None:
        signed = self.oid in self.at.repo.verified
        return {"is_valid": True, "state": "VALID", "was_signed_by_git_hub": True} if signed else None

    @property
    def status_check_rollup(self) -> JSON | None:
        results = set(check_results(self.at.repo, self.oid).values())
        if not results:
            return None
        return {
            "state": "SUCCESS"
            if results <= GOOD
            else "PENDING"
            if results <= GOOD | {"pending"}
            else "FAILURE"
        }


def _time(signature: pygit2.Signature) -> str:
    return people.timestamp(datetime.fromtimestamp(signature.time, UTC))


def git_node(at: Visit, oid: str) -> GitNode | None:
    kinds: dict[str | None, type[GitNode]] = {"commit": CommitNode, "tree": TreeNode, "blob": BlobNode}
    kind = kinds.get(at.git.kind(oid))
    return kind(at, oid) if kind is not None else None


@dataclass(frozen=True)
class LabelNode:
    at: Visit
    label: Label
    typename: ClassVar[str] = "Label"

    @property
    def id(self) -> str:
        return node_id("Label", self.label.id)

    @property
    def name(self) -> str:
        return self.label.name

    @property
    def color(self) -> str:
        return self.label.color

    @property
    def description(self) -> str | None:
        return self.label.description

    @property
    def url(self) -> str:
        return self.at.world.html(f"/{self.at.repo.full_name}/labels/{self.label.name}")


@dataclass(frozen=True)
class ReactionNode:
    at: Visit
    reaction: Reaction
    typename: ClassVar[str] = "Reaction"

    @property
    def id(self) -> str:
        return node_id("Reaction", self.reaction.id)

    @property
    def database_id(self) -> int:
        return self.reaction.id

    @property
    def content(self) -> str:
        return REACTION_NAMES[self.reaction.content]

    @property
    def created_at(self) -> str:
        return people.timestamp(self.reaction.created_at)

    @property
    def user(self) -> Person:
        return Person(self.at.world, self.at.world.known_account(self.reaction.login), as_user=True)


def reactions(at: Visit, records: Sequence[Reaction], content: str | None, page: JSON) -> JSON:
    chosen = [one for one in records if content is None or one.content == REACTIONS[content]]
    listed = connection("reactions", [ReactionNode(at, one) for one in chosen], Page(**page))
    return listed | {"viewer_has_reacted": any(one.login == at.actor.login for one in chosen)}
