"""Whose word counts: the live question for a right, hearing comments, and presses on the re-run button."""

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from types import SimpleNamespace

import pytest

from bot.domain import commands
from bot.domain.authorization import DEFAULT_RULES, Action, Allowed, Denied, action_of
from bot.domain.branches import own_branch
from bot.domain.policy import Policy, Right
from bot.domain.promotion import Promotion, Stage
from bot.domain.pull import Permission
from bot.jobs.authority import allowed, permitted
from bot.jobs.events import COMMANDS
from bot.jobs.hear import Hearing
from bot.jobs.rerun import Reruns
from bot.jobs.store import Repository
from bot.ports import Unavailable
from bot.webhooks.github_events import CheckRerequested
from tests.fakes.forge import FakeForge

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
PROMOTION = Promotion(
    id="p1",
    repository="octo/gitops",
    model="fraud",
    environment="production",
    candidate="2",
    baseline="1",
    stage=Stage.OPEN,
    requested_by="ada",
    created_at=NOW,
    stage_since=NOW,
    pull=7,
    head_sha="h" * 40,
    merge_sha="m" * 40,
)
REPOSITORY = Repository("octo/gitops", 1)
NAMED = Policy(commands={"override": Right(role="write", teams=("sre",)), "hold": Right(role="admin")})


@pytest.fixture
def forge() -> FakeForge:
    forge = FakeForge()
    forge.people |= {"ada": Permission.WRITE, "bob": Permission.WRITE, "root": Permission.ADMIN}
    forge.teams["sre"] = {"bob"}
    return forge


def test_the_policys_rule_goes_before_the_one_that_holds_everywhere(forge):
    """Asked live: the right, and each team that the rule names."""
    assert permitted(forge, NAMED, "ada", Action.PROMOTE) == Allowed()
    assert isinstance(permitted(forge, NAMED, "ada", Action.HOLD), Denied)
    assert permitted(forge, NAMED, "root", Action.HOLD) == Allowed()
    assert isinstance(permitted(forge, NAMED, "ada", Action.OVERRIDE), Denied)
    assert permitted(forge, NAMED, "bob", Action.OVERRIDE) == Allowed()


def test_nobody_overrides_where_the_policy_names_nobody(forge):
    """Not even an administrator."""
    answer = permitted(forge, Policy(), "root", Action.OVERRIDE)

    assert isinstance(answer, Denied)
    assert "names nobody who may override" in answer.reason


@pytest.mark.parametrize("login", ["ada", "bob", "root", "stranger"])
@pytest.mark.parametrize("policy", [Policy(), NAMED])
def test_what_a_person_is_told_to_be_allowed_is_what_is_allowed(forge, policy, login):
    """The list of `/help` and the answer to each command come from one rule."""
    told = allowed(forge, policy, login)
    asked = {a for a in Action if permitted(forge, policy, login, a) == Allowed()}

    assert told == asked
    assert set(DEFAULT_RULES) == set(Action) - {Action.OVERRIDE}


def test_a_github_that_is_away_is_no_yes(forge):
    """The question fails, so the command waits."""
    forge.fails = Unavailable("GitHub", "down")

    for ask in (permitted, lambda *given: allowed(*given[:3])):
        with pytest.raises(Unavailable):
            ask(forge, Policy(), "root", Action.PROMOTE)


@pytest.mark.parametrize(("check", "action"), [("canary", Action.RETRY), ("gates", Action.STATUS)])
def test_a_press_takes_the_right_of_the_command_that_it_stands_for(check, action):
    """A canary that begins anew is a retry; another look at the gates is anybody's."""
    assert action_of(commands.Rerun(check)) is action


@dataclass
class Rows:
    """As much of the store as hearing needs."""

    promotion: Promotion | None = PROMOTION
    requests: list = field(default_factory=list)
    woken: list = field(default_factory=list)
    pending: bool = True
    unopened: list = field(default_factory=list)

    def of_pull(self, repository, pull, at=None):
        return self.promotion

    def of_stages(self, stages):
        return self.unopened

    def of_commit(self, repository, sha):
        return [self.promotion] if self.promotion and sha[0] in "hm" else []

    def add_requests(self, rows):
        new = [row for row in rows if row not in self.requests]
        self.requests += new
        return bool(new)

    def pending_requests(self, repository, pulls, promotion):
        return self.requests if self.pending else []

    def wake(self, ids):
        self.woken += list(ids)


@pytest.fixture
def outside(forge):
    forge.check = lambda _run: None  # shown on commits that no test needs
    return SimpleNamespace(store=Rows(), forge=lambda _repository: forge)


@pytest.fixture
def pull(forge):
    forge.commit("main", {"a": b"1"})
    forge.commit("bump", {"a": b"2"})
    return forge.open_pull("bump").number


