"""What the adapter sends, counted and cut on the wire."""

import dataclasses
import socket
import time
from datetime import UTC, datetime
from itertools import count

import pytest

from bot.adapters.github import GitHubApp
from bot.domain.pull import Permission, PullState
from bot.ports import CheckRun, Installed, Proposal, Refused, Unavailable

NAMES = count(1)
FILES = {f"models/{name}.yaml": b"tag: v2\n" for name in "abc"}


@pytest.fixture
def proposal(server_world) -> Proposal:
    """Three files, a label and a reviewer."""
    base = server_world.commit("main", dict.fromkeys(FILES, b"tag: v1\n"))
    server_world.grant("bob", Permission.WRITE)
    return Proposal(
        branch="slipway/fraud-detector/v2",
        base_sha=base,
        edits=FILES,
        commit_message="Promote fraud-detector 2\n\nTo production.",
        title="Promote fraud-detector 2",
        body="Better by 2%.",
        labels=("slipway",),
        reviewers=("bob",),
    )


@pytest.fixture(params=["graphql", "rest"])
def way(request, wire) -> str:
    """Both ways to make a commit; where GraphQL is missing the server says 404."""
    if request.param == "rest":
        wire.denied["/graphql"] = 404
    return request.param


def another_process(world):
    """The same App in a process that remembers nothing."""
    keys, shared = world.app, world.app._shared
    fresh = GitHubApp(shared.app_auth.app_id, "unused", shared.base_url)
    fresh._shared = dataclasses.replace(keys._shared, without_graphql=set())
    return fresh.forge(world.installation, world.repository)


def test_a_bump_takes_few_calls(server_world, wire, proposal, way):
    """Three files, a label and a reviewer: at most 4 calls with GraphQL, at most 9 with REST."""
    server_world.forge.head()  # a token is at hand, as in any process that has run for a minute
    if way == "rest":
        server_world.app._shared.without_graphql.add(server_world.installation)
    wire.exchanges.clear()

    server_world.forge.propose(proposal)

    assert len(wire.calls) <= {"graphql": 4, "rest": 9}[way], wire.calls


def test_the_size_of_the_repository_costs_no_calls(server_world, wire, proposal, way):
    """Neither files nor history are walked: the same calls for a thousand files more."""
    if way == "rest":
        server_world.app._shared.without_graphql.add(server_world.installation)
    server_world.forge.head()
    wire.exchanges.clear()
    server_world.forge.propose(proposal)
    small = [call.split()[0] for call in wire.calls]
    tree = [
        {"path": f"data/{n % 30}/{n}.txt", "mode": "100644", "type": "blob", "content": str(n)}
        for n in range(1000)
    ]
    parent = server_world.ask("alice", "GET", f"/git/commits/{proposal.base_sha}")["tree"]["sha"]
    grown = server_world.ask("alice", "POST", "/git/trees", json={"base_tree": parent, "tree": tree})["sha"]
    base = proposal.base_sha
    for number in range(20):
        commit = {"message": f"Change {number}", "tree": grown, "parents": [base]}
        base = server_world.ask("alice", "POST", "/git/commits", json=commit)["sha"]
    server_world.ask("alice", "PATCH", "/git/refs/heads/main", json={"sha": base})
    wire.exchanges.clear()

    server_world.forge.propose(dataclasses.replace(proposal, branch="slipway/large", base_sha=base))

    assert [call.split()[0] for call in wire.calls] == small


def test_a_crash_between_any_two_calls_leaves_one_pull_request(server_world, wire, proposal, way):
    """Cut after any call, and done again by another process: one pull request, one commit on the base."""
    for answers in range(14):
        branch = f"slipway/cut/{answers}"
        wanted = dataclasses.replace(proposal, branch=branch)
        wire.cut_after = answers
        try:
            another_process(server_world).propose(wanted)
        except Unavailable:
            crashed = True
        else:
            crashed = False
        wire.cut_after = None

        pull = another_process(server_world).propose(wanted)

        forge = server_world.forge
        assert [each.number for each in forge.open_pulls() if each.branch == branch] == [pull.number]
        assert forge.head(branch) == pull.head_sha
        assert forge.changed_files(proposal.base_sha, branch) == tuple(sorted(FILES))
        commits = server_world.ask("alice", "GET", f"/compare/{proposal.base_sha}...{branch}")["ahead_by"]
        assert commits == 1
        assert forge.pull(pull.number).labels == ("slipway",)
        assert server_world.reviewers(pull.number) == {"bob"}
        if not crashed:
            break
    else:
        pytest.fail("the last round should have run to its end")


def test_the_bots_commits_are_verified(server_world, proposal, way):
    """GitHub signs what an App commits without naming an author, whichever way it was made."""
    pull = server_world.forge.propose(proposal)

    commit = server_world.ask("alice", "GET", f"/commits/{pull.head_sha}")["commit"]
    assert commit["verification"]["verified"]
    assert commit["message"] == proposal.commit_message


