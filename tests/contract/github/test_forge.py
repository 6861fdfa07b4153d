"""What every forge promises: the fake in memory and the adapter against a real server alike."""

from datetime import UTC, datetime, timedelta

import pytest

from bot.domain.pull import Permission, PullState
from bot.ports import CheckRun, Conflict, NotFound, Proposal, Refused

MARKER = "<!-- slipway:status -->"


@pytest.fixture
def base(world):
    """A commit on main with three pins."""
    return world.commit("main", {f"models/{name}.yaml": b"tag: v1\n" for name in "abc"})


def bump(base, branch="slipway/fraud-detector/v2", **changes):
    return Proposal(
        **{
            "branch": branch,
            "base_sha": base,
            "edits": {f"models/{name}.yaml": b"tag: v2\n" for name in "abc"},
            "commit_message": "Promote fraud-detector 2\n\nTo production.",
            "title": "Promote fraud-detector 2",
            "body": "Better by 2%.",
        }
        | changes
    )


def test_files_are_read_at_a_commit(world, base):
    """A commit stays what it was, whatever is pushed after it."""
    later = world.commit("main", {"models/a.yaml": b"tag: \xc3\xa9\n"})

    assert world.forge.read("models/a.yaml", base) == b"tag: v1\n"
    assert world.forge.read("models/a.yaml", later) == b"tag: \xc3\xa9\n"
    assert world.forge.head() == later == world.forge.head("main")
    assert world.forge.default_branch() == "main"


def test_what_is_no_file_is_refused(world, base):
    """Absent is NotFound, a folder is Refused, a path that leads out is not even asked for."""
    with pytest.raises(NotFound):
        world.forge.read("models/z.yaml", base)
    with pytest.raises(NotFound):
        world.forge.read("models/a.yaml", "0" * 40)
    with pytest.raises(NotFound):
        world.forge.head("absent")
    for path in ("models", "models/../models/a.yaml", "/etc/passwd"):
        with pytest.raises(Refused):
            world.forge.read(path, base)


def test_a_folder_lists_its_files_only(world):
    """Files directly inside, as paths from the root, without what lies deeper."""
    sha = world.commit("main", {"x/b": b"", "x/a": b"1", "x/deep/c": b""})

    assert world.forge.list_folder("x", sha) == ("x/a", "x/b")
    with pytest.raises(NotFound):
        world.forge.list_folder("y", sha)


def test_history_is_known(world, base):
    """What changed between two commits, and which one builds on which."""
    later = world.commit("main", {"models/a.yaml": b"tag: v2\n"})

    assert world.forge.changed_files(base, later) == ("models/a.yaml",)
    assert world.forge.is_ancestor(base, later)
    assert world.forge.is_ancestor(base, base)
    assert not world.forge.is_ancestor(later, base)


def test_a_proposal_becomes_one_commit_and_one_pull_request(world, base):
    """Exactly the edits, on exactly the base, by the bot, with labels and reviewers."""
    world.grant("bob", Permission.WRITE)

    pull = world.forge.propose(bump(base, labels=("slipway", "production"), reviewers=("bob",)))

    assert pull.state is PullState.OPEN
    assert (pull.branch, pull.base_branch) == ("slipway/fraud-detector/v2", "main")
    assert pull.author == world.forge.bot_login
    assert pull.head_repository == world.forge.repository
    assert set(pull.labels) == {"slipway", "production"}
    assert world.reviewers(pull.number) == {"bob"}
    assert world.body(pull.number) == "Better by 2%."
    assert world.forge.head(pull.branch) == pull.head_sha
    assert world.forge.changed_files(base, pull.head_sha) == tuple(f"models/{n}.yaml" for n in "abc")
    assert world.forge.read("models/b.yaml", pull.head_sha) == b"tag: v2\n"
    assert world.forge.pull(pull.number).title == "Promote fraud-detector 2"