def test_a_comment_is_heard_once(outside, forge, pull):
    """The second time it only wakes, and only while somebody still waits for the answer."""
    hearing = Hearing(outside)
    comment = forge.comment(pull, "ada", "/hold\n/status")
    for _ in range(2):
        hearing.hear(REPOSITORY, pull, "ada", "/hold\n/status", comment)
    outside.store.pending = False
    hearing.hear(REPOSITORY, pull, "ada", "/hold\n/status", comment)

    assert [(row.author, row.ordinal) for row in outside.store.requests] == [("ada", 0), ("ada", 1)]
    assert outside.store.woken == ["p1", "p1"]
    assert forge.calls.count("react") == 1


@pytest.mark.parametrize(("body", "pull_of_ours"), [("hello", True), ("/promote", False)])
def test_what_is_no_command_or_concerns_no_promotion_is_not_heard(outside, forge, pull, body, pull_of_ours):
    """Nothing is written anywhere."""
    outside.store.promotion = PROMOTION if pull_of_ours else None
    before = list(forge.calls)
    Hearing(outside).hear(REPOSITORY, pull, "ada", body, 5)

    assert (outside.store.requests, outside.store.woken, forge.calls) == ([], [], before)


@pytest.mark.parametrize("exists", [True, False])
def test_a_pull_request_that_is_no_waiting_promotions_is_not_ours(outside, forge, pull, exists):
    """Also while one waits whose pull request was never remembered."""
    outside.store.promotion, outside.store.unopened = None, [PROMOTION]
    Hearing(outside).hear(REPOSITORY, pull if exists else 999, "ada", "/promote", 5)

    assert (outside.store.requests, outside.store.woken) == ([], [])


@pytest.mark.parametrize("fork", [False, True])
def test_a_forks_branch_of_the_same_name_is_not_ours(outside, forge, fork):
    """What is said under a stranger's pull request does not reach the promotion that waits for its own."""
    branch = own_branch(PROMOTION)
    forge.commit(branch, {"a": b"2"})
    number = forge.open_pull(branch).number
    if fork:
        forge.pulls[number] = replace(forge.pulls[number], head_repository="mallory/gitops")
    outside.store.promotion, outside.store.unopened = None, [PROMOTION]
    Hearing(outside).hear(REPOSITORY, number, "ada", "/promote", 5)

    assert bool(outside.store.requests) is not fork


def test_a_mistake_is_answered(outside, forge, pull):
    """With what was meant, perhaps."""
    comment = forge.comment(pull, "ada", "/promot")
    Hearing(outside).hear(REPOSITORY, pull, "ada", "/promot", comment)

    assert "promote" in forge.comments(pull)[-1].body
    assert outside.store.requests == []


def test_a_reaction_that_fails_costs_no_command(outside, forge, pull):
    """It is a courtesy; a review, whose id is negated, has none."""
    forge.react = _away
    Hearing(outside).hear(REPOSITORY, pull, "ada", "/hold", 5)
    Hearing(outside).hear(REPOSITORY, pull, "ada", "/hold", -6)

    assert len(outside.store.requests) == 2


def _away(*_):
    raise Unavailable("GitHub", "down")


@dataclass
class Looked:
    """Checkers that note what they were asked."""

    pulls: list = field(default_factory=list)
    refreshed: list = field(default_factory=list)

    def check(self, repository, pull, change, sha, base):
        self.pulls.append(pull)

    def refresh(self, repository):
        self.refreshed.append(repository.name)


def press(outside, name, sha):
    looked = Looked()
    event = CheckRerequested(
        delivery="d1", installation=1, repository="octo/gitops", name=name, head_sha=sha, by="eve"
    )
    Reruns(outside, looked, looked).pressed(REPOSITORY, event)
    return looked


@pytest.mark.parametrize(
    ("name", "sha", "asked"),
    [
        ("slipway / gates", "h", ["gates"]),
        (None, "h", ["gates"]),
        ("slipway / canary", "m", ["canary"]),
        ("slipway / canary", "h", []),
        ("somebody else's", "m", []),
    ],
)
def test_a_press_is_a_request_of_who_pressed(outside, name, sha, asked):
    """On the check of the commit that it stands on, and on no other; the same delivery again asks once."""
    for _ in range(2):
        press(outside, name, sha * 40)

    assert [COMMANDS.load(row.command).check for row in outside.store.requests] == asked
    assert all(row.author == "eve" for row in outside.store.requests)


def test_a_press_on_a_promotion_without_a_pull_request_asks_nothing(outside):
    """There is nowhere to answer."""
    outside.store.promotion = PROMOTION.__class__(
        **{name: getattr(PROMOTION, name) for name in PROMOTION.__slots__} | {"pull": None}
    )
    press(outside, None, "h" * 40)

    assert outside.store.requests == []


def test_a_press_on_the_check_of_the_configuration_looks_at_it_again(outside, forge, pull):
    """At the pull request of that commit; without one, at the default branch."""
    head = forge.pull(pull).head_sha

    assert press(outside, "slipway / configuration", head).pulls == [pull]
    assert press(outside, "slipway / configuration", "f" * 40).refreshed == ["octo/gitops"]
    assert press(outside, None, "f" * 40).refreshed == ["octo/gitops"]
