"""From a proposal to one open pull request with exactly one commit, however often it is asked for.

    look            whether the branch is there
    branch absent   GraphQL: branch, commit and pull request in one document (the commit is shown as Verified)
                    REST:    tree, commit, branch                           (Verified too: no author is named)
    branch there    exactly the wanted commit: keep it; else make the commit beside it and move the branch,
                    in one step: a branch that passes through its base closes its own pull request
    then            the pull request, its labels and reviewers, each only where it is missing

A crash between any two calls leaves something that the next run finds. Whatever GraphQL refuses is done by
REST from the start, since a document with three mutations may have carried out one or two.
"""

import base64
import logging

from bot.adapters.github import committing, records
from bot.adapters.github.errors import SYSTEM
from bot.adapters.github.place import Place, inside
from bot.adapters.github.records import Json
from bot.adapters.github.surfaces import where_there_is
from bot.domain.pull import Pull
from bot.ports import Proposal, Refused

logger = logging.getLogger(__name__)

LOOK = """
query Look($owner: String!, $name: String!, $ref: String!) {
  repository(owner: $owner, name: $name) {
    id
    defaultBranchRef { name }
    ref(qualifiedName: $ref) { target { oid } }
  }
}
"""
OPEN = """
mutation Open($ref: CreateRefInput!, $commit: CreateCommitOnBranchInput!, $pull: CreatePullRequestInput!) {
  createRef(input: $ref) { ref { name } }
  createCommitOnBranch(input: $commit) { commit { oid } }
  createPullRequest(input: $pull) { pullRequest { number url } }
}
"""


def propose(place: Place, proposal: Proposal, default_branch: str | None) -> Pull:
    """Make it so. `default_branch` None: not known yet."""
    for path in proposal.edits:
        inside(path)
    if place.client.has_graphql:
        try:
            return _with_graphql(place, proposal)
        except Refused as refused:
            # Whatever it was: REST does it, or says why not.
            logger.info("GraphQL refused a proposal for %s: %s", place.repository, refused)
    return _with_rest(place, proposal, default_branch or place.client.get(place.url())["default_branch"])


def _with_graphql(place: Place, proposal: Proposal) -> Pull:
    variables = {"owner": place.owner, "name": place.name, "ref": f"refs/heads/{proposal.branch}"}
    seen = place.client.graphql(LOOK, variables)["repository"]
    base = seen["defaultBranchRef"]["name"]
    _refuse_base(proposal, base)
    if seen["ref"] is not None:
        return _with_rest(place, proposal, base)
    title, _, text = proposal.commit_message.partition("\n")
    made = place.client.graphql(
        OPEN,
        {
            "ref": {
                "repositoryId": seen["id"],
                "name": f"refs/heads/{proposal.branch}",
                "oid": proposal.base_sha,
            },
            "commit": {
                "branch": {"repositoryNameWithOwner": place.repository, "branchName": proposal.branch},
                "expectedHeadOid": proposal.base_sha,
                "message": {"headline": title, "body": text.strip()},
                "fileChanges": {
                    "additions": [
                        {"path": path, "contents": base64.b64encode(content).decode()}
                        for path, content in proposal.edits.items()
                    ]
                },
            },
            "pull": {
                "repositoryId": seen["id"],
                "baseRefName": base,
                "headRefName": proposal.branch,
                "title": proposal.title,
                "body": proposal.body,
            },
        },
    )
    opened = made["createPullRequest"]["pullRequest"]
    pull = {
        "number": opened["number"],
        "state": "open",
        "title": proposal.title,
        "html_url": opened["url"],
        "head": {
            "ref": proposal.branch,
            "sha": made["createCommitOnBranch"]["commit"]["oid"],
            "repo": {"full_name": place.repository},
        },
        "base": {"ref": base},
        "user": {"login": place.bot_login},
    }
    return _dress(place, proposal, pull)


def _with_rest(place: Place, proposal: Proposal, base: str) -> Pull:
    _refuse_base(proposal, base)
    pull = _open_pull(place, proposal.branch)
    tip = None if pull is None else committing.right_tip(place, proposal)
    if tip is None:
        tip = committing.point(place, proposal, committing.make_commit(place, proposal))
    if pull is None:
        pull = _make_pull(place, proposal, base)
    elif pull["title"] != proposal.title or (pull.get("body") or "") != proposal.body:
        changes = {"title": proposal.title, "body": proposal.body}
        pull = place.client.patch(place.url("pulls", pull["number"]), changes)
    # A pull request may take a moment to follow its branch.
    return _dress(place, proposal, {**pull, "head": {**pull["head"], "sha": tip}})


def _refuse_base(proposal: Proposal, base: str) -> None:
    if proposal.branch == base:
        raise Refused(SYSTEM, "a proposal needs a branch of its own")


def _open_pull(place: Place, branch: str) -> Json | None:
    found = place.client.get(place.url("pulls"), head=f"{place.owner}:{branch}", state="open")
    # A server that does not know the filter lists everything; a fork of the same owner fits it too.
    return next((pull for pull in found if _is_ours(place, pull, branch)), None)


def _is_ours(place: Place, pull: Json, branch: str) -> bool:
    found = records.pull(pull)
    return found.branch == branch and found.is_from(place.repository)


def _make_pull(place: Place, proposal: Proposal, base: str) -> Json:
    wanted = {"title": proposal.title, "body": proposal.body, "head": proposal.branch, "base": base}
    try:
        made: Json = place.client.post(place.url("pulls"), wanted)
    except Refused:
        found = _open_pull(place, proposal.branch)  # made meanwhile by another worker
        if found is None:
            raise
        return found
    return made


def _dress(place: Place, proposal: Proposal, pull: Json) -> Pull:
    """Labels, assignees and reviewers, where they are missing."""
    number = pull["number"]
    labels = {label["name"] for label in pull.get("labels") or ()}
    if missing := [label for label in proposal.labels if label not in labels]:
        pull = {**pull, "labels": _label(place, number, missing)}
    assigned = {user["login"] for user in pull.get("assignees") or ()}
    if missing := [name for name in proposal.assignees if name not in assigned]:
        where_there_is(
            lambda: place.client.post(place.url("issues", number, "assignees"), {"assignees": missing})
        )
    asked = {user["login"] for user in pull.get("requested_reviewers") or ()}
    asked |= {team["slug"] for team in pull.get("requested_teams") or ()}
    if wanted := [name for name in proposal.reviewers if name.rpartition("/")[2] not in asked]:
        _request_reviews(place, number, wanted)
    return records.pull(pull)


def _label(place: Place, number: int, missing: list[str]) -> list[Json]:
    """The labels that it has then; none where they are refused."""
    given: list[Json] = []
    where_there_is(
        lambda: given.extend(place.client.post(place.url("issues", number, "labels"), {"labels": missing}))
    )
    return given


def _request_reviews(place: Place, number: int, names: list[str]) -> None:
    """Ask people and teams (`organisation/team`); one who cannot be asked does not keep the others out."""
    body = {
        "reviewers": [name for name in names if "/" not in name],
        "team_reviewers": [name.rpartition("/")[2] for name in names if "/" in name],
    }
    try:
        place.client.post(
            place.url("pulls", number, "requested_reviewers"), {k: v for k, v in body.items() if v}
        )
    except Refused:
        for name in names if len(names) > 1 else ():
            _request_reviews(place, number, [name])
