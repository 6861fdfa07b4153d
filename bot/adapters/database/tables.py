"""The tables. What changes here needs a migration in `migrations/versions`; a test compares the two."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    DateTime,
    ForeignKey,
    Identity,
    Index,
    Integer,
    MetaData,
    Table,
    Text,
    UniqueConstraint,
    func,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB

metadata = MetaData()


def _at(name: str, *, nullable: bool = False) -> Column[object]:
    return Column(name, DateTime(timezone=True), nullable=nullable)


deliveries = Table(
    "deliveries",
    metadata,
    Column("source", Text, primary_key=True),
    Column("id", Text, primary_key=True),
    Column("event", JSONB, nullable=False),
    Column("received_at", DateTime(timezone=True), nullable=False, server_default=func.now()),
    Column("deferred_at", DateTime(timezone=True), nullable=False, server_default=func.now()),
    Column("attempts", Integer, nullable=False, server_default=text("1")),
    _at("finished_at", nullable=True),
    Index("deliveries_unfinished", "deferred_at", postgresql_where=text("finished_at IS NULL")),
)

repositories = Table(
    "repositories",
    metadata,
    Column("id", BigInteger, primary_key=True, autoincrement=False),
    Column("name", Text, nullable=False, unique=True),
    # Null: the App is not installed there any more. What belongs to it is kept for its return.
    Column("installation", BigInteger),
    Column("files", JSONB, nullable=False, server_default=text("'{}'")),
    Column("commit", Text),
    _at("heard_at", nullable=True),
)

promotions = Table(
    "promotions",
    metadata,
    Column("id", Text, primary_key=True),
    Column("repository", Text, nullable=False),
    Column("model", Text, nullable=False),
    Column("environment", Text, nullable=False),
    Column("candidate", Text, nullable=False),
    Column("stage", Text, nullable=False),
    Column("pull", Integer),
    Column("revert_pull", Integer),
    Column("step_pull", Integer),
    Column("issue", Integer),
    Column("data", JSONB, nullable=False),
    Column("revision", Integer, nullable=False, server_default=text("0")),
    Column("wakes", BigInteger, nullable=False, server_default=text("0")),
    _at("wake_at", nullable=True),
    _at("created_at"),
    Index("promotions_due", "wake_at", postgresql_where=text("wake_at IS NOT NULL")),
    Index("promotions_pull", "repository", "pull"),
    Index("promotions_revert_pull", "repository", "revert_pull"),
    Index("promotions_step_pull", "repository", "step_pull"),
    Index("promotions_issue", "repository", "issue"),
    Index("promotions_place", "repository", "model", "environment"),
    # Never two open bumps for one target, whatever the jobs believe.
    Index(
        "promotions_one_open",
        "repository",
        "model",
        "environment",
        unique=True,
        postgresql_where=text("stage = 'open'"),
    ),
    Index(
        "promotions_once_under_way",
        "repository",
        "model",
        "environment",
        "candidate",
        unique=True,
        postgresql_where=text("stage IN ('waiting', 'open', 'syncing', 'watching', 'held', 'reverting')"),
    ),
)

transitions = Table(
    "transitions",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("promotion", Text, ForeignKey("promotions.id"), nullable=False, index=True),
    _at("at"),
    Column("stage_from", Text, nullable=False),
    Column("stage_to", Text, nullable=False),
    Column("actor", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("noted", Boolean, nullable=False, server_default=text("false")),
    Index("transitions_news", "id", postgresql_where=text("NOT noted")),
)

notices = Table(
    "notices",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("transition", BigInteger, ForeignKey("transitions.id"), nullable=False),
    Column("target", Text, nullable=False),
    Column("happenings", JSONB, nullable=False),
    Column("tries", Integer, nullable=False, server_default=text("0")),
    Column("due_at", DateTime(timezone=True), nullable=False, server_default=func.now()),
    _at("ended_at", nullable=True),
    # Set together with `ended_at`: it was given up. Alone: why the last try failed.
    Column("trouble", Text),
    UniqueConstraint("transition", "target", name="notices_once"),
    Index("notices_due", "due_at", postgresql_where=text("ended_at IS NULL")),
)

requests = Table(
    "requests",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("repository", Text, nullable=False),
    Column("pull", Integer, nullable=False),
    Column("author", Text, nullable=False),
    Column("command", JSONB, nullable=False),
    Column("comment", BigInteger, nullable=False),
    Column("ordinal", Integer, nullable=False),
    Column("promotion", Text),
    Column("received_at", DateTime(timezone=True), nullable=False, server_default=func.now()),
    _at("answered_at", nullable=True),
    UniqueConstraint("repository", "comment", "ordinal", name="requests_once"),
    Index("requests_pending", "repository", "pull", postgresql_where=text("answered_at IS NULL")),
)

holds = Table(
    "holds",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("repository", Text, nullable=False),
    Column("model", Text),
    Column("environment", Text),
    Column("owner", Text, nullable=False),
    Column("reason", Text, nullable=False),
    _at("since"),
    _at("released_at", nullable=True),
    Column("released_by", Text),
    Index(
        "holds_once",
        "repository",
        "model",
        "environment",
        unique=True,
        postgresql_where=text("released_at IS NULL"),
        postgresql_nulls_not_distinct=True,
    ),
)

quarantines = Table(
    "quarantines",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("repository", Text, nullable=False),
    Column("model", Text, nullable=False),
    Column("environment", Text, nullable=False),
    Column("version", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("pull", Integer),
    _at("since"),
    _at("lifted_at", nullable=True),
    Column("lifted_by", Text),
    Column("lifted_reason", Text),
    Index(
        "quarantines_once",
        "repository",
        "model",
        "environment",
        "version",
        unique=True,
        postgresql_where=text("lifted_at IS NULL"),
    ),
)

wanted = Table(
    "wanted",
    metadata,
    Column("repository", Text, primary_key=True),
    Column("model", Text, primary_key=True),
    Column("version", Text, nullable=False),
)

drifts = Table(
    "drifts",
    metadata,
    Column("repository", Text, primary_key=True),
    Column("model", Text, primary_key=True),
    Column("environment", Text, primary_key=True),
    Column("alias", Text, nullable=False),
    Column("registered", Text),
    Column("pinned", Text),
)

builds = Table(
    "builds",
    metadata,
    Column("image", Text, primary_key=True),
    Column("model", Text, nullable=False),
    Column("version", Text, nullable=False),
    Column("stage", Text, nullable=False),
    Column("data", JSONB, nullable=False),
    _at("next_at", nullable=True),
    Index("builds_due", "next_at", postgresql_where=text("next_at IS NOT NULL")),
)

alerts = Table(
    "alerts",
    metadata,
    Column("fingerprint", Text, primary_key=True),
    Column("name", Text, nullable=False),
    Column("labels", JSONB, nullable=False),
    _at("starts_at"),
    Column("firing", Boolean, nullable=False),
    Index("alerts_firing", "starts_at", postgresql_where=text("firing")),
)

retrainings = Table(
    "retrainings",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("repository", Text, nullable=False),
    Column("model", Text, nullable=False),
    Column("environment", Text, nullable=False),
    Column("number", Integer, nullable=False),
    Column("version", Text, nullable=False),
    Column("promotion", Text, ForeignKey("promotions.id"), nullable=False),
    Column("signal", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("evidence", JSONB, nullable=False),
    _at("asked_at"),
    _at("tried_at", nullable=True),
    _at("told_at", nullable=True),
    Column("trouble", Text),
    # Two workers that asked at once would have counted the same rows.
    UniqueConstraint("repository", "model", "environment", "number", name="retrainings_once"),
)

watches = Table(
    "watches",
    metadata,
    Column("promotion", Text, ForeignKey("promotions.id"), primary_key=True),
    Column("state", JSONB, nullable=False),
)

judged_watches = Table(
    "judged_watches",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("promotion", Text, ForeignKey("promotions.id"), nullable=False, index=True),
    Column("verdict", JSONB, nullable=False),
    Column("state", JSONB, nullable=False),
    Column("windows", JSONB, nullable=False),
)

windows = Table(
    "windows",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("promotion", Text, ForeignKey("promotions.id"), nullable=False, index=True),
    Column("data", JSONB, nullable=False),
)
