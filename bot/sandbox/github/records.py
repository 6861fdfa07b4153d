"""What the server remembers.

Records name each other by id, login or number, so that the whole state is one JSON document.
"""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

Role = Literal["none", "read", "triage", "write", "maintain", "admin"]
Kind = Literal["User", "Bot", "Organization"]
ROLES: tuple[Role, ...] = ("none", "read", "triage", "write", "maintain", "admin")


@dataclass(slots=True)
class Account:
    """A person, an App's bot, or an organisation."""

    id: int
    login: str
    kind: Kind
    name: str
    email: str
    created_at: datetime
    members: list[str] = field(default_factory=list)


@dataclass(slots=True)
class Team:
    id: int
    organization: str
    slug: str
    name: str
    created_at: datetime
    members: list[str] = field(default_factory=list)
    maintainers: list[str] = field(default_factory=list)


@dataclass(slots=True)
class App:
    id: int
    slug: str
    name: str
    owner: str
    client_id: str
    public_key: str
    permissions: dict[str, str]
    events: list[str]
    webhook_url: str | None
    webhook_secret: str | None
    created_at: datetime
    description: str = ""
    external_url: str = "https://example.com"
    setup_url: str | None = None


@dataclass(slots=True)
class Installation:
    """`repositories` None: all of the account's."""

    id: int
    app: int
    account: str
    permissions: dict[str, str]
    events: list[str]
    repositories: list[int] | None
    created_at: datetime
    updated_at: datetime
    suspended_at: datetime | None = None


@dataclass(slots=True)
class Token:
    """A secret that speaks for a person or an installation, the latter narrowed to what is named."""

    value: str
    login: str
    installation: int | None = None
    permissions: dict[str, str] | None = None
    repositories: list[int] | None = None
    expires_at: datetime | None = None


@dataclass(slots=True)
class Reaction:
    id: int
    login: str
    content: str
    created_at: datetime


@dataclass(slots=True)
class Comment:
    id: int
    issue: int
    login: str
    body: str
    created_at: datetime
    updated_at: datetime
    app: int | None = None
    reactions: list[Reaction] = field(default_factory=list)


ReviewState = Literal["PENDING", "COMMENTED", "APPROVED", "CHANGES_REQUESTED", "DISMISSED"]


@dataclass(slots=True)
class Review:
    id: int
    login: str
    body: str
    state: ReviewState
    commit: str
    submitted_at: datetime | None


@dataclass(slots=True)
class Pull:
    """What a pull request has beyond an issue."""

    id: int
    head: str
    base: str
    head_sha: str
    base_sha: str
    draft: bool = False
    maintainer_can_modify: bool = False
    merged_at: datetime | None = None
    merged_by: str | None = None
    merge_commit: str | None = None
    reviewers: list[str] = field(default_factory=list)
    teams: list[str] = field(default_factory=list)
    reviews: list[Review] = field(default_factory=list)


@dataclass(slots=True)
class Issue:
    id: int
    number: int
    title: str
    body: str | None
    login: str
    created_at: datetime
    updated_at: datetime
    state: Literal["open", "closed"] = "open"
    state_reason: str | None = None
    closed_at: datetime | None = None
    closed_by: str | None = None
    locked: bool = False
    app: int | None = None
    labels: list[str] = field(default_factory=list)
    assignees: list[str] = field(default_factory=list)
    reactions: list[Reaction] = field(default_factory=list)
    pull: Pull | None = None


@dataclass(slots=True)
class Label:
    id: int
    name: str
    color: str = "ededed"
    description: str | None = None


@dataclass(slots=True)
class CheckRun:
    id: int
    suite: int
    app: int
    name: str
    head_sha: str
    status: str
    started_at: datetime
    conclusion: str | None = None
    completed_at: datetime | None = None
    details_url: str | None = None
    external_id: str = ""
    title: str | None = None
    summary: str | None = None
    text: str | None = None
    annotations: list[dict[str, Any]] = field(default_factory=list)
    actions: list[dict[str, str]] = field(default_factory=list)


