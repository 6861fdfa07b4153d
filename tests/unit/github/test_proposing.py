"""The corners of proposing that a server reaches only in a race."""

import base64
import hashlib
import json
from dataclasses import replace

import pytest

from bot.ports import Proposal, Refused, Unavailable

BASE, TIP, OTHER, NEW = "a" * 40, "b" * 40, "c" * 40, "d" * 40
PROPOSAL = Proposal(
    branch="slipway/x",
    base_sha=BASE,
    edits={"a.yaml": b"tag: v2\n", "same.yaml": b"tag: v1\n"},
    commit_message="Promote",
    title="Promote",
    body="Why.",
)
TREE = {"tree": [{"path": "a.yaml", "mode": "100644", "type": "blob", "sha": "1"}], "truncated": False}
PULL = {
    "number": 7,
    "state": "open",
    "title": "Promote",
    "body": "Why.",
    "html_url": "https://github.test/octo/gitops/pull/7",
    "head": {"ref": "slipway/x", "sha": TIP, "repo": {"full_name": "octo/gitops"}},
    "base": {"ref": "main"},
    "user": {"login": "slipway[bot]"},
}


def blob(content):
    return hashlib.sha1(b"blob %d\0" % len(content) + content).hexdigest()


def compared(**changes):
    changed = {"filename": "a.yaml", "status": "modified", "sha": blob(b"tag: v2\n")}
    return {"behind_by": 0, "commits": [{"sha": TIP}], "files": [changed]} | changes


def writes(script):
    return [
        (each.method, each.url.rpartition("gitops/")[2])
        for each in script.sent
        if each.method != "GET" and "/app/" not in each.url
    ]


@pytest.fixture
def forge(app, script):
    """Without GraphQL, and with the default branch known."""
    app._shared.without_graphql.add(1)
    forge = app.forge(1, "octo/gitops")
    script.then(200, {"default_branch": "main"})
    forge.default_branch()
    return forge


def remade(script):
    """The answers to a commit that is made anew and forced onto the branch."""
    script.then(200, {"tree": {"sha": "t"}})
    script.then(200, TREE)
    script.then(201, {"sha": "t2"})
    script.then(201, {"sha": NEW})
    script.then(422, {"message": "Reference already exists"})


def test_an_edit_that_changes_nothing_does_not_unsettle_a_branch(forge, script):
    """A file that already says so on the base is in no commit; the branch is right all the same."""
    script.then(200, [PULL])
    script.then(200, compared())
    script.then(200, {"type": "file", "sha": blob(b"tag: v1\n")})

    assert forge.propose(PROPOSAL).head_sha == TIP
    assert writes(script) == []


@pytest.mark.parametrize(
    "seen",
    [
        compared(commits=[{"sha": OTHER}, {"sha": TIP}]),
        compared(behind_by=1),
        compared(files=[{"filename": "a.yaml", "status": "modified", "sha": blob(b"evil")}]),
        compared(files=[{"filename": "evil.yaml", "status": "added", "sha": blob(b"tag: v2\n")}]),
        compared(files=[*compared()["files"], {"filename": "b.yaml", "status": "removed", "sha": "0"}]),
        compared(files=[{"filename": "a.yaml", "status": "modified"}]),
    ],
)
def test_a_branch_that_holds_anything_else_is_forced(forge, script, seen):
    """Another file, other content, a second commit, an older base, a removal: the branch is made anew."""
    script.then(200, [PULL])
    script.then(200, seen)
    remade(script)
    script.then(200, seen)
    script.then(200, {})

    assert forge.propose(PROPOSAL).head_sha == NEW
    assert writes(script)[-1] == ("PATCH", "git/refs/heads/slipway/x")
    assert json.loads([each for each in script.sent if each.method == "PATCH"][-1].body) == {
        "sha": NEW,
        "force": True,
    }


@pytest.mark.parametrize(
    "found", [(404, {"message": "Not Found"}), (200, {"sha": blob(b"other")}), (200, [])]
)
def test_an_edit_that_is_missing_in_the_commit_is_noticed(forge, script, found):
    """The commit lacks a wanted change: it is not the one that was asked for."""
    script.then(200, [PULL])
    script.then(200, compared())
    script.then(*found)
    remade(script)
    script.then(404, {"message": "Not Found"})
    script.then(200, {})

    assert forge.propose(PROPOSAL).head_sha == NEW
    assert writes(script)[-1] == ("PATCH", "git/refs/heads/slipway/x")


def test_two_workers_open_one_pull_request(forge, script):
    """Refused because the other was faster: theirs is ours."""
    script.then(200, [])
    remade(script)
    script.then(200, compared(commits=[{"sha": OTHER}, {"sha": TIP}]))
    script.then(200, {})
    script.then(422, {"message": "Validation Failed", "errors": ["A pull request already exists"]})
    script.then(200, [PULL])

    assert forge.propose(PROPOSAL).number == 7


def test_a_pull_request_that_github_refuses_is_told(forge, script):
    """No other worker, only a no: GitHub's reason is passed on."""
    script.then(200, [])
    script.then(200, {"tree": {"sha": "t"}})
    script.then(200, TREE)
    script.then(201, {"sha": "t2"})
    script.then(201, {"sha": TIP})
    script.then(201, {})
    script.then(422, {"message": "Validation Failed", "errors": ["No commits between main and slipway/x"]})
    script.then(200, [])

    with pytest.raises(Refused, match="No commits between"):
        forge.propose(PROPOSAL)


