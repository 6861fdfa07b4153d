"""What Slipway needs of the outside, in its own words.

Adapters (`bot.adapters`) speak to the real systems and raise only the errors drawn here:

    OutsideError               somebody else's trouble
      Unavailable              no answer, or "try later": wait and ask again (`retry_after` seconds if told)
      Refused                  an answer, and it is no: say why, do not repeat unchanged
        NotFound               what was named does not exist
        Forbidden              the credentials lack a right
        Conflict               the world moved: observe again, decide again

Every method that writes is find-or-create or last-write-wins: doing it twice is doing it once.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Protocol

from bot.domain.build import BuildOrder
from bot.domain.evidence import VersionEvidence
from bot.domain.live import Liveness
from bot.domain.pull import Comment, Permission, Pull, Review
from bot.domain.series import Series as Series  # noqa: PLC0414 - part of the Metrics port, defined where the analysis may read it
from bot.domain.version import ModelVersion


class OutsideError(Exception):
    """An outside system did not do what was asked; `system` names it, the message is for a person."""

    def __init__(self, system: str, message: str) -> None:
        super().__init__(message)
        self.system = system
        self.message = message

    def __str__(self) -> str:
        return f"{self.system}: {self.message}"


class Unavailable(OutsideError):
    """No answer, or a temporary one; `retry_after` is in seconds where the system told."""

    def __init__(self, system: str, message: str, retry_after: float | None = None) -> None:
        super().__init__(system, message)
        self.retry_after = retry_after


class Refused(OutsideError):
    """A clear no."""


class NotFound(Refused):
    """What was named does not exist."""


class Forbidden(Refused):
    """The credentials lack a right."""


class Conflict(Refused):
    """The world moved between looking and acting."""


class Clock(Protocol):
    def now(self) -> datetime:
        """The time, aware, in UTC."""


@dataclass(frozen=True, slots=True)
class Proposal:
    """A pull request that Slipway wants to exist: one commit on one branch.

    `edits` maps a path in the repository to the whole new content of that file.
    """

    branch: str
    base_sha: str
    edits: Mapping[str, bytes]
    commit_message: str
    title: str
    body: str
    labels: tuple[str, ...] = ()
    reviewers: tuple[str, ...] = ()
    """Logins, and teams as `organisation/team`."""
    assignees: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class CheckRun:
    """A check on a commit. `conclusion` None: still in progress."""

    name: str
    head_sha: str
    title: str
    summary: str
    conclusion: str | None = None
    details_url: str | None = None


@dataclass(frozen=True, slots=True)
class WorkflowRun:
    """A run of a workflow. `conclusion` None: not ended yet, else `success`, `failure`, `cancelled`, …"""

    id: int
    url: str
    conclusion: str | None = None


class Forge(Protocol):
    """One repository on GitHub or something that speaks its API."""

    @property
    def repository(self) -> str:
        """`owner/name`."""

    @property
    def bot_login(self) -> str:
        """The login under which this App comments and commits (`slipway[bot]`)."""

    # Reading the repository.
    def default_branch(self) -> str: ...
    def head(self, branch: str | None = None) -> str:
        """The commit a branch points to; the default branch when none is named."""

    def read(self, path: str, ref: str) -> bytes:
        """A file's bytes at a commit. Raises NotFound; Refused for a folder, a symlink or over 1 MB."""

    def list_folder(self, path: str, ref: str) -> tuple[str, ...]:
        """The files directly in a folder, as paths from the repository's root. Raises NotFound."""

    def changed_files(self, base: str, head: str) -> tuple[str, ...]:
        """Paths that differ between two commits (at most the first 300)."""

    def is_ancestor(self, ancestor: str, descendant: str) -> bool:
        """Whether `ancestor` is `descendant` or in its history."""

    # Pull requests.
    def propose(self, proposal: Proposal) -> Pull:
        """Make the branch hold exactly this one commit on `base_sha`, and one open pull request for it.

        Reviewers and assignees who cannot be asked are left out. Raises Refused for the default branch.
        """

    def pull(self, number: int) -> Pull: ...
    def pull_of_branch(self, branch: str) -> Pull | None:
        """The newest pull request from this branch of this repository, in whatever state."""

    def open_pulls(self) -> Sequence[Pull]:
        """All open pull requests of the repository, one listing."""

    def recent_pulls(self, since: datetime) -> Sequence[Pull]:
        """Pull requests in whatever state that changed since then (a comment or review is a change)."""

    def update_pull(self, number: int, *, title: str | None = None, body: str | None = None) -> None: ...
    def merge(self, number: int, *, sha: str, title: str, message: str) -> str:
        """Merge exactly `sha`; returns the merge commit, also of a merge that happened before.

        Raises Conflict when the head is another commit, Refused with the forge's own reason when it will
        not merge, Unavailable when the base moved this moment.
        """

    def close(self, number: int) -> None: ...
    def delete_branch(self, branch: str) -> None: ...
    def label(self, number: int, labels: Sequence[str]) -> None:
        """Add these labels; missing ones are created."""

    def reviews(self, number: int) -> Sequence[Review]: ...

    # Talking.
    def recent_comments(self, since: datetime) -> Sequence[Comment]:
        """Comments in all pull requests and issues that were written or edited since then, one listing."""

    def comments(self, number: int, since: datetime | None = None) -> Sequence[Comment]: ...
    def upsert_comment(self, number: int, marker: str, body: str) -> int:
        """The bot's one comment that carries `marker` (an HTML comment), made or edited; returns its id.

        The marker is put before a body that lacks it.
        """

    def react(self, comment: int, reaction: str) -> None:
        """`eyes`, `rocket`, `-1` or `confused`; silently nothing where reactions are missing."""

    def check(self, check: CheckRun) -> None:
        """Create or update the check run of this name on this commit."""

    def has_check(self, sha: str, name: str) -> bool:
        """Whether the App has a check run of this name on this commit; True where checks are missing."""

    def deployment(
        self,
        environment: str,
        sha: str,
        state: str,
        description: str,
        url: str | None,
        *,
        production: bool = False,
    ) -> None:
        """Set the status of this environment's deployment of `sha`, creating it when absent.

        After a `success` it is the only one that runs there.
        """

    def upsert_issue(self, marker: str, title: str, body: str) -> int:
        """The bot's one open issue that carries `marker`, made or edited; returns its number.

        0 where the repository has no issues or the App may not write them.
        """

    def close_issue(self, marker: str) -> None:
        """Close the open issue that carries `marker`, if there is one."""

    # Workflows.
    def dispatch_workflow(self, workflow: str, inputs: Mapping[str, str]) -> None:
        """Start a workflow (the name of its file) on the default branch. Not idempotent: look first.

        Raises NotFound, Forbidden, or Refused where it takes no such inputs.
        """

    def workflow_run(self, workflow: str, named: str, since: datetime) -> WorkflowRun | None:
        """The newest dispatched run since then whose name holds `named`; None where there is none (yet)."""

    def dispatch_event(self, kind: str, payload: Mapping[str, Any]) -> None:
        """Send the repository's workflows a `repository_dispatch` event."""

    # People.
    def permission(self, login: str) -> Permission:
        """The person's right here, asked live."""

    def in_team(self, team: str, login: str) -> bool:
        """Whether the person is an active member of the organisation's team `team` (its slug)."""