@dataclass(slots=True)
class CommitStatus:
    id: int
    sha: str
    state: str
    context: str
    description: str | None
    target_url: str | None
    login: str
    created_at: datetime


@dataclass(slots=True)
class DeploymentStatus:
    id: int
    state: str
    login: str
    description: str
    environment: str
    environment_url: str
    log_url: str
    created_at: datetime
    app: int | None = None


@dataclass(slots=True)
class Deployment:
    id: int
    sha: str
    ref: str
    task: str
    environment: str
    description: str | None
    payload: dict[str, Any] | str
    login: str
    created_at: datetime
    updated_at: datetime
    transient: bool = False
    production: bool = False
    app: int | None = None
    statuses: list[DeploymentStatus] = field(default_factory=list)


@dataclass(slots=True)
class Protection:
    """The rules of one branch; `approvals` None: no review is required, `contexts` None: no check is."""

    approvals: int | None = None
    contexts: list[str] | None = None
    strict: bool = False
    dismiss_stale: bool = False
    code_owners: bool = False
    enforce_admins: bool = False
    linear_history: bool = False


@dataclass(slots=True)
class WorkflowRun:
    """A run of GitHub Actions; nothing runs here, somebody says how it ended."""

    id: int
    workflow: str
    title: str
    sha: str
    created_at: datetime
    inputs: dict[str, str] = field(default_factory=dict)
    conclusion: str | None = None


@dataclass(slots=True)
class Repository:
    id: int
    owner: str
    name: str
    private: bool
    default_branch: str
    created_at: datetime
    updated_at: datetime
    pushed_at: datetime
    description: str | None = None
    delete_branch_on_merge: bool = False
    merge_methods: list[str] = field(default_factory=lambda: ["merge", "squash", "rebase"])
    last_number: int = 0
    collaborators: dict[str, Role] = field(default_factory=dict)
    issues: dict[int, Issue] = field(default_factory=dict)
    comments: dict[int, Comment] = field(default_factory=dict)
    labels: list[Label] = field(default_factory=list)
    checks: dict[int, CheckRun] = field(default_factory=dict)
    suites: dict[str, int] = field(default_factory=dict)
    statuses: list[CommitStatus] = field(default_factory=list)
    deployments: dict[int, Deployment] = field(default_factory=dict)
    environments: dict[str, int] = field(default_factory=dict)
    protections: dict[str, Protection] = field(default_factory=dict)
    verified: list[str] = field(default_factory=list)
    runs: list[WorkflowRun] = field(default_factory=list)
    dispatched: list[dict[str, Any]] = field(default_factory=list)
    former_names: list[str] = field(default_factory=list)

    @property
    def full_name(self) -> str:
        return f"{self.owner}/{self.name}"


@dataclass(slots=True)
class Delivery:
    """One attempt to hand an event to an App's webhook; status_code 0: nobody answered."""

    id: int
    guid: str
    app: int
    event: str
    action: str | None
    installation: int | None
    repository: int | None
    delivered_at: datetime
    request_headers: dict[str, str]
    body: str
    redelivery: bool = False
    duration: float = 0.0
    status: str = "pending"
    status_code: int = 0
    response_headers: dict[str, str] = field(default_factory=dict)
    response_body: str = ""


@dataclass(slots=True)
class Manifest:
    """An App waiting for its one-hour code to be exchanged; the key pair is made with it."""

    code: str
    app: int
    private_key: str
    expires_at: datetime


@dataclass(slots=True)
class State:
    last_id: int = 1000
    accounts: dict[str, Account] = field(default_factory=dict)
    teams: list[Team] = field(default_factory=list)
    apps: dict[int, App] = field(default_factory=dict)
    installations: dict[int, Installation] = field(default_factory=dict)
    tokens: dict[str, Token] = field(default_factory=dict)
    repositories: dict[int, Repository] = field(default_factory=dict)
    deliveries: list[Delivery] = field(default_factory=list)
    manifests: dict[str, Manifest] = field(default_factory=dict)
