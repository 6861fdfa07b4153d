"""From a node id to the thing, if the asker may know that it exists."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from bot.sandbox.github.access import Actor, require, sees
from bot.sandbox.github.errors import not_found, unauthorized
from bot.sandbox.github.graphql.nodes import LabelNode, Person, TeamNode, git_node
from bot.sandbox.github.graphql.repository import RefNode, RepositoryNode
from bot.sandbox.github.graphql.subjects import CommentNode, IssueNode, PullNode, ReviewNode, subject_node
from bot.sandbox.github.records import Repository, Role
from bot.sandbox.github.visit import Visit
from bot.sandbox.github.world import World, node_id, read_node_id


@dataclass(frozen=True, slots=True)
class Asker:
    """Who runs the query."""

    world: World
    actor: Actor

    def visits(self) -> Iterator[Visit]:
        for repo in self.world.state.repositories.values():
            if sees(self.world, self.actor, repo):
                yield Visit(self.world, repo, self.actor)

    def enter(self, repo: Repository, *, app: str, role: Role) -> Visit:
        """Raises as REST does where the right is missing."""
        if not self.actor.login:
            raise unauthorized("This endpoint requires you to be authenticated.")
        require(self.world, self.actor, repo, app=app, role=role)
        return Visit(self.world, repo, self.actor)

    def repository(self, owner: str, name: str) -> RepositoryNode:
        found = self.world.repository(owner, name)
        if found is None or not sees(self.world, self.actor, found):
            raise not_found(f"Could not resolve to a Repository with the name '{owner}/{name}'.")
        return RepositoryNode(self.enter(found, app="metadata:read", role="read"))

    def node(self, value: str) -> Any:
        """Raises NOT_FOUND in GitHub's words."""
        found = self._of_account(value) or self._of_repository(value)
        if found is None:
            raise not_found(f"Could not resolve to a node with the global id of '{value}'")
        return found

    def _of_account(self, value: str) -> Any:
        for account in self.world.state.accounts.values():
            if value in {node_id("User", account.id), node_id("Organization", account.id)}:
                return Person(self.world, account)
        return next(
            (TeamNode(team) for team in self.world.state.teams if node_id("Team", team.id) == value), None
        )

    def _of_repository(self, value: str) -> Any:
        for at in self.visits():
            repo = at.repo
            if node_id("Repository", repo.id) == value:
                return RepositoryNode(at)
            found = _subject(at, value) or _part(at, value)
            if found is not None:
                return found
        return None


def _subject(at: Visit, value: str) -> IssueNode | CommentNode | None:
    for issue in at.repo.issues.values():
        if value in {node_id("Issue", issue.id), node_id("PullRequest", issue.id)}:
            return subject_node(at, issue)
    for comment in at.repo.comments.values():
        if node_id("IssueComment", comment.id) == value:
            return CommentNode(at, comment)
    return None


def _part(at: Visit, value: str) -> Any:
    for label in at.repo.labels:
        if node_id("Label", label.id) == value:
            return LabelNode(at, label)
    for issue in at.repo.issues.values():
        for review in issue.pull.reviews if issue.pull is not None else []:
            if node_id("PullRequestReview", review.id) == value:
                return ReviewNode(at, review, PullNode(at, issue).url)
    home = f"{at.repo.id}:"
    ref = read_node_id(value, "Ref")
    if ref is not None and ref.startswith(home) and at.git.ref(ref.removeprefix(home)) is not None:
        return RefNode(at, ref.removeprefix(home))
    for kind in ("Commit", "Tree", "Blob"):
        key = read_node_id(value, kind)
        if key is not None and key.startswith(home):
            return git_node(at, key.removeprefix(home))
    return None
