"""The whole engine on a real PostgreSQL, with the outside in memory and the queue drained by hand."""

import hashlib
import math
import shutil
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine, text

from bot.adapters import shipped
from bot.adapters.database.store import PostgresStore
from bot.domain.build import BuildOrder
from bot.domain.evidence import Metric, VersionEvidence
from bot.domain.live import Liveness, LiveState
from bot.domain.promotion import Promotion
from bot.domain.pull import Permission
from bot.domain.series import Series
from bot.jobs.build import Builder, Workshop
from bot.jobs.configuration import Configurations
from bot.jobs.events import EVENTS
from bot.jobs.outside import Outside
from bot.jobs.propose import Proposer
from bot.jobs.receive import Receiver
from bot.jobs.reconcile import Reconciler
from bot.jobs.resync import Resync
from bot.jobs.store import Delivery
from bot.messages import status
from bot.ports import Attestations, HttpAnswer, HttpAsk, Installed, Limits, OutsideError, Unavailable
from bot.webhooks.argocd import ApplicationChanged
from bot.webhooks.github_events import CommentCreated, PullRequestChanged, PullRequestClosed
from bot.webhooks.mlflow import RegistryChanged
from tests.fakes.forge import FakeForge
from tests.fakes.registry import FakeRegistry

REPOSITORY = "octo/gitops"

CONFIG = b"""\
version: 1
models:
  fraud:
    when: {alias: candidate}
    storage: "models:/{model}/{version}"
    environments:
      production:
        targets: [{file: prod.yaml, pointer: /uri}]
        argocd: fraud-production
        policy: quick
        alias: champion
        slo:
          preset: fastapi
          errors: {objective: 99%}
"""
POLICY = b"""\
canary: {bake: 60s, max_bake: 2m, interval: 5s, warm_up: 10s, min_requests: 20}
"""


@dataclass
class Clock:
    """Goes on when a test says so, and a little with each look: how fast the machine is changes nothing.

    It begins as far ahead as a test may take: what the database calls due at once is due.
    """

    offset: timedelta = timedelta(0)
    began: datetime = field(default_factory=lambda: datetime.now(UTC) + timedelta(minutes=3))

    def now(self) -> datetime:
        self.offset += timedelta(microseconds=100)
        return self.began + self.offset


@dataclass
class App:
    """An App that is installed in one repository."""

    forge_: FakeForge
    redelivered: int = 0
    id: int = 7
    """GitHub's own number of the repository."""
    listed: int = 0

    def repositories(self) -> Sequence[Installed]:
        self.listed += 1
        return [Installed(self.id, self.forge_.repository, 1)]

    def forge(self, installation: int, repository: str) -> FakeForge:
        assert (installation, repository) == (1, self.forge_.repository)
        return self.forge_

    def redeliver_failed(self, since: datetime) -> int:
        self.redelivered += 1
        return 0


@dataclass
class Cluster:
    """Says of every commit that it is live, unless told otherwise."""

    answer: Liveness = field(default_factory=lambda: Liveness(LiveState.LIVE, "Synced and healthy."))
    fails: OutsideError | None = None

    def liveness(self, application, commit, repository_url, forge) -> Liveness:
        if self.fails is not None:
            raise self.fails
        return self.answer


