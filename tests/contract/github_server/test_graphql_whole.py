"""Every field and every mutation of the served schema answers."""

from typing import Any

from graphql import (
    GraphQLInterfaceType,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLUnionType,
    get_named_type,
)

from bot.sandbox.github.graphql.execute import SCHEMA
from bot.sandbox.github.graphql.mutations import MUTATIONS

REPO = "acme/gitops"
ARGUMENTS = {
    ("Repository", "ref"): '(qualifiedName: "main")',
    ("Repository", "refs"): '(refPrefix: "refs/heads/", first: 5)',
    ("Repository", "object"): '(expression: "main")',
    ("Repository", "issue"): "(number: 2)",
    ("Repository", "issueOrPullRequest"): "(number: 1)",
    ("Repository", "pullRequest"): "(number: 1)",
    ("Repository", "label"): '(name: "canary")',
    ("Repository", "issues"): "(first: 5, states: [OPEN], orderBy: {field: CREATED_AT, direction: DESC})",
    ("Repository", "pullRequests"): '(last: 5, states: [OPEN], baseRefName: "main", labels: ["canary"])',
    ("Commit", "file"): '(path: "README.md")',
    ("Commit", "history"): '(first: 3, path: "README.md")',
    ("Organization", "team"): '(slug: "ml")',
}
DEPTH = 5


def selection(kind: Any, depth: int) -> str:
    """All fields of a type, as deep as asked, without walking back up to the repository."""
    if isinstance(kind, GraphQLUnionType | GraphQLInterfaceType):
        inner = " ".join(
            f"... on {one.name} {selection(one, depth)}" for one in SCHEMA.get_possible_types(kind)
        )
        return f"{{ __typename {inner} }}"
    parts = ["__typename"]
    for name, field in kind.fields.items():
        named = get_named_type(field.type)
        composite = isinstance(named, GraphQLObjectType | GraphQLInterfaceType | GraphQLUnionType)
        if composite and (depth == 0 or name in {"repository", "headRepository", "baseRepository"}):
            continue
        given = ARGUMENTS.get((kind.name, name), "(first: 2)" if "first" in field.args else "")
        if not given and any(isinstance(one.type, GraphQLNonNull) for one in field.args.values()):
            continue
        # The same field of several types may differ in its type; an alias keeps them apart.
        alias = f"{kind.name}_{name}: {name}{given}"
        parts.append(f"{alias} {selection(named, depth - 1)}" if composite else alias)
    return "{ " + " ".join(parts) + " }"


def ask(hub: Any, query: str, login: str = "writer", **variables: Any) -> dict[str, Any]:
    answer = hub.call(
        "POST", "/../graphql", login=login, body={"query": query, "variables": variables}
    ).json()
    assert "errors" not in answer, answer["errors"]
    return answer["data"]


def prepare(hub: Any) -> Any:
    repo = hub.bot().get_repo(REPO)
    repo.create_git_ref("refs/heads/topic", repo.get_branch("main").commit.sha)
    repo.create_file("new.txt", "New", "new", branch="topic")
    pull = repo.create_pull(base="main", head="topic", title="T", body="B")
    pull.add_to_labels("canary")
    pull.create_review_request(reviewers=["reader"], team_reviewers=["ml"])
    pull.add_to_assignees("writer")
    pull.create_issue_comment("hello").create_reaction("eyes")
    hub.person("writer").get_repo(REPO).get_pull(1).create_review(event="APPROVE")
    repo.create_check_run("gates", pull.head.sha, conclusion="success")
    hub.person("reader").get_repo(REPO).create_issue("An issue", "of words")
    return pull


def test_every_field_answers(hub: Any) -> None:
    """A query over the whole schema, five levels deep, has no errors."""
    prepare(hub)
    whole = selection(SCHEMA.type_map["Repository"], DEPTH)
    data = ask(
        hub,
        "{ viewer { login name email url resourcePath avatarUrl databaseId } rateLimit { cost limit remaining resetAt used }"
        ' user(login: "boss") { id login } organization(login: "acme") '
        + selection(SCHEMA.type_map["Organization"], 1)
        + f' repository(owner: "acme", name: "gitops") {whole} }}',
    )

    found = data["repository"]
    assert found["Repository_pullRequest"]["PullRequest_reviewDecision"] == "APPROVED"
    assert found["Repository_object"]["Commit_file"]["TreeEntry_object"]["Blob_text"].startswith("# GitOps")
    nodes = ask(hub, "query($ids: [ID!]!) { nodes(ids: $ids) { __typename id } }", ids=list(ids_of(data)))[
        "nodes"
    ]
    assert {one["__typename"] for one in nodes} >= {
        "PullRequest",
        "Issue",
        "IssueComment",
        "Label",
        "Ref",
        "Commit",
    }