def test_proposing_twice_is_proposing_once(world, base):
    """The same pull request, the same commit."""
    first = world.forge.propose(bump(base, labels=("slipway",)))
    second = world.forge.propose(bump(base, labels=("slipway",)))

    assert (first.number, first.head_sha) == (second.number, second.head_sha)
    assert [pull.number for pull in world.forge.open_pulls()] == [first.number]


def test_a_branch_that_moved_is_put_back_to_one_commit(world, base):
    """Somebody else's commit on the branch goes; the pull request stays the same and open."""
    first = world.forge.propose(bump(base))
    world.commit(first.branch, {"models/evil.yaml": b"tag: latest\n"})

    second = world.forge.propose(bump(base))

    assert second.number == first.number
    assert world.forge.changed_files(base, second.head_sha) == tuple(f"models/{n}.yaml" for n in "abc")
    assert world.forge.pull(first.number).state is PullState.OPEN
    assert world.forge.pull(first.number).head_sha == second.head_sha


def test_a_proposal_on_a_newer_base_moves_the_branch(world, base):
    """The base moved: one commit on the new base, the same pull request, the new words."""
    first = world.forge.propose(bump(base))
    newer = world.commit("main", {"other.yaml": b"x"})

    second = world.forge.propose(bump(newer, title="Promote again", body="New words."))

    assert second.number == first.number
    assert world.forge.is_ancestor(newer, second.head_sha)
    assert world.forge.changed_files(newer, second.head_sha) == tuple(f"models/{n}.yaml" for n in "abc")
    assert (second.title, world.body(second.number)) == ("Promote again", "New words.")


def test_a_closed_pull_request_is_followed_by_a_new_one(world, base):
    """One open pull request is wanted; a closed one is history."""
    first = world.forge.propose(bump(base))
    world.forge.close(first.number)
    world.forge.close(first.number)

    second = world.forge.propose(bump(base))

    assert second.number != first.number
    assert world.forge.pull(first.number).state is PullState.CLOSED
    assert [pull.number for pull in world.forge.open_pulls()] == [second.number]


def test_a_branch_without_a_pull_request_gets_one(world, base):
    """As after a crash between the commit and the pull request, or between the branch and the commit."""
    world.commit("slipway/half", {f"models/{name}.yaml": b"tag: v2\n" for name in "abc"})
    made = world.forge.propose(bump(base, branch="slipway/half"))

    assert world.forge.changed_files(base, made.head_sha) == tuple(f"models/{n}.yaml" for n in "abc")
    assert len(world.forge.open_pulls()) == 1


def test_the_default_branch_is_never_proposed_to(world, base):
    """A proposal needs a branch of its own."""
    with pytest.raises(Refused):
        world.forge.propose(bump(base, branch="main"))

    assert world.forge.head() == base


def test_content_that_is_no_text_is_proposed_as_it_is(world, base):
    """Bytes are bytes, also beside a branch that exists."""
    world.commit("slipway/bytes", {"models/a.yaml": b"other"})

    pull = world.forge.propose(bump(base, branch="slipway/bytes", edits={"models/a.yaml": b"\xff\x00\xfe"}))

    assert world.forge.read("models/a.yaml", pull.head_sha) == b"\xff\x00\xfe"


def test_exactly_the_named_commit_is_merged(world, base):
    """The files are on main afterwards; merging again answers with the same commit."""
    pull = world.forge.propose(bump(base))

    merged = world.forge.merge(pull.number, sha=pull.head_sha, title="Promote", message="By alice.")

    seen = world.forge.pull(pull.number)
    assert seen.state is PullState.MERGED
    assert seen.merge_sha == merged == world.forge.head()
    assert seen.merged_by == world.forge.bot_login
    assert seen.merged_at is not None
    assert world.forge.read("models/c.yaml", merged) == b"tag: v2\n"
    assert world.forge.merge(pull.number, sha=pull.head_sha, title="Promote", message="") == merged


def test_a_head_that_moved_is_not_merged(world, base):
    """Between the look and the merge somebody pushed: Conflict, and nothing is merged."""
    pull = world.forge.propose(bump(base))
    world.commit(pull.branch, {"models/evil.yaml": b"tag: latest\n"})

    with pytest.raises(Conflict):
        world.forge.merge(pull.number, sha=pull.head_sha, title="Promote", message="")

    assert world.forge.head() == base