@dataclass
class Traffic:
    """Counters of a service that answers ten requests a second, since `bad_since` a part of them badly."""

    clock: Clock
    fails: OutsideError | None = None
    bad: float = 0.0
    bad_since: float = math.inf
    origin: float = field(init=False)

    def __post_init__(self) -> None:
        self.origin = self.clock.now().timestamp() - 7200

    def turn_bad(self, share: float) -> None:
        self.bad, self.bad_since = share, self.clock.now().timestamp()

    def turn_good(self) -> None:
        self.bad_since = math.inf

    def raw(self, selector: str, start: float, end: float) -> Sequence[Series]:
        if self.fails is not None:
            raise self.fails
        failed = "5.." in selector
        moments = range(int(start // 5 + 1) * 5, int(end) + 1, 5)
        samples = tuple((float(t), float(int(self._count(t, failed=failed)))) for t in moments)
        return [Series({"instance": "a", "status": "5xx" if failed else "2xx"}, samples)] if samples else []

    def instant(self, query: str, at: float) -> Sequence[Series]:
        return []

    def _count(self, at: float, *, failed: bool) -> float:
        return max(0.0, at - self.bad_since) * 10 * self.bad if failed else (at - self.origin) * 10


@dataclass
class Images:
    """A container registry: digests by reference, and what is attached to every image."""

    digests: dict[str, str] = field(default_factory=dict)
    attached: Attestations | None = None
    labelled: dict[str, dict[str, str]] = field(default_factory=dict)
    fails: OutsideError | None = None
    asked: int = 0

    def digest(self, reference: str) -> str | None:
        return self.digests.get(reference)

    def labels(self, reference: str) -> dict[str, str]:
        return self.labelled.get(reference, {})

    def attested(self, reference: str) -> Attestations | None:
        self.asked += 1
        if self.fails is not None:
            raise self.fails
        return self.attached


@dataclass
class Services:
    """What listens in the cluster: the answer at each address; nobody at any other."""

    answers: dict[str, HttpAnswer] = field(default_factory=dict)
    asked: list[HttpAsk] = field(default_factory=list)

    def ask(self, ask: HttpAsk) -> HttpAnswer:
        self.asked.append(ask)
        if ask.url not in self.answers:
            raise Unavailable("the service", "no answer: connection refused")
        return self.answers[ask.url]


@dataclass
class Files:
    """A registry's files: every version has one, unless told otherwise."""

    fails: OutsideError | None = None
    asked: list[str] = field(default_factory=list)

    def download(self, model, version, folder, limits, tell) -> None:
        if self.fails is not None:
            raise self.fails
        self.asked.append(f"{model}/{version}")
        tell("fetching file 1 of 1")
        folder.mkdir()
        (folder / "MLmodel").write_text(f"version {version}")


@dataclass
class Workbench:
    """Builds in a moment; `during` is called with what it tells half-way."""

    images: Images
    fails: OutsideError | None = None
    built: list[BuildOrder] = field(default_factory=list)
    during: Callable[[], None] = lambda: None

    def build(self, order, folder, tell) -> None:
        assert (folder / "model" / "MLmodel").is_file()
        tell("layer 3 of 5")
        self.during()
        if self.fails is not None:
            raise self.fails
        self.built.append(order)
        digest = hashlib.sha256(order.image.encode()).hexdigest()
        self.images.digests[order.image] = f"sha256:{digest}"
        self.images.labelled[order.image] = dict(order.labels)


class World:
    """Slipway's engine, and the hands of everybody else."""

    def __init__(self, engine: Engine, store: PostgresStore) -> None:
        self.engine = engine
        self.store = store
        self.clock = Clock()
        self.deaf = False
        """While it is, no webhook arrives."""
        self.forge = FakeForge(repository=REPOSITORY, now=self.clock.now)
        self.forge.commit(
            "main",
            {"slipway.yaml": CONFIG, "policies/quick.yaml": POLICY, "prod.yaml": b"uri: models:/fraud/1\n"},
        )
        self.forge.people["ada"] = Permission.WRITE
        self.forge.people["eve"] = Permission.READ
        self.app = App(self.forge)
        self.registry = FakeRegistry()
        for score in (0.90, 0.92, 0.95):
            evidence = VersionEvidence("fraud", "", "", metrics=(Metric("accuracy", score, "test", "d1"),))
            self.registry.add_version("fraud", evidence=evidence)
        self.registry.set_alias("fraud", "champion", "1")
        self.cluster = Cluster()
        self.images = Images()
        self.files = Files()
        self.workbench = Workbench(self.images)
        self.build_dir = Path(tempfile.mkdtemp(prefix="slipway-loop-"))
        self.traffic = Traffic(self.clock)
        self.services = Services()
        self.restart()
        self.resync.run()
        self.drain()

    def restart(self) -> None:
        """A new process: nothing but the rows survives."""
        self.outside = outside = Outside(
            store=self.store,
            app=self.app,
            registry=self.registry,
            images=self.images,
            metrics={"default": self.traffic},
            cluster=self.cluster,
            prober=self.services,
            clock=self.clock,
            web="https://github.test",
        )
        configurations = Configurations(outside, shipped.policies())
        proposer = self.proposer = Proposer(outside, configurations)
        self.receiver = Receiver(outside, configurations, proposer)
        self.reconciler = Reconciler(outside, configurations, proposer)
        self.resync = Resync(outside, configurations, proposer)
        self.builder = self.another_builder()

    def another_builder(self) -> Builder:
        """The builder of one more replica."""
        workshop = Workshop(self.files, {"none": self.workbench}, self.build_dir, Limits())
        return Builder(self.outside, workshop)

    # -- what others do ----------------------------------------------------------------------------

    def alias(self, version: str) -> None:
        self.registry.set_alias("fraud", "candidate", version)
        self.deliver(
            "mlflow",
            RegistryChanged(
                delivery=self._id(),
                kind="model_version_alias.created",
                model="fraud",
                version=version,
                alias="candidate",
            ),
        )

    def say(self, author: str, body: str, pull: int | None = None) -> int:
        number = pull if pull is not None else self.newest().pull
        comment = self.forge.comment(number, author, body)
        self.deliver(
            "github",
            CommentCreated(
                delivery=self._id(),
                installation=1,
                repository=self.forge.repository,
                pull=number,
                comment=comment,
                author=author,
                is_bot=False,
                body=body,
                created_at=self.clock.now(),
                url="",
            ),
        )
        return comment

    def closed(self, pull: int) -> None:
        self.deliver(
            "github",
            PullRequestClosed(
                delivery=self._id(),
                installation=1,
                repository=self.forge.repository,
                pull=pull,
                branch="b",
                head_sha="h",
                base_branch="main",
                from_fork=False,
                merge_sha=None,
                by="ada",
            ),
        )

    def proposed(self, branch: str, edits: dict[str, bytes], pull: int | None = None) -> int:
        """Somebody pushes to a branch and opens a pull request for it, or pushes to an open one."""
        head = self.forge.commit(branch, edits)
        number = pull if pull is not None else self.forge.open_pull(branch).number
        self.deliver(
            "github",
            PullRequestChanged(
                delivery=self._id(),
                installation=1,
                repository=self.forge.repository,
                pull=number,
                change="opened" if pull is None else "synchronize",
                branch=branch,
                head_sha=head,
                base_branch="main",
                from_fork=False,
                by="ada",
            ),
        )
        return number

    def configure(self, files: dict[str, bytes]) -> None:
        """Somebody merges a change of the configuration."""
        self.forge.commit("main", files)
        self.resync.run()
        self.drain()

    def deliver(self, source: str, event) -> None:
        if self.deaf:
            return
        self.store.accept(Delivery(source, event.delivery, EVENTS.dump(event)))
        self.drain()

    def hint(self, application: str) -> None:
        """Argo CD says that something about an application changed."""
        event = ApplicationChanged(application=application)
        self.store.accept(Delivery("argocd", self._id(), EVENTS.dump(event)))
        self.drain()

    # -- time --------------------------------------------------------------------------------------

    def drain(self) -> None:
        """Run jobs until there are none."""
        while (job := self._next_job()) is not None:
            name, arguments = job
            if name == "slipway.receive":
                self.receiver.receive(arguments["source"], arguments["delivery"])
            elif name == "slipway.build":
                self.builder.build(arguments["image"])
            else:
                self.reconciler.reconcile(arguments["promotion"])

    def later(self, seconds: float) -> None:
        """Let time pass, and look at whatever is due then."""
        self.clock.offset += timedelta(seconds=seconds)
        for promotion in self._due():
            self.reconciler.reconcile(promotion)
        for image in self._due("builds", "image", "next_at"):
            self.builder.build(image)
        self.drain()

    def until(self, done: Callable[[], bool], *, step: float = 5, limit: float = 900) -> None:
        """Let time pass until something is so."""
        passed = 0.0
        while not done():
            assert passed < limit, f"not within {limit} s: {[p.reason for p in self.store.recent(5)]}"
            self.later(step)
            passed += step

    # -- looking -----------------------------------------------------------------------------------

    def newest(self) -> Promotion:
        return self.store.recent(1)[0]

    def promotions(self) -> list[Promotion]:
        return list(self.store.recent(20))[::-1]

    def pinned(self) -> str:
        return self.forge.read("prod.yaml", self.forge.head()).decode().strip().removeprefix("uri: ")

    def open_pulls(self) -> list[int]:
        return [pull.number for pull in self.forge.open_pulls()]

    def answers(self, pull: int) -> list[str]:
        return [each.body for each in self.forge.comments(pull) if each.from_bot]

    def status(self, pull: int) -> str:
        """The one status comment of a pull request."""
        (text,) = [text for text in self.answers(pull) if status.MARKER in text]
        return text

    # -- inside ------------------------------------------------------------------------------------

    def _next_job(self) -> tuple[str, dict] | None:
        taken = "DELETE FROM procrastinate_jobs WHERE id = (SELECT min(id) FROM procrastinate_jobs) RETURNING task_name, args"
        with self.engine.begin() as connection:
            connection.execute(text("DELETE FROM procrastinate_events"))
            row = connection.execute(text(taken)).first()
        return None if row is None else (row.task_name, row.args)

    def _due(self, table: str = "promotions", key: str = "id", at: str = "wake_at") -> list[str]:
        with self.engine.connect() as connection:
            due = connection.execute(
                text(f"SELECT {key} FROM {table} WHERE {at} <= :now ORDER BY {at}"),
                {"now": self.clock.now()},
            )
            return list(due.scalars())

    def _id(self) -> str:
        return hashlib.sha256(str(self.clock.now()).encode()).hexdigest()[:20]


@pytest.fixture
def world(engine, store) -> Iterator[World]:
    made = World(engine, store)
    yield made
    shutil.rmtree(made.build_dir)
