"""What GraphQL can change. Each takes the input object in snake_case and returns the payload's fields."""

import base64
import binascii
from collections.abc import Callable
from typing import Any, TypeVar

from bot.sandbox.github.actions import branches, comments, issues, merging, pulls, reviews
from bot.sandbox.github.actions.committing import commit as make_commit
from bot.sandbox.github.actions.committing import tree_with
from bot.sandbox.github.errors import not_found, unprocessable
from bot.sandbox.github.graphql.failure import Failure
from bot.sandbox.github.graphql.lookup import Asker
from bot.sandbox.github.graphql.nodes import (
    REACTIONS,
    CommitNode,
    LabelNode,
    Person,
    ReactionNode,
    TeamNode,
    person,
)
from bot.sandbox.github.graphql.repository import RefNode, RepositoryNode
from bot.sandbox.github.graphql.subjects import CommentNode, IssueNode, PullNode, ReviewNode
from bot.sandbox.github.records import Role
from bot.sandbox.github.visit import Visit

JSON = dict[str, Any]
Mutation = Callable[[Asker, JSON], JSON]
MUTATIONS: dict[str, Mutation] = {}
EITHER = "issues:write|pull_requests:write"


def mutation(function: Mutation) -> Mutation:
    """Served under the camelCase of its name."""
    MUTATIONS[function.__name__] = function
    return function


T = TypeVar("T")


def _find(ask: Asker, value: str, kind: type[T]) -> T:
    found = ask.node(value)
    if not isinstance(found, kind):
        raise not_found(f"Could not resolve to a node with the global id of '{value}'")
    return found


def _enter(ask: Asker, node: Any, app: str, role: Role) -> Visit:
    return ask.enter(node.at.repo, app=app, role=role)


def _pull(ask: Asker, value: str, role: Role = "read") -> PullNode:
    node = _find(ask, value, PullNode)
    _enter(ask, node, "pull_requests:write", role)
    return node


# References and commits.
@mutation
def create_ref(ask: Asker, given: JSON) -> JSON:
    at = _enter(ask, _find(ask, given["repository_id"], RepositoryNode), "contents:write", "write")
    branches.create_ref(at, given["name"], given["oid"])
    return {"ref": RefNode(at, given["name"])}


@mutation
def update_ref(ask: Asker, given: JSON) -> JSON:
    ref = _find(ask, given["ref_id"], RefNode)
    at = _enter(ask, ref, "contents:write", "write")
    branches.update_ref(at, ref.full_name, given["oid"], force=bool(given.get("force")))
    return {"ref": ref}


@mutation
def delete_ref(ask: Asker, given: JSON) -> JSON:
    ref = _find(ask, given["ref_id"], RefNode)
    branches.delete_ref(_enter(ask, ref, "contents:write", "write"), ref.full_name)
    return {}


@mutation
def create_commit_on_branch(ask: Asker, given: JSON) -> JSON:
    """One signed commit on a branch, only if its tip is the expected one."""
    ref = _branch(ask, given["branch"])
    at = _enter(ask, ref, "contents:write", "write")
    tip, expected = at.git.ref(ref.full_name), given["expected_head_oid"]
    if tip is None or tip != expected:
        message = f'Expected branch to point to "{expected}" but it did not. Pull and try again.'
        raise Failure("STALE_DATA", message)
    branches.guard_direct_push(at.repo, ref.full_name, tip, "new")
    changes = given.get("file_changes") or {}
    edits: dict[str, bytes | None] = {
        one["path"]: _decode(one["contents"]) for one in changes.get("additions") or []
    }
    edits |= {one["path"]: None for one in changes.get("deletions") or []}
    words = given["message"]
    text = words["headline"] + (f"\n\n{words['body']}" if words.get("body") else "")
    made = make_commit(at, tree=tree_with(at.world, at.repo, tip, edits), parents=[tip], message=text)
    at.git.set_ref(ref.full_name, made, expected=tip)
    branches.moved(at, ref.full_name, tip, made)
    return {"commit": CommitNode(at, made), "ref": ref}