def test_what_conflicts_or_is_closed_is_not_merged(world, base):
    """Refused, with a reason."""
    pull = world.forge.propose(bump(base))
    world.commit("main", {"models/a.yaml": b"tag: v9\n"})
    with pytest.raises(Refused, match=r"conflict|mergeable"):
        world.forge.merge(pull.number, sha=pull.head_sha, title="Promote", message="")

    world.close(pull.number, "alice")
    with pytest.raises(Refused, match="closed"):
        world.forge.merge(pull.number, sha=pull.head_sha, title="Promote", message="")
    with pytest.raises(NotFound):
        world.forge.merge(999, sha=pull.head_sha, title="Promote", message="")


def test_who_closed_and_who_merged_is_known(world, base):
    """A person's own hand is told apart from the bot's."""
    one = world.forge.propose(bump(base))
    two = world.forge.propose(bump(base, branch="slipway/two", edits={"two": b"2"}))
    world.close(one.number, "alice")
    world.merge(two.number, "alice")

    closed, merged = world.forge.pull(one.number), world.forge.pull(two.number)

    assert (closed.state, closed.closed_by, closed.merge_sha) == (PullState.CLOSED, "alice", None)
    assert (merged.state, merged.merged_by) == (PullState.MERGED, "alice")
    assert world.forge.open_pulls() == []


def test_a_pull_request_that_does_not_exist_is_not_found(world):
    """No other is shown in its place."""
    with pytest.raises(NotFound):
        world.forge.pull(404)


def test_a_branch_may_be_deleted(world, base):
    """Twice is once."""
    pull = world.forge.propose(bump(base))
    world.forge.close(pull.number)
    for _ in range(2):
        world.forge.delete_branch(pull.branch)
    with pytest.raises(NotFound):
        world.forge.head(pull.branch)


def test_comments_are_read_with_their_authors(world, base):
    """People and the bot are told apart; what is older than asked for is left out."""
    pull = world.forge.propose(bump(base))
    world.grant("bob", Permission.READ)
    written = world.comment(pull.number, "bob", "/promote")
    own = world.forge.upsert_comment(pull.number, MARKER, "Hello.")

    comments = {comment.id: comment for comment in world.forge.comments(pull.number)}

    assert (comments[written].author, comments[written].body) == ("bob", "/promote")
    assert (comments[written].from_bot, comments[written].edited) == (False, False)
    assert comments[written].pull == pull.number
    assert comments[own].from_bot
    assert comments[own].author == world.forge.bot_login
    later = max(comment.created_at for comment in comments.values()) + timedelta(hours=1)
    assert world.forge.comments(pull.number, since=later) == []
    assert len(world.forge.comments(pull.number, since=datetime(2020, 1, 1, tzinfo=UTC))) == 2


def test_what_was_said_lately_is_heard_in_one_listing(world, base):
    """The comments of all pull requests, each with its number; what is older is left out."""
    one = world.forge.propose(bump(base))
    two = world.forge.propose(bump(base, branch="slipway/two", edits={"two": b"2"}))
    said = {world.comment(pull.number, "alice", "/promote"): pull.number for pull in (one, two)}

    heard = world.forge.recent_comments(datetime(2020, 1, 1, tzinfo=UTC))

    assert {comment.id: comment.pull for comment in heard} == said
    later = max(comment.created_at for comment in heard) + timedelta(hours=1)
    assert world.forge.recent_comments(later) == []


def test_the_status_comment_is_edited_in_place(world, base):
    """One comment for one marker, and never somebody else's that quotes the marker."""
    pull = world.forge.propose(bump(base))
    world.comment(pull.number, "alice", f"> {MARKER}\nquoted")
    first = world.forge.upsert_comment(pull.number, MARKER, "One.")
    other = world.forge.upsert_comment(pull.number, "<!-- slipway:answer:1 -->", "Another.")
    second = world.forge.upsert_comment(pull.number, MARKER, "Two.")

    bodies = {comment.id: comment.body for comment in world.forge.comments(pull.number)}
    assert first == second != other
    assert bodies[first] == f"{MARKER}\nTwo."
    assert len(bodies) == 3