@dataclass(frozen=True, slots=True)
class Registration:
    """The App as GitHub knows it: the rights and events that its owner gave it, and its webhook."""

    slug: str
    permissions: Mapping[str, str]
    events: tuple[str, ...]
    webhook_url: str | None = None


@dataclass(frozen=True, slots=True)
class Usage:
    """What one installation used of the forge's rate limit in this process.

    `remaining`: requests left in this hour as last told, None before that; `pause`: seconds for which the
    forge asked not to be asked; `answers`: how many requests were `answered`, `unchanged` (free), `refused`,
    `failed`, and `postponed` without being sent.
    """

    remaining: int | None
    pause: float
    answers: Mapping[str, int]


class ForgeApp(Protocol):
    """The App over all its installations."""

    def registration(self) -> Registration: ...

    def repositories(self) -> Sequence[tuple[int, str]]:
        """(installation id, `owner/name`) of every repository that the App was installed in."""

    def forge(self, installation: int, repository: str) -> Forge:
        """A forge for one repository. Cheap; the result belongs to one thread."""

    def usage(self) -> Mapping[int, Usage]:
        """What each installation (0: the App itself) used of its rate limit."""

    def redeliver_failed(self, since: datetime) -> int:
        """Ask for every failed webhook delivery since then once more; returns how many."""


