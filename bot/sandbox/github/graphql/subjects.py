"""Issues, pull requests, their comments and reviews. Fields are snake_case of GitHub's names."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar

from bot.sandbox.github.actions.mergeable import (
    latest_reviews,
    mergeability,
    render_pull,
    waiting_owner,
)
from bot.sandbox.github.graphql.connection import Page, connection
from bot.sandbox.github.graphql.nodes import (
    CommitNode,
    LabelNode,
    Person,
    TeamNode,
    person,
    reactions,
)
from bot.sandbox.github.records import Comment, Issue, Pull, Review
from bot.sandbox.github.render import issues as render
from bot.sandbox.github.render.commits import diff_entries
from bot.sandbox.github.render.people import optional_timestamp, timestamp
from bot.sandbox.github.render.pulls import pull_of
from bot.sandbox.github.visit import Visit
from bot.sandbox.github.world import node_id

JSON = dict[str, Any]


@dataclass(frozen=True)
class CommentNode:
    at: Visit
    comment: Comment
    typename: ClassVar[str] = "IssueComment"

    @property
    def id(self) -> str:
        return node_id("IssueComment", self.comment.id)

    @property
    def database_id(self) -> int:
        return self.comment.id

    @property
    def author(self) -> Person | None:
        return person(self.at.world, self.comment.login)

    @property
    def author_association(self) -> str:
        return render.association(self.at.world, self.at.repo, self.comment.login)

    @property
    def body(self) -> str:
        return self.comment.body

    @property
    def created_at(self) -> str:
        return timestamp(self.comment.created_at)

    @property
    def updated_at(self) -> str:
        return timestamp(self.comment.updated_at)

    @property
    def issue(self) -> "IssueNode":
        return IssueNode(self.at, self.at.repo.issues[self.comment.issue])

    @property
    def pull_request(self) -> "PullNode | None":
        found = subject_node(self.at, self.at.repo.issues[self.comment.issue])
        return found if isinstance(found, PullNode) else None

    def reactions(self, content: str | None = None, **page: Any) -> JSON:
        return reactions(self.at, self.comment.reactions, content, page)

    @property
    def url(self) -> str:
        return str(render.comment(self.at.world, self.at.repo, self.comment)["html_url"])

    @property
    def viewer_did_author(self) -> bool:
        return self.comment.login == self.at.actor.login


@dataclass(frozen=True)
class ReviewNode:
    at: Visit
    review: Review
    place: str
    typename: ClassVar[str] = "PullRequestReview"

    @property
    def id(self) -> str:
        return node_id("PullRequestReview", self.review.id)

    @property
    def database_id(self) -> int:
        return self.review.id

    @property
    def author(self) -> Person | None:
        return person(self.at.world, self.review.login)

    @property
    def author_association(self) -> str:
        return render.association(self.at.world, self.at.repo, self.review.login)

    @property
    def body(self) -> str:
        return self.review.body

    @property
    def state(self) -> str:
        return self.review.state

    @property
    def submitted_at(self) -> str | None:
        return optional_timestamp(self.review.submitted_at)

    @property
    def commit(self) -> CommitNode:
        return CommitNode(self.at, self.review.commit)

    @property
    def url(self) -> str:
        return f"{self.place}#pullrequestreview-{self.review.id}"


@dataclass(frozen=True)
class IssueNode:
    """What issues and pull requests share."""

    at: Visit
    issue: Issue
    typename: ClassVar[str] = "Issue"

    @property
    def id(self) -> str:
        return node_id(self.typename, self.issue.id)

    @property
    def database_id(self) -> int:
        return self.issue.id

    @property
    def number(self) -> int:
        return self.issue.number

    @property
    def title(self) -> str:
        return self.issue.title

    @property
    def body(self) -> str:
        return self.issue.body or ""

    @property
    def author(self) -> Person | None:
        return person(self.at.world, self.issue.login)

    @property
    def author_association(self) -> str:
        return render.association(self.at.world, self.at.repo, self.issue.login)

    @property
    def state(self) -> str:
        return self.issue.state.upper()

    @property
    def state_reason(self) -> str | None:
        return self.issue.state_reason.upper() if self.issue.state_reason else None

    @property
    def closed(self) -> bool:
        return self.issue.state == "closed"

    @property
    def closed_at(self) -> str | None:
        return optional_timestamp(self.issue.closed_at)

    @property
    def created_at(self) -> str:
        return timestamp(self.issue.created_at)

    @property
    def updated_at(self) -> str:
        return timestamp(self.issue.updated_at)

    @property
    def locked(self) -> bool:
        return self.issue.locked

    @property
    def url(self) -> str:
        return self.at.world.html(render.html_path(self.at.repo, self.issue))

    def assignees(self, **page: Any) -> JSON:
        world = self.at.world
        people = [Person(world, world.known_account(login), as_user=True) for login in self.issue.assignees]
        return connection("assignees", people, Page(**page))

    def comments(self, **page: Any) -> JSON:
        found = render.comments_of(self.at.repo, self.issue.number)
        return connection("comments", [CommentNode(self.at, one) for one in found], Page(**page))

    def labels(self, **page: Any) -> JSON:
        found = [label for label in self.at.repo.labels if label.name in self.issue.labels]
        return connection("labels", [LabelNode(self.at, one) for one in found], Page(**page))

    def reactions(self, content: str | None = None, **page: Any) -> JSON:
        return reactions(self.at, self.issue.reactions, content, page)


@dataclass(frozen=True)
class PullNode(IssueNode):
    typename: ClassVar[str] = "PullRequest"
    is_cross_repository: ClassVar[bool] = False

    @property
    def pull(self) -> Pull:
        return pull_of(self.issue)

    @property
    def database_id(self) -> int:
        return self.pull.id

    @property
    def full_database_id(self) -> str:
        return str(self.pull.id)

    @property
    def state(self) -> str:
        return "MERGED" if self.merged else self.issue.state.upper()

    @property
    def merged(self) -> bool:
        return self.pull.merged_at is not None

    @property
    def merged_at(self) -> str | None:
        return optional_timestamp(self.pull.merged_at)

    @property
    def merged_by(self) -> Person | None:
        return person(self.at.world, self.pull.merged_by)

    @property
    def merge_commit(self) -> CommitNode | None:
        return CommitNode(self.at, self.pull.merge_commit) if self.pull.merge_commit is not None else None

    @property
    def is_draft(self) -> bool:
        return self.pull.draft

    @property
    def head_ref_name(self) -> str:
        return self.pull.head

    @property
    def head_ref_oid(self) -> str:
        return self.pull.head_sha

    @property
    def base_ref_name(self) -> str:
        return self.pull.base

    @property
    def base_ref_oid(self) -> str:
        return self.pull.base_sha

    @property
    def mergeable(self) -> str:
        if self.closed:
            return "UNKNOWN"
        return "MERGEABLE" if mergeability(self.at.world, self.at.repo, self.issue).tree else "CONFLICTING"

    @property
    def _shown(self) -> JSON:
        return render_pull(self.at.world, self.at.repo, self.issue)

    @property
    def merge_state_status(self) -> str:
        return str(self._shown["mergeable_state"]).upper()

    @property
    def review_decision(self) -> str | None:
        standing = set(latest_reviews(self.issue).values())
        rules = self.at.repo.protections.get(self.pull.base)
        if "CHANGES_REQUESTED" in standing:
            return "CHANGES_REQUESTED"
        waiting = rules is not None and rules.code_owners
        if waiting and waiting_owner(self.at.world, self.at.repo, self.issue) is not None:
            return "REVIEW_REQUIRED"
        if "APPROVED" in standing:
            return "APPROVED"
        return "REVIEW_REQUIRED" if rules is not None and rules.approvals else None

    @property
    def additions(self) -> int:
        return int(self._shown["additions"])

    @property
    def deletions(self) -> int:
        return int(self._shown["deletions"])

    @property
    def changed_files(self) -> int:
        return int(self._shown["changed_files"])

    def commits(self, **page: Any) -> JSON:
        own = list(self.at.git.log(self.pull.head_sha, hide=self.pull.base_sha))[::-1]
        nodes = [
            {
                "id": node_id("PullRequestCommit", f"{self.issue.id}:{one.id}"),
                "commit": CommitNode(self.at, str(one.id)),
                "url": f"{self.url}/commits/{one.id}",
            }
            for one in own
        ]
        return connection("commits", nodes, Page(**page))

    def files(self, **page: Any) -> JSON:
        git = self.at.git
        diff = git.diff(git.merge_base(self.pull.base_sha, self.pull.head_sha), self.pull.head_sha)
        nodes = [
            {
                "path": one["filename"],
                "additions": one["additions"],
                "deletions": one["deletions"],
                "change_type": {"removed": "DELETED"}.get(one["status"], one["status"].upper()),
            }
            for one in diff_entries(self.at.world, self.at.repo, diff, self.pull.head_sha)
        ]
        return connection("files", nodes, Page(**page))

    def review_requests(self, **page: Any) -> JSON:
        world = self.at.world
        people: list[Person | TeamNode] = [
            Person(world, world.known_account(one)) for one in self.pull.reviewers
        ]
        teams = [TeamNode(team) for team in world.state.teams if team.slug in self.pull.teams]
        nodes = [{"requested_reviewer": one, "as_code_owner": False} for one in [*people, *teams]]
        return connection("reviewRequests", nodes, Page(**page))

    def reviews(self, author: str | None = None, states: list[str] | None = None, **page: Any) -> JSON:
        me = self.at.actor.login
        nodes = [
            ReviewNode(self.at, one, self.url)
            for one in self.pull.reviews
            if (one.state != "PENDING" or one.login == me)
            and author in {None, one.login}
            and (states is None or one.state in states)
        ]
        return connection("reviews", nodes, Page(**page))


def subject_node(at: Visit, issue: Issue) -> IssueNode:
    return PullNode(at, issue) if issue.pull is not None else IssueNode(at, issue)


def pulls_where(at: Visit, holds: Callable[[Pull], bool]) -> list[PullNode]:
    return [PullNode(at, one) for one in at.repo.issues.values() if one.pull is not None and holds(one.pull)]