def _branch(ask: Asker, given: JSON) -> RefNode:
    if given.get("id") is not None:
        return _find(ask, given["id"], RefNode)
    full_name, name = given.get("repository_name_with_owner"), given.get("branch_name")
    if not full_name or not name or full_name.count("/") != 1:
        raise unprocessable("A branch is named by its id, or by repositoryNameWithOwner and branchName")
    ref = ask.repository(*full_name.split("/")).ref(f"refs/heads/{name.removeprefix('refs/heads/')}")
    if ref is None:
        raise not_found(f'No such branch in "{full_name}": {name}')
    return ref


def _decode(text: str) -> bytes:
    try:
        return base64.b64decode("".join(text.split()), validate=True)
    except (binascii.Error, ValueError):
        raise unprocessable("contents is not valid Base64") from None


# Pull requests.
@mutation
def create_pull_request(ask: Asker, given: JSON) -> JSON:
    at = _enter(ask, _find(ask, given["repository_id"], RepositoryNode), "pull_requests:write", "read")
    made = pulls.create_pull(
        at,
        title=given["title"],
        head=given["head_ref_name"].removeprefix("refs/heads/"),
        base=given["base_ref_name"].removeprefix("refs/heads/"),
        body=given.get("body"),
        draft=bool(given.get("draft")),
    )
    return {"pull_request": PullNode(at, made)}


@mutation
def update_pull_request(ask: Asker, given: JSON) -> JSON:
    node = _pull(ask, given["pull_request_id"])
    state = given.get("state")
    pulls.edit_pull(
        node.at,
        node.issue,
        title=given.get("title"),
        body=given.get("body"),
        state=state.lower() if state is not None else None,
        base=given.get("base_ref_name"),
    )
    if given.get("label_ids") is not None:
        issues.set_labels(
            node.at, node.issue, [_find(ask, one, LabelNode).name for one in given["label_ids"]]
        )
    if given.get("assignee_ids") is not None:
        issues.add_assignees(node.at, node.issue, _logins(ask, given["assignee_ids"]))
    return {"pull_request": node, "actor": person(ask.world, ask.actor.login)}


def _logins(ask: Asker, ids: list[str]) -> list[str]:
    return [_find(ask, one, Person).account.login for one in ids]


@mutation
def close_pull_request(ask: Asker, given: JSON) -> JSON:
    return _set_pull_state(ask, given, "closed")


@mutation
def reopen_pull_request(ask: Asker, given: JSON) -> JSON:
    return _set_pull_state(ask, given, "open")


def _set_pull_state(ask: Asker, given: JSON, state: str) -> JSON:
    node = _pull(ask, given["pull_request_id"])
    pulls.edit_pull(node.at, node.issue, title=None, body=None, state=state, base=None)
    return {"pull_request": node}


@mutation
def mark_pull_request_ready_for_review(ask: Asker, given: JSON) -> JSON:
    node = _pull(ask, given["pull_request_id"], "write")
    if node.pull.draft:
        node.pull.draft = False
        branches.emit_pull(node.at, node.issue, "ready_for_review")
    return {"pull_request": node}


@mutation
def merge_pull_request(ask: Asker, given: JSON) -> JSON:
    node = _find(ask, given["pull_request_id"], PullNode)
    _enter(ask, node, "contents:write", "write")
    wish = merging.MergeWish(
        sha=given.get("expected_head_oid"),
        method=(given.get("merge_method") or "MERGE").lower(),
        title=given.get("commit_headline"),
        message=given.get("commit_body"),
    )
    merging.merge_pull(node.at, node.issue, wish)
    return {"pull_request": node, "actor": person(ask.world, ask.actor.login)}


@mutation
def request_reviews(ask: Asker, given: JSON) -> JSON:
    """Without `union` the asked reviewers replace the ones before."""
    node = _pull(ask, given["pull_request_id"], "write")
    logins = _logins(ask, given.get("user_ids") or [])
    slugs = [_find(ask, one, TeamNode).slug for one in given.get("team_ids") or []]
    if not given.get("union"):
        gone = [login for login in node.pull.reviewers if login not in logins]
        pulls.remove_reviewers(
            node.at, node.issue, gone, [one for one in node.pull.teams if one not in slugs]
        )
    pulls.request_reviewers(node.at, node.issue, logins, slugs)
    return {"pull_request": node, "actor": person(ask.world, ask.actor.login)}