def ids_of(value: Any) -> set[str]:
    """All node ids in an answer that `node` resolves."""
    if isinstance(value, list):
        return {one for item in value for one in ids_of(item)}
    if not isinstance(value, dict):
        return set()
    own = {
        inner
        for key, inner in value.items()
        if key.endswith("_id") and not key.startswith(("Reaction_", "PullRequestCommit_"))
    }
    return own | {one for inner in value.values() for one in ids_of(inner)}


def test_every_mutation_answers(hub: Any) -> None:
    """A story that uses each mutation once."""
    pull = prepare(hub)
    used: set[str] = set()

    def do(name: str, wanted: str, /, **given: Any) -> Any:
        used.add(name)
        kind = f"{name[0].upper()}{name[1:]}Input!"
        query = f"mutation($input: {kind}) {{ {name}(input: $input) {{ clientMutationId {wanted} }} }}"
        return ask(hub, query, input=given | {"clientMutationId": "m"})[name]

    shown = ask(
        hub,
        """{ repository(owner: "acme", name: "gitops") { id label(name: "canary") { id }
        issue(number: 2) { id } defaultBranchRef { target { oid } } ref(qualifiedName: "topic") { id } }
        user(login: "reader") { id } organization(login: "acme") { team(slug: "ml") { id } } }""",
    )
    repo, main = shown["repository"], shown["repository"]["defaultBranchRef"]["target"]["oid"]
    subject, label, reader = pull.raw_data["node_id"], repo["label"]["id"], shown["user"]["id"]
    ref = do("createRef", "ref { id }", repositoryId=repo["id"], name="refs/heads/x", oid=main)["ref"]["id"]
    made = do(
        "createCommitOnBranch",
        "commit { oid }",
        branch={"id": ref},
        expectedHeadOid=main,
        message={"headline": "H"},
        fileChanges={"additions": [{"path": "x", "contents": "eA=="}]},
    )
    do("updateRef", "ref { name }", refId=ref, oid=main, force=True)
    do("updateRef", "ref { name }", refId=ref, oid=made["commit"]["oid"])
    draft = do(
        "createPullRequest",
        "pullRequest { id isDraft }",
        repositoryId=repo["id"],
        baseRefName="main",
        headRefName="x",
        title="X",
        draft=True,
    )["pullRequest"]
    ready = do("markPullRequestReadyForReview", "pullRequest { isDraft }", pullRequestId=draft["id"])
    closed = do("closePullRequest", "pullRequest { state }", pullRequestId=draft["id"])
    opened = do("reopenPullRequest", "pullRequest { state }", pullRequestId=draft["id"])
    do("deleteRef", "clientMutationId", refId=ref)
    do(
        "updatePullRequest",
        "pullRequest { title }",
        pullRequestId=subject,
        title="Q",
        body="b",
        labelIds=[label],
        assigneeIds=[reader],
    )
    do("requestReviews", "pullRequest { number }", pullRequestId=subject, userIds=[reader], union=True)
    do(
        "addPullRequestReview",
        "pullRequestReview { state }",
        pullRequestId=subject,
        event="COMMENT",
        body="hm",
    )
    do("removeLabelsFromLabelable", "labelable { __typename }", labelableId=subject, labelIds=[label])
    do("addLabelsToLabelable", "labelable { __typename }", labelableId=subject, labelIds=[label])
    do("addAssigneesToAssignable", "assignable { __typename }", assignableId=subject, assigneeIds=[reader])
    comment = do("addComment", "commentEdge { node { id } }", subjectId=subject, body="hi")["commentEdge"][
        "node"
    ]["id"]
    do("updateIssueComment", "issueComment { body }", id=comment, body="ho")
    do("addReaction", "reaction { content user { login } }", subjectId=comment, content="EYES")
    do("removeReaction", "reaction { content }", subjectId=comment, content="EYES")
    do("deleteIssueComment", "clientMutationId", id=comment)
    issue = do(
        "createIssue",
        "issue { id number }",
        repositoryId=repo["id"],
        title="I",
        labelIds=[label],
        assigneeIds=[reader],
    )["issue"]["id"]
    do("closeIssue", "issue { stateReason }", issueId=issue, stateReason="NOT_PLANNED")
    merged = do("mergePullRequest", "pullRequest { state }", pullRequestId=subject, mergeMethod="MERGE")

    assert (draft["isDraft"], ready["pullRequest"]["isDraft"]) == (True, False)
    assert (closed["pullRequest"]["state"], opened["pullRequest"]["state"]) == ("CLOSED", "OPEN")
    assert merged == {"clientMutationId": "m", "pullRequest": {"state": "MERGED"}}
    assert used == set(SCHEMA.mutation_type.fields)
    assert len(MUTATIONS) == len(used)
