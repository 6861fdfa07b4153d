"""What Alertmanager last said of each alert."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import and_, delete, func, not_, or_, select
from sqlalchemy.dialects.postgresql import insert

from bot.adapters.database.rows import Rows
from bot.adapters.database.tables import alerts
from bot.webhooks.alertmanager import Alert

_KEPT = timedelta(days=30)
"""Longer than a canary takes: an older alert began before whatever is watched now."""


class Alerts(Rows):
    """The part of the store about alerts."""

    def keep_alerts(self, said: Sequence[Alert]) -> None:
        with self._engine.begin() as connection:
            connection.execute(delete(alerts).where(alerts.c.starts_at < func.now() - _KEPT))
            for alert in sorted(said, key=lambda each: each.fingerprint):
                statement = insert(alerts).values(
                    fingerprint=alert.fingerprint,
                    name=alert.name,
                    labels=dict(alert.labels),
                    starts_at=alert.starts_at,
                    firing=alert.firing,
                )
                new = statement.excluded
                # Deliveries may overtake each other: of the same beginning, being over is the later word.
                later = or_(
                    new.starts_at > alerts.c.starts_at,
                    and_(new.starts_at == alerts.c.starts_at, not_(new.firing)),
                )
                connection.execute(
                    statement.on_conflict_do_update(
                        index_elements=["fingerprint"],
                        set_={"starts_at": new.starts_at, "firing": new.firing},
                        where=later,
                    )
                )

    def firing(self, since: datetime) -> Sequence[Alert]:
        wanted = (
            select(alerts)
            .where(alerts.c.firing, alerts.c.starts_at >= since)
            .order_by(alerts.c.starts_at, alerts.c.fingerprint)
        )
        with self._engine.connect() as connection:
            return [
                Alert(
                    name=row.name,
                    firing=row.firing,
                    labels=row.labels,
                    starts_at=row.starts_at,
                    fingerprint=row.fingerprint,
                )
                for row in connection.execute(wanted)
            ]
