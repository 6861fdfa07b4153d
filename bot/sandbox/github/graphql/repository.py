"""A repository and its references, as queries see them."""

from dataclasses import dataclass
from typing import Any, ClassVar

from bot.sandbox.github.actions.issues import find_label
from bot.sandbox.github.errors import not_found
from bot.sandbox.github.graphql.connection import Page, connection
from bot.sandbox.github.graphql.nodes import GitNode, LabelNode, Person, git_node, person
from bot.sandbox.github.graphql.subjects import IssueNode, PullNode, pulls_where, subject_node
from bot.sandbox.github.visit import Visit
from bot.sandbox.github.world import node_id

JSON = dict[str, Any]
FIELDS = {"CREATED_AT": "created_at", "UPDATED_AT": "updated_at", "COMMENTS": "number"}


@dataclass(frozen=True)
class RefNode:
    at: Visit
    full_name: str
    typename: ClassVar[str] = "Ref"

    @property
    def id(self) -> str:
        return node_id("Ref", f"{self.at.repo.id}:{self.full_name}")

    @property
    def prefix(self) -> str:
        return "/".join(self.full_name.split("/")[:2]) + "/"

    @property
    def name(self) -> str:
        return self.full_name.removeprefix(self.prefix)

    @property
    def target(self) -> GitNode | None:
        sha = self.at.git.ref(self.full_name)
        return git_node(self.at, sha) if sha is not None else None

    def associated_pull_requests(self, states: list[str] | None = None, **page: Any) -> JSON:
        found = [
            one
            for one in pulls_where(self.at, lambda pull: pull.head == self.name)
            if states is None or one.state in states
        ]
        return connection("associatedPullRequests", found, Page(**page))


@dataclass(frozen=True)
class RepositoryNode:
    at: Visit
    typename: ClassVar[str] = "Repository"
    is_archived: ClassVar[bool] = False

    @property
    def id(self) -> str:
        return node_id("Repository", self.at.repo.id)

    @property
    def database_id(self) -> int:
        return self.at.repo.id

    @property
    def name(self) -> str:
        return self.at.repo.name

    @property
    def name_with_owner(self) -> str:
        return self.at.repo.full_name

    @property
    def owner(self) -> Person | None:
        return person(self.at.world, self.at.repo.owner)

    @property
    def url(self) -> str:
        return self.at.world.html(f"/{self.at.repo.full_name}")

    @property
    def description(self) -> str | None:
        return self.at.repo.description

    @property
    def is_private(self) -> bool:
        return self.at.repo.private

    @property
    def viewer_permission(self) -> str | None:
        return None if self.at.role == "none" else self.at.role.upper()

    @property
    def default_branch_ref(self) -> RefNode | None:
        return self.ref(f"refs/heads/{self.at.repo.default_branch}")

    def ref(self, qualified_name: str) -> RefNode | None:
        for name in (qualified_name, f"refs/heads/{qualified_name}", f"refs/tags/{qualified_name}"):
            if self.at.git.ref(name) is not None:
                return RefNode(self.at, name)
        return None

    def refs(self, ref_prefix: str, query: str | None = None, **page: Any) -> JSON:
        names = [name for name in self.at.git.refs(ref_prefix) if query is None or query in name]
        return connection("refs", [RefNode(self.at, name) for name in names], Page(**page))

    def object(self, expression: str | None = None, oid: str | None = None) -> GitNode | None:
        """`expression` is a revision (`main`, a sha) or `revision:path`."""
        if oid is not None:
            return git_node(self.at, oid)
        revision, colon, path = (expression or "").partition(":")
        sha = self.at.git.resolve(revision)
        if sha is None or not colon:
            return git_node(self.at, sha or revision)
        found = self.at.git.entry(sha, path.strip("/"))
        return git_node(self.at, str(found.id)) if found is not None else None

    def issue(self, number: int) -> IssueNode:
        return self._subject("an Issue", number, pull=False)

    def pull_request(self, number: int) -> IssueNode:
        return self._subject("a PullRequest", number, pull=True)

    def issue_or_pull_request(self, number: int) -> IssueNode:
        return self._subject("an issue or pull request", number, pull=None)

    def _subject(self, what: str, number: int, *, pull: bool | None) -> IssueNode:
        found = self.at.repo.issues.get(number)
        if found is None or (pull is not None and (found.pull is not None) != pull):
            raise not_found(f"Could not resolve to {what} with the number of {number}.")
        return subject_node(self.at, found)

    def issues(
        self,
        states: list[str] | None = None,
        labels: list[str] | None = None,
        order_by: dict[str, str] | None = None,
        **page: Any,
    ) -> JSON:
        found = [IssueNode(self.at, one) for one in self.at.repo.issues.values() if one.pull is None]
        return connection("issues", _chosen(found, states, labels, order_by), Page(**page))

    def pull_requests(
        self,
        states: list[str] | None = None,
        labels: list[str] | None = None,
        order_by: dict[str, str] | None = None,
        head_ref_name: str | None = None,
        base_ref_name: str | None = None,
        **page: Any,
    ) -> JSON:
        found = pulls_where(
            self.at, lambda one: head_ref_name in {None, one.head} and base_ref_name in {None, one.base}
        )
        return connection("pullRequests", _chosen(found, states, labels, order_by), Page(**page))

    def label(self, name: str) -> LabelNode | None:
        found = find_label(self.at.repo, name)
        return LabelNode(self.at, found) if found is not None else None

    def labels(self, query: str | None = None, **page: Any) -> JSON:
        found = [LabelNode(self.at, one) for one in self.at.repo.labels if query is None or query in one.name]
        return connection("labels", found, Page(**page))


def _chosen(
    found: list[IssueNode] | list[PullNode],
    states: list[str] | None,
    labels: list[str] | None,
    order_by: dict[str, str] | None,
) -> list[IssueNode]:
    kept = [
        one
        for one in found
        if (states is None or one.state in states) and (labels is None or set(labels) & set(one.issue.labels))
    ]
    if order_by is not None:
        name = FIELDS[order_by["field"]]
        kept.sort(
            key=lambda one: (getattr(one.issue, name), one.number), reverse=order_by["direction"] == "DESC"
        )
    return kept