LACKING = (
    "/reactions",
    "/check-runs",
    "/deployments",
    "/issues",
    "/requested_reviewers",
    "/assignees",
    "/labels",
    "/graphql",
)


@pytest.mark.parametrize(
    ("lacking", "status"),
    [*((LACKING, status) for status in (403, 404, 410)), *(((each,), 404) for each in LACKING)],
    ids=lambda value: "+".join(value).replace("/", "") if isinstance(value, tuple) else str(value),
)
def test_what_github_lacks_is_left_out(server_world, wire, proposal, lacking, status):
    """Without any of them, and without all of them, a promotion still goes on."""
    for end in lacking:
        wire.denied[end] = status
    forge = server_world.forge

    pull = forge.propose(dataclasses.replace(proposal, assignees=("bob",)))
    comment = server_world.comment(pull.number, "alice", "/promote")
    forge.react(comment, "eyes")
    assert forge.has_check(pull.head_sha, "slipway / gates") == ("/check-runs" in lacking)
    forge.check(CheckRun("slipway / gates", pull.head_sha, "Gates", "All hold.", "success"))
    assert forge.has_check(pull.head_sha, "slipway / gates")
    forge.deployment("production", pull.head_sha, "success", "Version 2", None)

    assert (forge.upsert_issue("<!-- m -->", "title", "body") == 0) == ("/issues" in lacking)
    forge.close_issue("<!-- m -->")
    merged = forge.merge(pull.number, sha=pull.head_sha, title="Promote", message="")
    assert forge.pull(pull.number).merge_sha == merged


def test_a_reviewer_who_cannot_be_asked_does_not_keep_the_others_out(server_world, proposal):
    """The pull request is what matters; whoever can be asked is asked."""
    wanted = dataclasses.replace(proposal, reviewers=("stranger", "bob", "octo/absent-team"))

    pull = server_world.forge.propose(wanted)

    assert pull.state is PullState.OPEN
    assert server_world.reviewers(pull.number) == {"bob"}


def test_an_unchanged_answer_is_free(server_world, wire, proposal):
    """The second question carries the ETag of the first answer, and 304 brings the same value."""
    first = server_world.forge.head()
    wire.exchanges.clear()

    assert server_world.forge.head() == first
    assert [exchange.status for exchange in wire.exchanges] == [304]


def test_what_changed_is_seen_at_once(server_world, wire):
    """An ETag never hides a new state."""
    server_world.forge.head()
    pushed = server_world.commit("main", {"a": b"1"})

    assert server_world.forge.head() == pushed


def test_a_squashing_repository_is_merged_into_all_the_same(server_world, proposal):
    """Where merge commits are not allowed, the next way that is allowed is taken."""
    server_world.server._repository(server_world.repository).merge_methods[:] = ["squash"]
    pull = server_world.forge.propose(proposal)

    merged = server_world.forge.merge(pull.number, sha=pull.head_sha, title="Promote", message="Why.")

    assert server_world.forge.read("models/a.yaml", merged) == b"tag: v2\n"


def test_the_app_lists_its_repositories(github_server, wire):
    """Every repository of every installation, with the installation that reaches it."""
    keys = github_server.create_app(f"lister-{next(NAMES)}", permissions={}, events=[])
    wanted = set()
    for owner in ("one", "two"):
        repository = f"{keys.slug}-{owner}/gitops"
        made = github_server.create_repository(repository, {"README.md": b""})
        wanted.add(Installed(made.id, repository, github_server.install(keys, [repository])))

    assert set(GitHubApp(keys.id, keys.private_key_pem, github_server.api_url).repositories()) == wanted


def test_a_token_opens_one_repository_only(server_world, github_server, wire):
    """Rights are asked for one repository, and no more than are used."""
    server_world.forge.head()

    asked = [each.body for each in wire.exchanges if each.path.endswith("/access_tokens")]
    assert all(body["repositories"] == ["gitops"] for body in asked)
    issued = github_server.world.state.tokens[server_world.forge._client._auth.current.value]
    assert issued.repositories is not None
    assert "administration" not in issued.permissions


def test_one_installation_does_not_reach_anothers_repository(server_world, github_server):
    """A forge made with the wrong installation is refused before anything is read."""
    github_server.create_repository("others/secret", {"README.md": b"secret"})

    with pytest.raises(Refused):
        server_world.app.forge(server_world.installation, "others/secret").head()


