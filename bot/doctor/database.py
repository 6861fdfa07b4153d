"""What the database's state means. Pure."""

from collections.abc import Iterator

from bot.domain.finding import Finding, ok, problem, warning
from bot.domain.inspection import DatabaseSeen

AREA = "Database"
SUBJECT = "PostgreSQL"
ADDRESS = "Check SLIPWAY_DATABASE_URL, and that PostgreSQL runs and lets this machine in."


def state(seen: DatabaseSeen) -> Iterator[Finding]:
    """Whether the tables are those of this version of Slipway."""
    if seen.revision is None:
        sentence = "It answers, and holds no tables yet."
        yield warning(AREA, SUBJECT, sentence, "`slipway serve` lays them when it starts.")
    elif seen.revision != seen.newest:
        yield problem(
            AREA,
            SUBJECT,
            f"Its tables are at {seen.revision}, and this version of Slipway wants {seen.newest}.",
            "Start `slipway serve` of this version, or use the version that wrote them.",
        )
    elif not seen.queue:
        todo = "Start `slipway serve`, which lays them, with a user that may create tables."
        yield problem(AREA, SUBJECT, "The tables of its job queue are missing.", todo)
    else:
        yield ok(AREA, SUBJECT, f"PostgreSQL {seen.server.split()[0]} answers, its tables are up to date.")


def not_started() -> Finding:
    sentence = "SLIPWAY_DATABASE_URL is not set, and the embedded PostgreSQL has never run here."
    return warning(AREA, SUBJECT, sentence, "`slipway serve` starts it; several replicas need a server.")


def away(why: str) -> Finding:
    return problem(AREA, SUBJECT, f"It does not answer: {why}.", ADDRESS)