class ModelRegistry(Protocol):
    """MLflow's model registry."""

    def aliases(self) -> Mapping[str, Mapping[str, str]]:
        """Model → alias → version, of all registered models, in as few requests as the registry allows."""

    def version(self, model: str, version: str) -> ModelVersion: ...
    def latest_version(self, model: str) -> str | None:
        """The newest version by number; None for a model without versions."""

    def alias(self, model: str, alias: str) -> str | None:
        """The version an alias points to; None when the alias does not exist."""

    def evidence(self, model: str, version: str) -> VersionEvidence:
        """All that a reviewer may want to know of a version; what is missing is None or empty."""

    def artifact(self, model: str, version: str, path: str) -> bytes | None:
        """A file of the logged model, at most 1 MB; None where there is none. Raises Refused for a larger."""

    def set_alias(self, model: str, alias: str, version: str) -> None: ...
    def delete_alias(self, model: str, alias: str) -> None: ...
    def tag(self, model: str, version: str, key: str, value: str) -> None: ...
    def version_url(self, model: str, version: str) -> str: ...


@dataclass(frozen=True, slots=True)
class Attestations:
    """What is attached to an image's digest; `artifacts` tells each artifact's type or tag."""

    digest: str
    signed: bool
    attested: bool
    sbom: bool
    artifacts: tuple[str, ...] = ()


class ImageRegistry(Protocol):
    """A container registry, by the OCI distribution API."""

    def digest(self, reference: str) -> str | None:
        """`sha256:…` of what a tagged reference points to now; None when it does not exist (yet)."""

    def attested(self, reference: str) -> Attestations | None:
        """What is attached to an image; None where the image is absent. Says nothing of validity."""

    def labels(self, reference: str) -> Mapping[str, str]:
        """The labels of an image. Raises NotFound."""


Tell = Callable[[str], None]
"""Takes how far some work is, in a few words; raises Stopped where it must not go on."""


class Stopped(Exception):
    """This process ends; somebody else takes the work up."""


@dataclass(frozen=True, slots=True)
class Limits:
    """The most that a model's files may be."""

    bytes: int = 10_000_000_000
    files: int = 10_000


class ModelFiles(Protocol):
    """The files of model versions."""

    def download(self, model: str, version: str, folder: Path, limits: Limits, tell: Tell) -> None:
        """Put all files of a version into `folder`, which is made. Raises Refused over the limits."""


class ImageBuilder(Protocol):
    """Makes images and puts them into their registry."""

    def build(self, order: BuildOrder, folder: Path, tell: Tell) -> None:
        """Make the image of the files in `folder`/model and write its tag, last of all.

        `folder` is the builder's own to work in. Raises OutsideError with the engine's or the registry's
        own sentence.
        """


class Metrics(Protocol):
    """A server that speaks Prometheus' HTTP API."""

    def raw(self, selector: str, start: float, end: float) -> Sequence[Series]:
        """The raw samples of a selector in (start, end], unix seconds. Empty: no such series.
        Raises Unavailable when the server is away, Refused when the query is wrong.
        """

    def instant(self, query: str, at: float) -> Sequence[Series]:
        """An instant query: one sample a series."""


@dataclass(frozen=True, slots=True)
class HttpAsk:
    """One HTTP request; `within` is the limit for all of it, in seconds. A body is JSON."""

    method: str
    url: str
    within: float
    body: bytes | None = None


@dataclass(frozen=True, slots=True)
class HttpAnswer:
    """What was answered; `cut`: the body went on, and only its beginning was read."""

    status: int
    body: bytes
    cut: bool = False


class Prober(Protocol):
    """Asks services over HTTP, by addresses of the configuration."""

    def ask(self, ask: HttpAsk) -> HttpAnswer:
        """Redirects are not followed. Raises Unavailable where no whole answer came in time."""


class Cluster(Protocol):
    """What brings Git into the cluster: Argo CD."""

    def liveness(self, application: str, commit: str, repository_url: str, forge: Forge) -> Liveness:
        """Whether `commit` or a later one is live and healthy, in one request."""
