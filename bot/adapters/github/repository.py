"""`bot.ports.Forge` for one repository on GitHub or what speaks its API."""

import base64
import logging
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from bot.adapters.github import committing, merging, proposing, records, surfaces, workflows
from bot.adapters.github.errors import SYSTEM
from bot.adapters.github.place import Place, segment
from bot.domain.pull import Comment, Permission, Pull, PullState, Review
from bot.ports import CheckRun, Forbidden, NotFound, Proposal, Refused, WorkflowRun

logger = logging.getLogger(__name__)

LARGEST_FILE = 1_000_000
MOST_FILES = 300
"""GitHub compares no more files than these."""


class GitHubForge:
    """One repository, for one thread."""

    def __init__(self, place: Place) -> None:
        self._place = place
        self._client = place.client
        self._default_branch: str | None = None

    def __repr__(self) -> str:
        return f"GitHubForge({self.repository})"

    @property
    def repository(self) -> str:
        return self._place.repository

    @property
    def bot_login(self) -> str:
        return self._place.bot_login

    def was_called(self, name: str) -> bool:
        owner, _, short = name.partition("/")
        try:
            found = self._client.get(f"/repos/{segment(owner)}/{segment(short)}")
        except Refused:
            return False
        return str(found["full_name"]).casefold() == self.repository.casefold()

    # Reading the repository.
    def default_branch(self) -> str:
        self._default_branch = str(self._client.get(self._place.url())["default_branch"])
        return self._default_branch

    def head(self, branch: str | None = None) -> str:
        name = branch or self._default_branch or self.default_branch()
        found = self._client.get(self._place.url("git", "ref", "heads", name))
        if not isinstance(found, dict) or found["ref"] != f"refs/heads/{name}":
            raise NotFound(SYSTEM, f"{self.repository} has no branch {name}")
        return str(found["object"]["sha"])

    def read(self, path: str, ref: str) -> bytes:
        found = self._client.get(self._place.url("contents", path), ref=ref)
        if not isinstance(found, dict):
            raise Refused(SYSTEM, f"{path} is a folder")
        if found.get("type") != "file" or found.get("target") or found.get("submodule_git_url"):
            raise Refused(SYSTEM, f"{path} is no ordinary file")
        if found["size"] > LARGEST_FILE or found.get("encoding") != "base64":
            raise Refused(SYSTEM, f"{path} is larger than {LARGEST_FILE} bytes")
        return base64.b64decode(found["content"])

    def list_folder(self, path: str, ref: str) -> tuple[str, ...]:
        found = self._client.get(self._place.url("contents", *filter(None, [path])), ref=ref)
        if isinstance(found, dict):
            raise Refused(SYSTEM, f"{path} is a file")
        return tuple(sorted(entry["path"] for entry in found if entry["type"] == "file"))

    def changed_files(self, base: str, head: str) -> tuple[str, ...]:
        compared = self._client.get_large(self._place.url("compare", f"{base}...{head}"))
        files = compared.get("files") or ()
        names = {name for file in files for name in (file["filename"], file.get("previous_filename")) if name}
        return tuple(sorted(names)[:MOST_FILES])

    def is_ancestor(self, ancestor: str, descendant: str) -> bool:
        url = self._place.url("compare", f"{ancestor}...{descendant}")
        return self._client.get_large(url, per_page=1)["status"] in ("ahead", "identical")

    # Pull requests.
    def propose(self, proposal: Proposal) -> Pull:
        return proposing.propose(self._place, proposal, self._default_branch)

    def pull(self, number: int) -> Pull:
        data = self._client.get(self._place.url("pulls", number))
        found = records.pull(data)
        committing.await_tip(self._place, found)
        if found.state is not PullState.CLOSED:
            return found
        return records.pull(data, closed_by=self._closer(number))

    def _closer(self, number: int) -> str | None:
        """Who closed it: only the issue behind a pull request knows, where the server has one."""
        try:
            closer = self._client.get(self._place.url("issues", number)).get("closed_by")
        except Refused:
            return None
        return records.login(closer) if closer else None

    def open_pulls(self) -> Sequence[Pull]:
        return [records.pull(data) for data in self._client.pages(self._place.url("pulls"), state="open")]

    def recent_pulls(self, since: datetime) -> Sequence[Pull]:
        found = []
        query = {"state": "all", "sort": "updated", "direction": "desc"}
        for data in self._client.pages(self._place.url("pulls"), **query):
            if records.time(data["updated_at"]) < since:
                break  # the latest change first
            found.append(records.pull(data))
        return found

    def merge(self, number: int, *, sha: str, title: str, message: str) -> str:
        return merging.merge(self._place, number, sha=sha, title=title, message=message)

    def close(self, number: int) -> None:
        if records.pull(self._client.get(self._place.url("pulls", number))).state is PullState.OPEN:
            self._client.patch(self._place.url("pulls", number), {"state": "closed"})

    def delete_branch(self, branch: str) -> None:
        url = self._place.url("git", "refs", "heads", branch)
        surfaces.where_there_is(lambda: self._client.delete(url))

    def reviews(self, number: int) -> Sequence[Review]:
        listing = self._client.pages(self._place.url("pulls", number, "reviews"))
        return [records.review(data) for data in listing if data["state"] != "PENDING"]

    # Talking.
    def recent_comments(self, since: datetime) -> Sequence[Comment]:
        listing = self._client.pages(self._place.url("issues", "comments"), **_since(since))
        try:
            return [records.comment(data, int(data["issue_url"].rpartition("/")[2])) for data in listing]
        except NotFound:  # a server without this listing has one for each conversation
            return [said for pull in self.open_pulls() for said in self.comments(pull.number, since)]

    def comments(self, number: int, since: datetime | None = None) -> Sequence[Comment]:
        listing = self._client.pages(self._place.url("issues", number, "comments"), **_since(since))
        return [records.comment(data, number) for data in listing]

    def upsert_comment(self, number: int, marker: str, body: str) -> int:
        return surfaces.upsert_comment(self._place, number, marker, body)

    def react(self, comment: int, reaction: str) -> None:
        surfaces.react(self._place, comment, reaction)

    def check(self, check: CheckRun) -> None:
        surfaces.check(self._place, check)

    def has_check(self, sha: str, name: str) -> bool:
        return surfaces.has_check(self._place, sha, name)

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
        surfaces.deployment(
            self._place,
            environment,
            sha,
            state=state,
            description=description,
            url=url,
            production=production,
        )

    def upsert_issue(self, marker: str, title: str, body: str) -> int:
        return surfaces.upsert_issue(self._place, marker, title, body)

    def close_issue(self, marker: str) -> None:
        surfaces.close_issue(self._place, marker)

    # Workflows.
    def dispatch_workflow(self, workflow: str, inputs: Mapping[str, str]) -> None:
        branch = self._default_branch or self.default_branch()
        workflows.dispatch(self._place, workflow, branch, inputs)

    def workflow_run(self, workflow: str, named: str, since: datetime) -> WorkflowRun | None:
        return workflows.run(self._place, workflow, named, since)

    def dispatch_event(self, kind: str, payload: Mapping[str, Any]) -> None:
        workflows.event(self._place, kind, payload)

    # People.
    def permission(self, login: str) -> Permission:
        try:
            found = self._client.get(f"{self._place.url('collaborators')}/{segment(login)}/permission")
        except NotFound:
            return Permission.NONE
        return records.permission(found)

    def in_team(self, team: str, login: str) -> bool:
        try:
            found = self._client.get(
                f"/orgs/{segment(self._place.owner)}/teams/{segment(team)}/memberships/{segment(login)}"
            )
        except NotFound:
            return False
        except Forbidden as error:
            # Without the right to see members nobody counts as one; `slipway doctor` says what is lacking.
            logger.warning("the members of %s cannot be read: %s", team, error)
            return False
        return bool(found["state"] == "active")


def _since(time: datetime | None) -> dict[str, str]:
    return {} if time is None else {"since": time.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")}