def test_lost_deliveries_are_sent_again(github_server, wire):
    """What nobody answered is asked for once more, but not for ever, and not from before."""
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        address = f"http://127.0.0.1:{closed.getsockname()[1]}/webhooks/github"
    slug = f"unheard-{next(NAMES)}"
    keys = github_server.create_app(slug, permissions={}, events=[], webhook_url=address, webhook_secret="s")
    github_server.create_repository(f"{slug}/gitops", {"README.md": b""})
    app = GitHubApp(keys.id, keys.private_key_pem, github_server.api_url)
    github_server.install(keys, [f"{slug}/gitops"])
    long_ago, later = datetime(2020, 1, 1, tzinfo=UTC), datetime(2100, 1, 1, tzinfo=UTC)

    def attempts() -> int:
        return sum(
            each.app == keys.id and each.status != "pending" for each in github_server.world.state.deliveries
        )

    def wait_for(wanted: int) -> None:
        deadline = time.monotonic() + 60
        while attempts() < wanted:
            assert time.monotonic() < deadline, "the delivery was never attempted"
            time.sleep(0.01)

    wait_for(1)
    assert app.redeliver_failed(later) == 0
    for attempt in (2, 3):
        assert app.redeliver_failed(long_ago) == 1
        wait_for(attempt)
    assert app.redeliver_failed(long_ago) == 0


def test_a_check_is_shown_on_its_commit(server_world, proposal):
    """Made, finished, run again: the newest run of the name says where it is."""
    forge, sha = server_world.forge, proposal.base_sha
    for conclusion in (None, "failure", None, "success"):
        forge.check(CheckRun("slipway / canary", sha, "Canary", f"Now {conclusion}.", conclusion))

    runs = server_world.ask("alice", "GET", f"/commits/{sha}/check-runs?filter=all")["check_runs"]
    assert sorted((run["status"], run["conclusion"], run["output"]["summary"]) for run in runs) == [
        ("completed", "failure", "Now failure."),
        ("completed", "success", "Now success."),
    ]


def deployments(world):
    """(environment, commit, newest state) of every deployment, oldest first."""
    found = []
    for each in reversed(world.ask("alice", "GET", "/deployments")):
        (newest, *_) = world.ask("alice", "GET", f"/deployments/{each['id']}/statuses")
        found.append((each["environment"], each["sha"], newest["state"]))
    return found


def test_the_environments_page_tells_the_truth(server_world, proposal):
    """One deployment for a commit in an environment, a status for each change, and one that runs."""
    forge, first = server_world.forge, proposal.base_sha
    for state in ("in_progress", "in_progress", "success"):
        forge.deployment("production", first, state, "Version 1", "https://x.test", production=True)
    forge.deployment("staging", first, "success", "Version 1", None)
    second = server_world.commit("main", {"a": b"2"})
    forge.deployment("production", second, "in_progress", "Version 2", None, production=True)
    assert deployments(server_world) == [
        ("production", first, "success"),
        ("staging", first, "success"),
        ("production", second, "in_progress"),
    ]
    back = server_world.commit("main", {"a": b"1"})
    forge.deployment("production", second, "inactive", "Version 2", None, production=True)
    forge.deployment("production", back, "success", "Version 1 again", None, production=True)

    assert deployments(server_world) == [
        ("production", first, "inactive"),
        ("staging", first, "success"),
        ("production", second, "inactive"),
        ("production", back, "success"),
    ]


def test_a_script_stays_a_script_when_its_pin_moves(server_world, proposal, way):
    """Whichever way the commit is made, the mode of a file is kept."""
    blob = {"content": "#!/bin/sh\necho v1\n", "encoding": "utf-8"}
    sha = server_world.ask("alice", "POST", "/git/blobs", json=blob)["sha"]
    parent = server_world.ask("alice", "GET", f"/git/commits/{proposal.base_sha}")["tree"]["sha"]
    entry = {"path": "bin/run", "mode": "100755", "type": "blob", "sha": sha}
    tree = server_world.ask("alice", "POST", "/git/trees", json={"base_tree": parent, "tree": [entry]})["sha"]
    commit = {"message": "Add a script", "tree": tree, "parents": [proposal.base_sha]}
    base = server_world.ask("alice", "POST", "/git/commits", json=commit)["sha"]
    server_world.ask("alice", "PATCH", "/git/refs/heads/main", json={"sha": base})

    edits = {"bin/run": b"#!/bin/sh\necho v2\n", "models/a.yaml": b"tag: v2\n"}
    pull = server_world.forge.propose(dataclasses.replace(proposal, base_sha=base, edits=edits))

    listed = server_world.ask("alice", "GET", f"/git/trees/{pull.head_sha}?recursive=1")["tree"]
    modes = {entry["path"]: entry["mode"] for entry in listed}
    assert (modes["bin/run"], modes["models/a.yaml"]) == ("100755", "100644")


def test_a_reaction_is_seen_once(server_world, proposal):
    """Eyes, once, by the bot."""
    pull = server_world.forge.propose(proposal)
    comment = server_world.comment(pull.number, "alice", "/promote")
    for reaction in ("eyes", "eyes", "rocket"):
        server_world.forge.react(comment, reaction)

    seen = server_world.ask("alice", "GET", f"/issues/comments/{comment}/reactions")
    assert [(each["content"], each["user"]["login"]) for each in seen] == [
        ("eyes", "slipway[bot]"),
        ("rocket", "slipway[bot]"),
    ]