def test_a_reaction_is_given_once_and_is_nothing_where_it_cannot_be(world, base):
    """Reacting never fails for want of a comment."""
    pull = world.forge.propose(bump(base))
    comment = world.comment(pull.number, "alice", "/promote")

    for _ in range(2):
        world.forge.react(comment, "eyes")
    world.forge.react(10**9, "rocket")


def test_reviews_count_for_the_commit_they_were_given_to(world, base):
    """Author, state, words and commit."""
    pull = world.forge.propose(bump(base))
    world.grant("bob", Permission.WRITE)
    world.review(pull.number, "bob", "approved", "/promote")

    (review,) = world.forge.reviews(pull.number)

    assert (review.author, review.state, review.body, review.commit) == (
        "bob",
        "approved",
        "/promote",
        pull.head_sha,
    )


def test_one_issue_carries_a_marker_until_it_is_closed(world):
    """Made, edited, closed; afterwards a new one."""
    marker = "<!-- slipway:config -->"
    first = world.forge.upsert_issue(marker, "slipway.yaml is wrong", "Line 3.")
    same = world.forge.upsert_issue(marker, "slipway.yaml is wrong", "Line 4.")
    world.forge.close_issue(marker)
    world.forge.close_issue(marker)
    second = world.forge.upsert_issue(marker, "slipway.yaml is wrong", "Line 5.")

    assert first == same != second
    assert sorted(world.issues()) == [
        (first, "closed", "slipway.yaml is wrong", f"{marker}\nLine 4."),
        (second, "open", "slipway.yaml is wrong", f"{marker}\nLine 5."),
    ]


@pytest.mark.parametrize("permission", Permission)
def test_a_persons_right_is_asked_live(world, permission):
    """All of GitHub's roles, and nobody's for a stranger; a change is seen at once."""
    world.grant("bob", Permission.READ)
    world.forge.permission("bob")
    world.grant("bob", permission)

    assert world.forge.permission("bob") is permission
    assert world.forge.permission("stranger") is Permission.NONE


def test_a_team_is_known_by_its_members(world):
    """A member is in it, others are not, and nobody is in a team that does not exist."""
    world.grant("alice", Permission.ADMIN)
    world.team("ml-leads", "bob")

    assert world.forge.in_team("ml-leads", "bob")
    assert not world.forge.in_team("ml-leads", "alice")
    assert not world.forge.in_team("absent", "bob")


def test_a_check_and_a_deployment_are_made_and_edited(world, base):
    """Twice is once, also where they are missing altogether."""
    for conclusion in (None, "success", "success"):
        world.forge.check(
            CheckRun("slipway / gates", base, "Gates", "All hold.", conclusion, "https://x.test")
        )
        world.forge.deployment("production", base, "success", "Version 2", "https://x.test")
    world.forge.check(CheckRun("slipway / gates", base, "Gates", "Again.", None))


def test_a_former_name_leads_here(world):
    """As long as no other repository has it; any other name does not."""
    before = world.forge.repository
    owner = before.split("/")[0]
    forge = world.rename(f"{owner}/renamed")

    assert forge.repository == f"{owner}/renamed"
    assert forge.was_called(before)
    assert forge.was_called(before.upper())
    assert not forge.was_called(f"{owner}/other")


def test_what_was_begun_under_the_former_name_is_done(world, base):
    """GitHub leads every request to the new name; what was proposed is merged under it."""
    pull = world.forge.propose(bump(base))
    renamed = world.rename(f"{world.forge.repository}-renamed")

    assert world.forge.pull(pull.number).head_sha == pull.head_sha

    world.forge.upsert_comment(pull.number, MARKER, "Said under the old name")
    renamed.merge(pull.number, sha=pull.head_sha, title="Promote", message="Why.")

    assert world.forge.pull(pull.number).state is PullState.MERGED