@mutation
def add_pull_request_review(ask: Asker, given: JSON) -> JSON:
    node = _pull(ask, given["pull_request_id"])
    made = reviews.create_review(
        node.at,
        node.issue,
        event=given.get("event"),
        body=given.get("body") or "",
        commit=given.get("commit_oid"),
    )
    return {"pull_request_review": ReviewNode(node.at, made, node.url)}


# Issues, comments, reactions, labels, assignees.
@mutation
def create_issue(ask: Asker, given: JSON) -> JSON:
    at = _enter(ask, _find(ask, given["repository_id"], RepositoryNode), "issues:write", "read")
    labels = [_find(ask, one, LabelNode).name for one in given.get("label_ids") or []]
    assignees = _logins(ask, given.get("assignee_ids") or [])
    made = issues.create_issue(
        at, title=given["title"], body=given.get("body"), labels=labels, assignees=assignees
    )
    return {"issue": IssueNode(at, made)}


@mutation
def close_issue(ask: Asker, given: JSON) -> JSON:
    node = _find(ask, given["issue_id"], IssueNode)
    _enter(ask, node, "issues:write", "read")
    reason = given.get("state_reason")
    reason = reason.lower() if reason is not None else None
    issues.edit_issue(node.at, node.issue, state="closed", state_reason=reason)
    return {"issue": node}


@mutation
def add_comment(ask: Asker, given: JSON) -> JSON:
    node = _find(ask, given["subject_id"], IssueNode)
    at = _enter(ask, node, EITHER, "read")
    made = CommentNode(at, comments.create_comment(at, node.issue, given["body"]))
    return {"comment_edge": {"cursor": made.id, "node": made}, "subject": node}


@mutation
def update_issue_comment(ask: Asker, given: JSON) -> JSON:
    node = _find(ask, given["id"], CommentNode)
    comments.edit_comment(_enter(ask, node, EITHER, "read"), node.comment, given["body"])
    return {"issue_comment": node}


@mutation
def delete_issue_comment(ask: Asker, given: JSON) -> JSON:
    node = _find(ask, given["id"], CommentNode)
    comments.delete_comment(_enter(ask, node, EITHER, "read"), node.comment)
    return {}


@mutation
def add_reaction(ask: Asker, given: JSON) -> JSON:
    node = ask.node(given["subject_id"])
    if not isinstance(node, IssueNode | CommentNode):
        raise not_found(
            f"Could not resolve to a Reactable node with the global id of '{given['subject_id']}'"
        )
    at = _enter(ask, node, EITHER, "read")
    subject = node.issue if isinstance(node, IssueNode) else node.comment
    made, _ = comments.react(at.world, at.actor, subject, REACTIONS[given["content"]])
    return {"reaction": ReactionNode(at, made), "subject": node}


@mutation
def remove_reaction(ask: Asker, given: JSON) -> JSON:
    node = ask.node(given["subject_id"])
    if not isinstance(node, IssueNode | CommentNode):
        raise not_found(
            f"Could not resolve to a Reactable node with the global id of '{given['subject_id']}'"
        )
    at = _enter(ask, node, EITHER, "read")
    subject = node.issue if isinstance(node, IssueNode) else node.comment
    content = REACTIONS[given["content"]]
    for one in subject.reactions:
        if one.login == at.actor.login and one.content == content:
            comments.unreact(at.actor, subject, one.id)
            return {"reaction": ReactionNode(at, one), "subject": node}
    raise not_found("The reaction does not exist")


@mutation
def add_labels_to_labelable(ask: Asker, given: JSON) -> JSON:
    node = _find(ask, given["labelable_id"], IssueNode)
    names = [_find(ask, one, LabelNode).name for one in given["label_ids"]]
    issues.add_labels(_enter(ask, node, EITHER, "triage"), node.issue, names)
    return {"labelable": node}


@mutation
def remove_labels_from_labelable(ask: Asker, given: JSON) -> JSON:
    node = _find(ask, given["labelable_id"], IssueNode)
    at = _enter(ask, node, EITHER, "triage")
    for one in given["label_ids"]:
        issues.remove_label(at, node.issue, _find(ask, one, LabelNode).name)
    return {"labelable": node}


@mutation
def add_assignees_to_assignable(ask: Asker, given: JSON) -> JSON:
    node = _find(ask, given["assignable_id"], IssueNode)
    issues.add_assignees(_enter(ask, node, EITHER, "write"), node.issue, _logins(ask, given["assignee_ids"]))
    return {"assignable": node}
