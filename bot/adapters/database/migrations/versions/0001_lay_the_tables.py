"""Lay the tables."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0001"
down_revision = None


def upgrade() -> None:
    op.create_table(
        "alerts",
        sa.Column("fingerprint", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("labels", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("starts_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("firing", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("fingerprint"),
    )
    op.create_index(
        "alerts_firing", "alerts", ["starts_at"], unique=False, postgresql_where=sa.text("firing")
    )
    op.create_table(
        "builds",
        sa.Column("image", sa.Text(), nullable=False),
        sa.Column("model", sa.Text(), nullable=False),
        sa.Column("version", sa.Text(), nullable=False),
        sa.Column("stage", sa.Text(), nullable=False),
        sa.Column("data", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("next_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("image"),
    )
    op.create_index(
        "builds_due",
        "builds",
        ["next_at"],
        unique=False,
        postgresql_where=sa.text("next_at IS NOT NULL"),
    )
    op.create_table(
        "deliveries",
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("event", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("received_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("deferred_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("attempts", sa.Integer(), server_default=sa.text("1"), nullable=False),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("source", "id"),
    )
    op.create_index(
        "deliveries_unfinished",
        "deliveries",
        ["deferred_at"],
        unique=False,
        postgresql_where=sa.text("finished_at IS NULL"),
    )
    op.create_table(
        "holds",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("repository", sa.Text(), nullable=False),
        sa.Column("model", sa.Text(), nullable=True),
        sa.Column("environment", sa.Text(), nullable=True),
        sa.Column("owner", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        sa.Column("released_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("released_by", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index(
        "holds_once",
        "holds",
        ["repository", "model", "environment"],
        unique=True,
        postgresql_where=sa.text("released_at IS NULL"),
        postgresql_nulls_not_distinct=True,
    )
    op.create_table(
        "promotions",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("repository", sa.Text(), nullable=False),
        sa.Column("model", sa.Text(), nullable=False),
        sa.Column("environment", sa.Text(), nullable=False),
        sa.Column("candidate", sa.Text(), nullable=False),
        sa.Column("stage", sa.Text(), nullable=False),
        sa.Column("pull", sa.Integer(), nullable=True),
        sa.Column("revert_pull", sa.Integer(), nullable=True),
        sa.Column("step_pull", sa.Integer(), nullable=True),
        sa.Column("issue", sa.Integer(), nullable=True),
        sa.Column("data", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("revision", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("wakes", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("wake_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index(
        "promotions_due",
        "promotions",
        ["wake_at"],
        unique=False,
        postgresql_where=sa.text("wake_at IS NOT NULL"),
    )
    op.create_index(
        "promotions_once_under_way",
        "promotions",
        ["repository", "model", "environment", "candidate"],
        unique=True,
        postgresql_where=sa.text("stage IN ('waiting', 'open', 'syncing', 'watching', 'held', 'reverting')"),
    )
    op.create_index(
        "promotions_one_open",
        "promotions",
        ["repository", "model", "environment"],
        unique=True,
        postgresql_where=sa.text("stage = 'open'"),
    )
    op.create_index("promotions_issue", "promotions", ["repository", "issue"], unique=False)
    op.create_index("promotions_place", "promotions", ["repository", "model", "environment"], unique=False)
    op.create_index("promotions_pull", "promotions", ["repository", "pull"], unique=False)
    op.create_index("promotions_revert_pull", "promotions", ["repository", "revert_pull"], unique=False)
    op.create_index("promotions_step_pull", "promotions", ["repository", "step_pull"], unique=False)
    op.create_table(
        "quarantines",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("repository", sa.Text(), nullable=False),
        sa.Column("model", sa.Text(), nullable=False),
        sa.Column("environment", sa.Text(), nullable=False),
        sa.Column("version", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("pull", sa.Integer(), nullable=True),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        sa.Column("lifted_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("lifted_by", sa.Text(), nullable=True),
        sa.Column("lifted_reason", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index(
        "quarantines_once",
        "quarantines",
        ["repository", "model", "environment", "version"],
        unique=True,
        postgresql_where=sa.text("lifted_at IS NULL"),
    )
    op.create_table(
        "repositories",
        sa.Column("id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("installation", sa.BigInteger(), nullable=True),
        sa.Column(
            "files", postgresql.JSONB(astext_type=sa.Text()), server_default=sa.text("'{}'"), nullable=False
        ),
        sa.Column("commit", sa.Text(), nullable=True),
        sa.Column("heard_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("name"),
    )
    op.create_table(
        "requests",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("repository", sa.Text(), nullable=False),
        sa.Column("pull", sa.Integer(), nullable=False),
        sa.Column("author", sa.Text(), nullable=False),
        sa.Column("command", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("comment", sa.BigInteger(), nullable=False),
        sa.Column("ordinal", sa.Integer(), nullable=False),
        sa.Column("promotion", sa.Text(), nullable=True),
        sa.Column("received_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("answered_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("repository", "comment", "ordinal", name="requests_once"),
    )
    op.create_index(
        "requests_pending",
        "requests",
        ["repository", "pull"],
        unique=False,
        postgresql_where=sa.text("answered_at IS NULL"),
    )
    op.create_table(
        "drifts",
        sa.Column("repository", sa.Text(), nullable=False),
        sa.Column("model", sa.Text(), nullable=False),
        sa.Column("environment", sa.Text(), nullable=False),
        sa.Column("alias", sa.Text(), nullable=False),
        sa.Column("registered", sa.Text(), nullable=True),
        sa.Column("pinned", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("repository", "model", "environment"),
    )
    op.create_table(
        "wanted",
        sa.Column("repository", sa.Text(), nullable=False),
        sa.Column("model", sa.Text(), nullable=False),
        sa.Column("version", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("repository", "model"),
    )
    op.create_table(
        "transitions",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("promotion", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("stage_from", sa.Text(), nullable=False),
        sa.Column("stage_to", sa.Text(), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("noted", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.ForeignKeyConstraint(["promotion"], ["promotions.id"]),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index(op.f("ix_transitions_promotion"), "transitions", ["promotion"], unique=False)
    op.create_index(
        "transitions_news", "transitions", ["id"], unique=False, postgresql_where=sa.text("NOT noted")
    )
    op.create_table(
        "notices",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("transition", sa.BigInteger(), nullable=False),
        sa.Column("target", sa.Text(), nullable=False),
        sa.Column("happenings", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("tries", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("trouble", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(["transition"], ["transitions.id"]),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("transition", "target", name="notices_once"),
    )
    op.create_index(
        "notices_due", "notices", ["due_at"], unique=False, postgresql_where=sa.text("ended_at IS NULL")
    )
    op.create_table(
        "retrainings",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("repository", sa.Text(), nullable=False),
        sa.Column("model", sa.Text(), nullable=False),
        sa.Column("environment", sa.Text(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("version", sa.Text(), nullable=False),
        sa.Column("promotion", sa.Text(), nullable=False),
        sa.Column("signal", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("evidence", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("tried_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("told_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("trouble", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(["promotion"], ["promotions.id"]),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("repository", "model", "environment", "number", name="retrainings_once"),
    )
    op.create_table(
        "watches",
        sa.Column("promotion", sa.Text(), nullable=False),
        sa.Column("state", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.ForeignKeyConstraint(["promotion"], ["promotions.id"]),
        sa.PrimaryKeyConstraint("promotion"),
    )
    op.create_table(
        "judged_watches",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("promotion", sa.Text(), nullable=False),
        sa.Column("verdict", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("state", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("windows", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.ForeignKeyConstraint(["promotion"], ["promotions.id"]),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index(op.f("ix_judged_watches_promotion"), "judged_watches", ["promotion"], unique=False)
    op.create_table(
        "windows",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("promotion", sa.Text(), nullable=False),
        sa.Column("data", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.ForeignKeyConstraint(["promotion"], ["promotions.id"]),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index(op.f("ix_windows_promotion"), "windows", ["promotion"], unique=False)


def downgrade() -> None:
    op.drop_index(op.f("ix_windows_promotion"), table_name="windows")
    op.drop_table("windows")
    op.drop_index(op.f("ix_judged_watches_promotion"), table_name="judged_watches")
    op.drop_table("judged_watches")
    op.drop_table("watches")
    op.drop_table("retrainings")
    op.drop_index("notices_due", table_name="notices", postgresql_where=sa.text("ended_at IS NULL"))
    op.drop_table("notices")
    op.drop_index("transitions_news", table_name="transitions", postgresql_where=sa.text("NOT noted"))
    op.drop_index(op.f("ix_transitions_promotion"), table_name="transitions")
    op.drop_table("transitions")
    op.drop_table("wanted")
    op.drop_table("drifts")
    op.drop_index("requests_pending", table_name="requests", postgresql_where=sa.text("answered_at IS NULL"))
    op.drop_table("requests")
    op.drop_table("repositories")
    op.drop_index("quarantines_once", table_name="quarantines", postgresql_where=sa.text("lifted_at IS NULL"))
    op.drop_table("quarantines")
    op.drop_index("promotions_step_pull", table_name="promotions")
    op.drop_index("promotions_revert_pull", table_name="promotions")
    op.drop_index("promotions_pull", table_name="promotions")
    op.drop_index("promotions_place", table_name="promotions")
    op.drop_index("promotions_issue", table_name="promotions")
    op.drop_index("promotions_one_open", table_name="promotions", postgresql_where=sa.text("stage = 'open'"))
    op.drop_index(
        "promotions_once_under_way",
        table_name="promotions",
        postgresql_where=sa.text("stage IN ('waiting', 'open', 'syncing', 'watching', 'held', 'reverting')"),
    )
    op.drop_index("promotions_due", table_name="promotions", postgresql_where=sa.text("wake_at IS NOT NULL"))
    op.drop_table("promotions")
    op.drop_index(
        "holds_once",
        table_name="holds",
        postgresql_where=sa.text("released_at IS NULL"),
        postgresql_nulls_not_distinct=True,
    )
    op.drop_table("holds")
    op.drop_index(
        "deliveries_unfinished", table_name="deliveries", postgresql_where=sa.text("finished_at IS NULL")
    )
    op.drop_table("deliveries")
    op.drop_index("builds_due", table_name="builds", postgresql_where=sa.text("next_at IS NOT NULL"))
    op.drop_table("builds")
    op.drop_index("alerts_firing", table_name="alerts", postgresql_where=sa.text("firing"))
    op.drop_table("alerts")
