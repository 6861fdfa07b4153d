"""GraphQL with GitHub's names, through PyGithub's own requester."""

import base64
from typing import Any

import github
import pytest

REPO = "acme/gitops"
PIN = "models/fraud/kustomization.yaml"

START = """query($owner: String!, $name: String!) {
  viewer { login }
  repository(owner: $owner, name: $name) {
    id nameWithOwner isPrivate
    defaultBranchRef { name target { oid ... on Commit { messageHeadline history(first: 5) { totalCount } } } }
    object(expression: "main:models/fraud/kustomization.yaml") { ... on Blob { text byteSize } }
    pullRequests(states: [OPEN], first: 10) { totalCount nodes { number } }
  }
}"""
OPEN = """mutation($ref: CreateRefInput!, $commit: CreateCommitOnBranchInput!, $pull: CreatePullRequestInput!) {
  createRef(input: $ref) { ref { id name prefix } }
  createCommitOnBranch(input: $commit) { commit { oid message signature { isValid } author { name } } ref { name } }
  createPullRequest(input: $pull) { pullRequest { id number state headRefOid mergeable mergeStateStatus
    repository { nameWithOwner } author { __typename login } files(first: 5) { nodes { path additions } } } }
}"""


def ask(client: github.Github, query: str, **variables: Any) -> dict[str, Any]:
    return client.requester.graphql_query(query, variables)[1]["data"]


def open_pull(hub: Any, branch: str = "slipway/v2") -> dict[str, Any]:
    bot = hub.bot()
    start = ask(bot, START, owner="acme", name="gitops")
    tip, repository = start["repository"]["defaultBranchRef"]["target"]["oid"], start["repository"]["id"]
    return start | ask(
        bot,
        OPEN,
        ref={"repositoryId": repository, "name": f"refs/heads/{branch}", "oid": tip},
        commit={
            "branch": {"repositoryNameWithOwner": REPO, "branchName": branch},
            "expectedHeadOid": tip,
            "message": {"headline": "Bump the pin", "body": "Because."},
            "fileChanges": {
                "additions": [{"path": PIN, "contents": base64.b64encode(b"images: v2\n").decode()}],
                "deletions": [{"path": "README.md"}],
            },
        },
        pull={
            "repositoryId": repository,
            "baseRefName": "main",
            "headRefName": branch,
            "title": "Bump",
            "body": "B",
        },
    )


def test_a_pull_request_is_opened_in_two_documents(hub: Any) -> None:
    """One query and one document of mutations open a bump whose commit is signed by the server."""
    made = open_pull(hub)

    assert made["viewer"]["login"] == "slipway[bot]"
    assert made["repository"]["object"]["text"].startswith("images:")
    assert made["createCommitOnBranch"]["commit"]["signature"]["isValid"]
    pull = made["createPullRequest"]["pullRequest"]
    assert pull["headRefOid"] == made["createCommitOnBranch"]["commit"]["oid"]
    assert (pull["mergeable"], pull["mergeStateStatus"]) == ("MERGEABLE", "CLEAN")
    assert pull["author"] == {"__typename": "Bot", "login": "slipway"}
    assert {one["path"] for one in pull["files"]["nodes"]} == {PIN, "README.md"}
    shown = hub.bot().get_repo(REPO).get_commit(pull["headRefOid"])
    assert shown.commit.raw_data["verification"]["verified"]


def test_comments_reactions_updates_and_merging(hub: Any) -> None:
    """What a bot does to a pull request over its life works by node id."""
    pull = open_pull(hub)["createPullRequest"]["pullRequest"]
    bot = hub.bot()
    said = ask(
        bot,
        """mutation($id: ID!) {
          addComment(input: {subjectId: $id, body: "working", clientMutationId: "x"}) {
            clientMutationId commentEdge { node { id body author { login } } } }
          updatePullRequest(input: {pullRequestId: $id, title: "Better"}) { pullRequest { title } }
        }""",
        id=pull["id"],
    )
    comment = said["addComment"]["commentEdge"]["node"]
    reacted = ask(
        bot,
        """mutation($id: ID!) {
          addReaction(input: {subjectId: $id, content: ROCKET}) { reaction { content } }
          updateIssueComment(input: {id: $id, body: "done"}) { issueComment { body reactions(first: 1) { totalCount } } }
        }""",
        id=comment["id"],
    )
    merged = ask(
        bot,
        """mutation($id: ID!, $sha: GitObjectID!) { mergePullRequest(input: {pullRequestId: $id, expectedHeadOid: $sha,
          mergeMethod: SQUASH}) { pullRequest { merged mergeCommit { oid parents(first: 5) { totalCount } } } } }""",
        id=pull["id"],
        sha=pull["headRefOid"],
    )["mergePullRequest"]["pullRequest"]
    hub.settle()

    assert said["addComment"]["clientMutationId"] == "x"
    assert said["updatePullRequest"]["pullRequest"]["title"] == "Better"
    assert reacted["addReaction"]["reaction"]["content"] == "ROCKET"
    assert reacted["updateIssueComment"]["issueComment"] == {"body": "done", "reactions": {"totalCount": 1}}
    assert merged["merged"]
    assert merged["mergeCommit"]["parents"]["totalCount"] == 1
    assert "issue_comment.created" in hub.inbox.names()


@pytest.mark.parametrize(
    ("query", "kind"),
    [
        ('{ repository(owner: "acme", name: "nothing") { id } }', "NOT_FOUND"),
        ('{ repository(owner: "acme", name: "gitops") { pullRequest(number: 99) { id } } }', "NOT_FOUND"),
        (
            '{ repository(owner: "acme", name: "gitops") { pullRequests { totalCount } } }',
            "MISSING_PAGINATION_BOUNDARIES",
        ),
        (
            'mutation { addComment(input: {subjectId: "nonsense", body: "x"}) { subject { id } } }',
            "NOT_FOUND",
        ),
        (
            (
                'mutation { createCommitOnBranch(input: {branch: {repositoryNameWithOwner: "acme/gitops", branchName: "main"},'
                ' expectedHeadOid: "0000000000000000000000000000000000000000", message: {headline: "x"}}) { ref { id } } }'
            ),
            "STALE_DATA",
        ),
    ],
)
def test_refusals_carry_a_type(town: Any, query: str, kind: str) -> None:
    """GraphQL answers 200 with errors whose type a program can read."""
    headers = {"authorization": f"token {town.tokens['writer']}"}
    answer = town.call("POST", "/../graphql", login=None, body={"query": query}, **headers)

    assert answer.status_code == 200
    assert [error["type"] for error in answer.json()["errors"]] == [kind]


def test_a_narrow_token_is_refused_by_graphql_too(hub: Any) -> None:
    """The permissions of an installation token hold for mutations as for REST."""
    pull = open_pull(hub)["createPullRequest"]["pullRequest"]

    with pytest.raises(github.GithubException, match="Resource not accessible by integration"):
        ask(
            hub.bot(contents="read"),
            'mutation($id: ID!) { addComment(input: {subjectId: $id, body: "x"}) { subject { id } } }',
            id=pull["id"],
        )


def test_an_unknown_field_is_a_validation_error(town: Any) -> None:
    """A query that does not fit the schema is refused as a whole."""
    headers = {"authorization": f"token {town.tokens['writer']}"}
    answer = town.call(
        "POST", "/../graphql", login=None, body={"query": "{ viewer { shoeSize } }"}, **headers
    ).json()

    assert "data" not in answer
    assert "shoeSize" in answer["errors"][0]["message"]
