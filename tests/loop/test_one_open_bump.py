"""Never two open bumps for one target: whatever comes in between, in whatever order, killed wherever."""

import random
from contextlib import suppress
from dataclasses import replace

import pytest

from bot.domain.branches import place_branch
from bot.domain.promotion import Promotion, Stage
from bot.domain.pull import PullState

POLICIES = [
    b"{}\n",
    b"supersede: update\n",
    b"promote: automatic\n",
    b"supersede: update\napprovals: {count: 1}\n",
]
WORDS = ["/promote", "/rollback", "/hold", "/release", "/retry"]


class Killed(BaseException):
    """The process is gone: no handler catches it."""


class Chaos:
    """Does one thing after another that people, registries and machines do."""

    def __init__(self, world, seed: int) -> None:
        self.world = world
        self.random = random.Random(seed)
        self.done: list[str] = []
        for version in range(4, 7):
            world.registry.add_version("fraud")
            self.newest = version

    def act(self) -> None:
        act = self.random.choice(
            [
                self.alias,
                self.alias,
                self.say,
                self.look,
                self.look,
                self.wait,
                self.policy,
                self.person,
                self.killed,
            ]
        )
        self.done.append(act.__name__)
        act()

    def alias(self) -> None:
        version = str(self.random.randint(2, self.newest))
        self.world.registry.set_alias("fraud", "candidate", version)
        self.world.proposer.begin("octo/gitops", "fraud", "production", version, "alias candidate")

    def look(self) -> None:
        """One worker looks at one promotion; the others' jobs are still on their way."""
        promotions = self.world.promotions()
        if promotions:
            self.world.reconciler.reconcile(self.random.choice(promotions).id)

    def say(self) -> None:
        if pulls := [each.pull for each in self.world.promotions() if each.pull is not None]:
            pull, word = self.random.choice(pulls), self.random.choice(WORDS)
            said = self.world.forge.comment(pull, "ada", word)
            repository = self.world.store.repository("octo/gitops")
            at = self.world.clock.now()
            self.world.receiver._hearing.hear(repository, pull, "ada", word, said, at=at)

    def wait(self) -> None:
        self.world.later(self.random.choice([1, 30, 120]))

    def policy(self) -> None:
        self.world.forge.commit("main", {"policies/quick.yaml": self.random.choice(POLICIES)})
        self.world.resync.run()

    def person(self) -> None:
        """Somebody closes what is open."""
        if self.world.open_pulls():
            self.world.forge.close_as(self.world.open_pulls()[0], "ada")

    def killed(self) -> None:
        """SIGKILL at one of the calls to the forge, or just before what was done is remembered."""
        left = self.random.randint(0, 12)
        forge, store = self.world.forge, self.world.store
        call, save = forge._call, store.save

        def counted(name):
            nonlocal left
            left -= 1
            if left < 0:
                raise Killed
            call(name)

        def lost(*arguments, **named):
            raise Killed

        if self.random.random() < 0.5:
            forge._call = counted
        else:
            store.save = lost
        with suppress(Killed):
            self.look()
        forge._call, store.save = call, save
        self.world.restart()


def bumps(world):
    return [
        pull
        for pull in world.forge.pulls.values()
        if pull.state == "open" and not pull.branch.endswith("-revert")
    ]


@pytest.mark.parametrize("seed", range(10))
def test_there_is_never_more_than_one(world, seed):
    """And in the end it is the one that the rows call open, or none."""
    chaos = Chaos(world, seed)
    for _ in range(30):
        chaos.act()
        assert len(bumps(world)) <= 1, chaos.done
    world.resync.run()
    for _ in range(4):
        world.later(60)
    opened = [each.pull for each in world.promotions() if each.stage is Stage.OPEN]
    waiting = any(each.stage is Stage.WAITING for each in world.promotions())

    assert waiting or [pull.number for pull in bumps(world)] == opened, chaos.done


def test_what_is_said_before_a_killed_process_remembered_its_pull_request_is_heard(world):
    """Somebody comments on the bump while the process that opened it is dead."""
    save = world.store.save

    def lost(before, after, *arguments, **named):
        if after.pull is not None:
            raise Killed
        return save(before, after, *arguments, **named)

    world.store.save = lost
    with suppress(Killed):
        world.alias("2")
    (pull,) = world.open_pulls()
    issue = world.forge.upsert_issue("<!-- theirs -->", "Somebody's issue", "hello")
    for number in (issue, pull):
        with suppress(Killed):
            world.say("ada", "/promote", number)
    assert world.newest().pull is None

    world.store.save = save
    world.restart()
    world.later(60)

    assert world.newest().pull == pull
    assert world.newest().merged_at is not None


def test_a_forks_branch_of_the_same_name_is_left_alone(world):
    """Whoever names a branch in a fork as Slipway does finds it neither closed nor taken for ours."""
    promotion = Promotion(
        id="x",
        repository=world.forge.repository,
        model="fraud",
        environment="production",
        candidate="2",
        baseline=None,
        stage=Stage.WAITING,
        requested_by="",
        created_at=world.clock.now(),
        stage_since=world.clock.now(),
    )
    branch = place_branch(promotion)
    world.forge.commit(branch, {"prod.yaml": b"uri: evil\n"})
    theirs = world.forge.open_pull(branch, author="mallory").number
    world.forge.pulls[theirs] = replace(world.forge.pulls[theirs], head_repository="mallory/gitops")
    world.alias("2")

    assert world.newest().stage is Stage.OPEN
    assert world.newest().pull != theirs
    assert world.forge.pulls[theirs].state is PullState.OPEN
    assert world.forge.branches[branch]