def test_a_server_without_the_filter_does_not_hand_us_another_pull_request(forge, script):
    """A listing that ignores the branch asked for is read for that branch."""
    script.then(200, [{**PULL, "number": 3, "head": {**PULL["head"], "ref": "feature"}}])
    script.then(200, {"tree": {"sha": "t"}})
    script.then(200, TREE)
    script.then(201, {"sha": "t2"})
    script.then(201, {"sha": TIP})
    script.then(201, {})
    script.then(201, PULL)

    assert forge.propose(PROPOSAL).number == 7


def test_bytes_go_as_a_blob(forge, script):
    """What is no text is sent in base64, in a request of its own."""
    script.then(200, [])
    script.then(200, {"tree": {"sha": "t"}})
    script.then(200, TREE)
    script.then(201, {"sha": "blob"})
    script.then(201, {"sha": "t2"})
    script.then(201, {"sha": TIP})
    script.then(201, {})
    script.then(201, PULL)

    forge.propose(Proposal("slipway/x", BASE, {"a.bin": b"\xff"}, "m", "Promote", "Why."))

    sent = next(json.loads(each.body) for each in script.sent if each.url.endswith("/git/blobs"))
    assert base64.b64decode(sent["content"]) == b"\xff"


@pytest.mark.parametrize("path", ["../x", "/etc/passwd", "a//b", "a/./b"])
def test_an_edit_outside_of_the_repository_is_refused(forge, script, path):
    """Before anything is sent."""
    sent = len(script.sent)

    with pytest.raises(Refused, match="no path"):
        forge.propose(Proposal("slipway/x", BASE, {path: b""}, "m", "t", "b"))

    assert len(script.sent) == sent


def entries(script):
    """What the posted tree says of each file."""
    sent = next(json.loads(each.body) for each in script.sent if each.url.endswith("/git/trees"))
    return {entry["path"]: entry["mode"] for entry in sent["tree"]}


def committed(script):
    script.then(201, {"sha": "t2"})
    script.then(201, {"sha": TIP})
    script.then(201, {})
    script.then(201, PULL)


def test_a_script_stays_a_script(forge, script):
    """The mode of a file is kept; a link that got there is not written through."""
    script.then(200, [])
    script.then(200, {"tree": {"sha": "t"}})
    modes = {"a.yaml": "100755", "same.yaml": "120000"}
    listed = [{"path": path, "mode": mode, "type": "blob", "sha": "1"} for path, mode in modes.items()]
    script.then(200, {"tree": listed, "truncated": False})
    committed(script)
    forge.propose(PROPOSAL)

    assert entries(script) == {"a.yaml": "100755", "same.yaml": "100644"}


def test_a_repository_too_large_for_one_listing_is_walked(forge, script):
    """Folder by folder, and only those that lead to a file that is edited."""
    script.then(200, [])
    script.then(200, {"tree": {"sha": "t"}})
    script.then(200, {"tree": [], "truncated": True})
    folders = [{"path": "models", "type": "tree", "mode": "040000", "sha": "m"}]
    script.then(200, {"tree": [*folders, {"path": "run", "type": "blob", "mode": "100755", "sha": "1"}]})
    script.then(200, {"tree": [{"path": "x/run", "type": "blob", "mode": "100755", "sha": "1"}]})
    committed(script)
    edits = {"models/x/run": b"1", "models/new": b"1", "run": b"1", "absent/run": b"1"}
    forge.propose(Proposal("slipway/x", BASE, edits, "m", "Promote", "Why."))

    assert entries(script) == {
        "models/x/run": "100755",
        "models/new": "100644",
        "run": "100755",
        "absent/run": "100644",
    }


def test_a_pull_request_that_lags_behind_its_branch_is_waited_for(forge, script):
    """Its old head is not taken for somebody else's commit, but not for ever either."""
    script.then(200, [])
    script.then(200, {"tree": {"sha": "t"}})
    script.then(200, TREE)
    script.then(201, {"sha": "t2"})
    script.then(201, {"sha": NEW})
    script.then(201, {})
    script.then(201, PULL)
    forge.propose(PROPOSAL)
    script.then(200, PULL)
    with pytest.raises(Unavailable, match="does not show its new commit yet"):
        forge.pull(7)
    script.then(200, {**PULL, "head": {**PULL["head"], "sha": NEW}})
    assert forge.pull(7).head_sha == NEW

    script.then(200, {**PULL, "head": {**PULL["head"], "sha": OTHER}})
    assert forge.pull(7).head_sha == OTHER


def test_labels_assignees_and_reviewers_are_each_left_out_where_they_are_refused(forge, script):
    """The pull request is what matters."""
    script.then(200, [PULL])
    script.then(200, compared())
    script.then(200, {"type": "file", "sha": blob(b"tag: v1\n")})
    script.then(404, {"message": "Not Found"})
    script.then(422, {"message": "Reviews may only be requested from collaborators."})
    wanted = replace(PROPOSAL, assignees=("alice",), reviewers=("bob",))

    assert forge.propose(wanted).number == 7
    assert [url for _, url in writes(script)] == ["issues/7/assignees", "pulls/7/requested_reviewers"]


def test_a_forks_pull_request_from_a_branch_of_the_same_name_is_not_taken_for_ours(forge, script):
    """GitHub's filter names an owner, and a fork may belong to the same one."""
    fork = PULL | {"number": 6, "head": PULL["head"] | {"repo": {"full_name": "octo/copy"}}}
    script.then(200, [fork, PULL])
    script.then(200, compared())
    script.then(200, {"sha": blob(b"tag: v1\n")})

    assert forge.propose(PROPOSAL).number == 7
