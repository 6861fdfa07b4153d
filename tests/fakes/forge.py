"""A forge in memory that behaves: commits, branches, pull requests, merges, comments, people.

It passes the same contract tests as the real adapter (tests/contract/github). The methods of `bot.ports.Forge`
are what Slipway does; `commit`, `comment`, `review`, `open_pull`, … are what everybody else does.

    forge = FakeForge()
    forge.commit("main", {"slipway.yaml": b"version: 1"})
    forge.people["alice"] = Permission.WRITE
    forge.comment(7, "alice", "/promote")
    forge.fails = Unavailable("GitHub", "down")      # every call raises it until it is None again
"""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from bot.domain.pull import Comment, Permission, Pull, PullState, Review, ReviewState
from bot.ports import (
    CheckRun,
    Conflict,
    Forge,
    Installed,
    NotFound,
    OutsideError,
    Proposal,
    Refused,
    Usage,
    WorkflowRun,
)

EPOCH = datetime(2026, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Commit:
    sha: str
    parents: tuple[str, ...]
    files: Mapping[str, bytes]
    message: str
    author: str


@dataclass(frozen=True)
class Issue:
    number: int
    title: str
    body: str
    state: str = "open"


@dataclass(frozen=True)
class DeploymentStatus:
    environment: str
    sha: str
    state: str
    description: str
    url: str | None


def ticking(start: datetime = EPOCH) -> Callable[[], datetime]:
    """A clock that goes one second a look."""
    seconds = iter(range(10**9))
    return lambda: start + timedelta(seconds=next(seconds))


@dataclass
class FakeForge:
    """One repository. Everything in it may be read and changed by a test."""

    repository: str = "octo/gitops"
    bot_login: str = "slipway[bot]"
    now: Callable[[], datetime] = field(default_factory=ticking)
    default: str = "main"
    fails: OutsideError | None = None
    refuses_merge: str | None = None
    """The forge's own reason, such as a branch protection rule, why nothing is merged."""
    calls: list[str] = field(default_factory=list)
    commits: dict[str, Commit] = field(default_factory=dict)
    branches: dict[str, str] = field(default_factory=dict)
    pulls: dict[int, Pull] = field(default_factory=dict)
    bodies: dict[int, str] = field(default_factory=dict)
    base_shas: dict[int, str] = field(default_factory=dict)
    requested_reviewers: dict[int, tuple[str, ...]] = field(default_factory=dict)
    assignees: dict[int, tuple[str, ...]] = field(default_factory=dict)
    said: dict[int, Comment] = field(default_factory=dict)
    given_reviews: dict[int, list[Review]] = field(default_factory=dict)
    reactions: dict[int, list[str]] = field(default_factory=dict)
    checks: dict[tuple[str, str], CheckRun] = field(default_factory=dict)
    deployments: list[DeploymentStatus] = field(default_factory=list)
    issues: dict[int, Issue] = field(default_factory=dict)
    people: dict[str, Permission] = field(default_factory=dict)
    teams: dict[str, set[str]] = field(default_factory=dict)
    touched: dict[int, datetime] = field(default_factory=dict)
    """When each pull request last changed."""
    workflows: set[str] = field(default_factory=set)
    dispatched: list[tuple[str, Mapping[str, str]]] = field(default_factory=list)
    runs: dict[int, tuple[str, str, str | None]] = field(default_factory=dict)
    """Workflow, name and conclusion of each run; a test gives the conclusion."""
    events: list[tuple[str, Mapping[str, Any]]] = field(default_factory=list)
    former: set[str] = field(default_factory=set)
    """Names that still lead here."""
    ids: int = 0

    def __post_init__(self) -> None:
        if not self.branches:
            self.branches[self.default] = self._new_commit((), {}, "Start", "alice").sha

    # What everybody else does.
    def rename(self, name: str) -> None:
        """The repository, with all its branches, has another name."""
        before, self.repository = self.repository, name
        self.former.add(before)
        for pull in self.pulls.values():
            if pull.head_repository == before:
                self.pulls[pull.number] = replace(pull, head_repository=name)

    def commit(
        self,
        branch: str,
        edits: Mapping[str, bytes | None],
        message: str = "Change",
        author: str = "alice",
    ) -> str:
        """Push one commit to a branch, made from the default branch where it is new; None deletes a file."""
        parent = self.commits[self.branches.get(branch) or self.branches[self.default]]
        files = {path: content for path, content in {**parent.files, **edits}.items() if content is not None}
        self.branches[branch] = self._new_commit((parent.sha,), files, message, author).sha
        self._follow(branch)
        return self.branches[branch]

    def open_pull(self, branch: str, title: str = "A change", author: str = "alice", body: str = "") -> Pull:
        number = self._number()
        self.pulls[number] = Pull(
            number=number,
            state=PullState.OPEN,
            title=title,
            url=f"https://github.test/{self.repository}/pull/{number}",
            branch=branch,
            head_sha=self.branches[branch],
            base_branch=self.default,
            author=author,
            head_repository=self.repository,
        )
        self.bodies[number] = body
        self.touched[number] = self.now()
        return self.pulls[number]

    def comment(
        self, pull: int, author: str, body: str, *, edited: bool = False, from_bot: bool = False
    ) -> int:
        """Write a comment; returns its id."""
        number = self._number()
        self.touched[pull] = self.now()
        self.said[number] = Comment(
            id=number,
            pull=pull,
            author=author,
            body=body,
            created_at=self.touched[pull],
            edited=edited,
            from_bot=from_bot or author.endswith("[bot]"),
            url=f"https://github.test/{self.repository}/pull/{pull}#issuecomment-{number}",
        )
        return number

    def review(
        self, pull: int, author: str, state: ReviewState = ReviewState.APPROVED, body: str = ""
    ) -> Review:
        self.touched[pull] = self.now()
        review = Review(
            id=self._number(),
            author=author,
            state=state,
            commit=self.pulls[pull].head_sha,
            submitted_at=self.touched[pull],
            body=body,
        )
        self.given_reviews.setdefault(pull, []).append(review)
        return review

    def merge_as(self, number: int, login: str) -> str:
        """Somebody presses the merge button."""
        pull = self.pulls[number]
        return self._merge(pull, f"Merge {pull.title}", login)

    def close_as(self, number: int, login: str) -> None:
        self.touched[number] = self.now()
        self.pulls[number] = replace(self.pulls[number], state=PullState.CLOSED, closed_by=login)

    def was_called(self, name: str) -> bool:
        self._call("was_called")
        return name.casefold() in {each.casefold() for each in (*self.former, self.repository)}

    # Reading the repository.
    def default_branch(self) -> str:
        self._call("default_branch")
        return self.default

    def head(self, branch: str | None = None) -> str:
        self._call("head")
        name = branch or self.default
        if name not in self.branches:
            raise NotFound("GitHub", f"{self.repository} has no branch {name}")
        return self.branches[name]

    def read(self, path: str, ref: str) -> bytes:
        self._call("read")
        files = self._files(ref)
        if path in files:
            return files[path]
        if any(name.startswith(f"{path}/") for name in files):
            raise Refused("GitHub", f"{path} is a folder")
        raise NotFound("GitHub", f"{path} does not exist")

    def list_folder(self, path: str, ref: str) -> tuple[str, ...]:
        self._call("list_folder")
        prefix = f"{path}/" if path else ""
        inside = sorted(name for name in self._files(ref) if name.startswith(prefix))
        if not inside:
            raise NotFound("GitHub", f"{path} does not exist")
        return tuple(name for name in inside if "/" not in name.removeprefix(prefix))

    def changed_files(self, base: str, head: str) -> tuple[str, ...]:
        self._call("changed_files")
        old, new = self._files(self._merge_base(base, head)), self._files(head)
        return tuple(sorted(path for path in {*old, *new} if old.get(path) != new.get(path))[:300])

    def is_ancestor(self, ancestor: str, descendant: str) -> bool:
        self._call("is_ancestor")
        for sha in (ancestor, descendant):
            self._files(sha)
        return ancestor in self._history(descendant)

    # Pull requests.
    def propose(self, proposal: Proposal) -> Pull:
        self._call("propose")
        if proposal.branch == self.default:
            raise Refused("GitHub", "a proposal needs a branch of its own")
        files = {**self._files(proposal.base_sha), **proposal.edits}
        tip = self.commits.get(self.branches.get(proposal.branch, ""))
        if tip is None or tip.parents != (proposal.base_sha,) or dict(tip.files) != files:
            made = self._new_commit((proposal.base_sha,), files, proposal.commit_message, self.bot_login)
            self.branches[proposal.branch] = made.sha
            self._follow(proposal.branch)
        pull = next(
            (p for p in self.pulls.values() if p.branch == proposal.branch and p.state is PullState.OPEN),
            None,
        ) or self.open_pull(proposal.branch, author=self.bot_login)
        self.bodies[pull.number] = proposal.body
        self.pulls[pull.number] = replace(
            self.pulls[pull.number],
            title=proposal.title,
            labels=tuple(dict.fromkeys((*pull.labels, *proposal.labels))),
        )
        requested = self.requested_reviewers.get(pull.number, ())
        self.requested_reviewers[pull.number] = tuple(dict.fromkeys((*requested, *proposal.reviewers)))
        self.assignees[pull.number] = proposal.assignees
        return self._seen(pull.number)

    def pull(self, number: int) -> Pull:
        self._call("pull")
        return self._seen(number)

    def open_pulls(self) -> Sequence[Pull]:
        self._call("open_pulls")
        return [pull for pull in self.pulls.values() if pull.state is PullState.OPEN]

    def recent_pulls(self, since: datetime) -> Sequence[Pull]:
        self._call("recent_pulls")
        return [pull for number, pull in self.pulls.items() if self.touched[number] >= since]

    def merge(self, number: int, *, sha: str, title: str, message: str) -> str:
        self._call("merge")
        pull = self._seen(number)
        if pull.head_sha != sha:
            raise Conflict("GitHub", f"the head of #{number} is {pull.head_sha[:7]}, not {sha[:7]}")
        if pull.merge_sha is not None:
            return pull.merge_sha
        if pull.state is not PullState.OPEN or pull.draft or not pull.mergeable:
            raise Refused("GitHub", f"#{number} is {pull.state}, a draft or in conflict")
        if self.refuses_merge is not None:
            raise Refused("GitHub", self.refuses_merge)
        return self._merge(pull, f"{title}\n\n{message}", self.bot_login)

    def close(self, number: int) -> None:
        self._call("close")
        if self._seen(number).state is PullState.OPEN:
            self.close_as(number, self.bot_login)

    def delete_branch(self, branch: str) -> None:
        self._call("delete_branch")
        self.branches.pop(branch, None)

    def reviews(self, number: int) -> Sequence[Review]:
        self._call("reviews")
        self._seen(number)
        return list(self.given_reviews.get(number, ()))

    # Talking.
    def recent_comments(self, since: datetime) -> Sequence[Comment]:
        self._call("recent_comments")
        return [said for said in self.said.values() if said.created_at >= since]

    def comments(self, number: int, since: datetime | None = None) -> Sequence[Comment]:
        self._call("comments")
        self._seen(number)
        return [
            said
            for said in self.said.values()
            if said.pull == number and (since is None or said.created_at >= since)
        ]

    def upsert_comment(self, number: int, marker: str, body: str) -> int:
        self._call("upsert_comment")
        if number not in self.issues:
            self._seen(number)
        text = body if marker in body else f"{marker}\n{body}"
        for said in self.said.values():
            if said.pull == number and said.author == self.bot_login and marker in said.body:
                self.said[said.id] = replace(said, body=text, edited=True)
                return said.id
        return self.comment(number, self.bot_login, text)

    def react(self, comment: int, reaction: str) -> None:
        self._call("react")
        given = self.reactions.setdefault(comment, [])
        if reaction not in given:
            given.append(reaction)

    def check(self, check: CheckRun) -> None:
        self._call("check")
        self._files(check.head_sha)
        self.checks[check.head_sha, check.name] = check

    def has_check(self, sha: str, name: str) -> bool:
        self._call("has_check")
        return (sha, name) in self.checks

    def deployment(
        self,
        environment: str,
        sha: str,
        state: str,
        description: str,
        url: str | None,
        *,
        production: bool = False,
    ) -> None:
        self._call("deployment")
        self._files(sha)
        status = DeploymentStatus(environment, sha, state, description, url)
        if status not in self.deployments[-1:]:
            self.deployments.append(status)

    def upsert_issue(self, marker: str, title: str, body: str) -> int:
        self._call("upsert_issue")
        found = self._issue(marker)
        number = self._number() if found is None else found.number
        self.issues[number] = Issue(number, title, body if marker in body else f"{marker}\n{body}")
        return number

    def close_issue(self, marker: str) -> None:
        self._call("close_issue")
        found = self._issue(marker)
        if found is not None:
            self.issues[found.number] = replace(found, state="closed")

    # Workflows.
    def dispatch_workflow(self, workflow: str, inputs: Mapping[str, str]) -> None:
        self._call("dispatch_workflow")
        if workflow not in self.workflows:
            raise NotFound("GitHub", f"there is no workflow {workflow}")
        self.dispatched.append((workflow, dict(inputs)))
        self.runs[self._number()] = (workflow, inputs.get("slipway", ""), None)

    def workflow_run(self, workflow: str, named: str, since: datetime) -> WorkflowRun | None:
        self._call("workflow_run")
        if workflow not in self.workflows:
            raise NotFound("GitHub", f"there is no workflow {workflow}")
        found = [run for run, (of, name, _) in self.runs.items() if of == workflow and named in name]
        if not found:
            return None
        url = f"https://github.test/{self.repository}/actions/runs/{found[-1]}"
        return WorkflowRun(found[-1], url, self.runs[found[-1]][2])

    def dispatch_event(self, kind: str, payload: Mapping[str, Any]) -> None:
        self._call("dispatch_event")
        self.events.append((kind, dict(payload)))

    # People.
    def permission(self, login: str) -> Permission:
        self._call("permission")
        return self.people.get(login, Permission.NONE)

    def in_team(self, team: str, login: str) -> bool:
        self._call("in_team")
        return login in self.teams.get(team, ())

    # How it works inside.
    def _call(self, name: str) -> None:
        self.calls.append(name)
        if self.fails is not None:
            raise self.fails

    def _number(self) -> int:
        self.ids += 1
        return self.ids

    def _new_commit(
        self, parents: tuple[str, ...], files: Mapping[str, bytes], message: str, author: str
    ) -> Commit:
        sha = hashlib.sha1(repr((len(self.commits), parents, message)).encode()).hexdigest()
        self.commits[sha] = Commit(sha, parents, files, message, author)
        return self.commits[sha]

    def _files(self, ref: str) -> Mapping[str, bytes]:
        sha = self.branches.get(ref, ref)
        if sha not in self.commits:
            raise NotFound("GitHub", f"{self.repository} has no commit {ref}")
        return self.commits[sha].files

    def _history(self, sha: str) -> list[str]:
        """The commit and all that it builds on, nearest first."""
        seen = [sha]
        for commit in seen:
            seen += [parent for parent in self.commits[commit].parents if parent not in seen]
        return seen

    def _merge_base(self, one: str, other: str) -> str:
        known = set(self._history(one))
        return next((sha for sha in self._history(other) if sha in known), one)

    def _follow(self, branch: str) -> None:
        for pull in self.pulls.values():
            if pull.branch == branch and pull.state is PullState.OPEN:
                self.pulls[pull.number] = replace(pull, head_sha=self.branches[branch])
                self.touched[pull.number] = self.now()

    def _seen(self, number: int) -> Pull:
        if number not in self.pulls:
            raise NotFound("GitHub", f"#{number} does not exist")
        pull = self.pulls[number]
        open_now = pull.state is PullState.OPEN
        return replace(pull, mergeable=self._merged_files(pull) is not None if open_now else None)

    def _merged_files(self, pull: Pull) -> Mapping[str, bytes] | None:
        """The files after a merge; None where both sides changed the same file differently."""
        base = self.branches[pull.base_branch]
        common = self._files(self._merge_base(base, pull.head_sha))
        ours, theirs = self._files(base), self._files(pull.head_sha)
        merged = dict(ours)
        for path in {*common, *theirs}:
            if theirs.get(path) == common.get(path):
                continue
            if ours.get(path) not in (common.get(path), theirs.get(path)):
                return None
            if path in theirs:
                merged[path] = theirs[path]
            else:
                merged.pop(path, None)
        return merged

    def _merge(self, pull: Pull, message: str, login: str) -> str:
        files = self._merged_files(pull)
        assert files is not None, "the pull request is in conflict"
        parents = (self.branches[pull.base_branch], pull.head_sha)
        sha = self._new_commit(parents, files, message, login).sha
        self.branches[pull.base_branch] = sha
        self.touched[pull.number] = self.now()
        self.pulls[pull.number] = replace(
            pull, state=PullState.MERGED, merge_sha=sha, merged_by=login, merged_at=self.now(), mergeable=None
        )
        return sha

    def _issue(self, marker: str) -> Issue | None:
        return next((i for i in self.issues.values() if marker in i.body and i.state == "open"), None)


@dataclass
class FakeForgeApp:
    """The App over its installations: `forges` by (installation, `owner/name`)."""

    forges: dict[tuple[int, str], FakeForge] = field(
        default_factory=lambda: {(1, "octo/gitops"): FakeForge()}
    )
    failed_deliveries: list[datetime] = field(default_factory=list)
    redelivered: list[datetime] = field(default_factory=list)

    def repositories(self) -> Sequence[Installed]:
        return [
            Installed(number, name, installation)
            for number, (installation, name) in enumerate(self.forges, start=1)
        ]

    def forge(self, installation: int, repository: str) -> Forge:
        return self.forges[installation, repository]

    def usage(self) -> Mapping[int, Usage]:
        return {}

    def redeliver_failed(self, since: datetime) -> int:
        again = [at for at in self.failed_deliveries if at >= since]
        self.failed_deliveries = [at for at in self.failed_deliveries if at < since]
        self.redelivered += again
        return len(again)
