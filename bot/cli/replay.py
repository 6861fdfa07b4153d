"""`slipway replay`: a canary's verdicts once more, from the samples that were stored."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer
from sqlalchemy import Engine
from sqlalchemy.exc import ArgumentError, OperationalError, ProgrammingError

from bot.adapters.database.connection import NoDatabaseError, connect, embedded_url
from bot.adapters.database.store import PostgresStore
from bot.analysis.objectives import percent
from bot.analysis.replay import replay as recompute
from bot.cli.columns import columns
from bot.domain.promotion import Promotion
from bot.domain.spans import spoken
from bot.domain.verdict import SloEvidence, Verdict
from bot.jobs.canary import recorded


def replay(
    promotion: Annotated[str, typer.Argument(help="Id of the promotion.")],
    *,
    database: Annotated[
        str | None,
        typer.Option(help="The database; unset: the embedded one.", envvar="SLIPWAY_DATABASE_URL"),
    ] = None,
    data_dir: Annotated[
        Path, typer.Option(help="Where the embedded database keeps its data.", envvar="SLIPWAY_DATA_DIR")
    ] = Path(".slipway"),
) -> None:
    """Compute a canary's verdict again from what was stored, and those on each share of the traffic; exit 1
    where one does not come out the same.
    """
    engine = _engine(database, data_dir.resolve())
    store = PostgresStore(engine)
    try:
        loaded, kept = store.load(promotion), store.watched(promotion)
        windows, before = store.windows(promotion), store.judged_watches(promotion)
    except OperationalError as error:
        raise _refused(f"the database does not answer: {str(error.orig).splitlines()[0]}") from None
    except ProgrammingError:
        raise _refused("this database is not one of Slipway's") from None
    finally:
        engine.dispose()
    if loaded is None:
        raise _refused(f"there is no promotion {promotion}")
    if kept is None and not before:
        raise _refused(f"nothing was watched yet for promotion {promotion}")
    agree = [_replayed(loaded.promotion, each.verdict, each.state, each.windows) for each in before]
    if kept is not None:
        agree.append(_replayed(loaded.promotion, loaded.promotion.verdict, kept, windows))
    raise typer.Exit(0 if all(agree) else 1)


def _replayed(
    promotion: Promotion,
    verdict: Verdict | None,
    state: Mapping[str, Any],
    windows: Sequence[Mapping[str, Any]],
) -> bool:
    """Print what comes out this time; whether it is what was stored."""
    again = recompute(recorded(state, windows), verdict)
    for line in (heading(promotion, state["share"], verdict), again.sentence):
        typer.echo(line)
    for line in told(again.verdict.slos if again.verdict is not None else ()):
        typer.echo(line)
    return again.agrees


def heading(promotion: Promotion, share: int | None, judged: Verdict | None) -> str:
    """Which promotion this is, with how much of the traffic, and when it was judged."""
    what = f"{promotion.model} version {promotion.candidate} in {promotion.environment}"
    if share is not None:
        what += f" with {share}% of the traffic"
    if judged is None:
        return f"{what}, not judged yet."
    took = spoken(judged.decided_at - judged.started_at)
    return f"{what}, judged {judged.decided_at:%Y-%m-%d %H:%M} UTC after {took}."


def told(slos: Sequence[SloEvidence]) -> Iterator[str]:
    """A table of the SLOs; the evidence is the last E beside the one at which the SLO fails."""
    if not slos:
        return
    rows = [("SLO", "objective", "requests", "bad", "share", "evidence", "fails at", "")]
    rows += [
        (
            slo.slo,
            slo.objective,
            f"{slo.total:,.0f}",
            f"{slo.bad:,.0f}",
            "-" if slo.ratio is None else percent(slo.ratio),
            f"{slo.evidence[-1][1]:,.3g}" if slo.evidence else "-",
            f"{slo.threshold:,.0f}" if slo.threshold else "-",
            slo.outcome.value if slo.decides else "only shown",
        )
        for slo in slos
    ]
    yield from columns(rows, "llrrrrrl")


def _engine(database: str | None, directory: Path) -> Engine:
    if database is None and not (directory / "postgres").is_dir():
        raise _refused(f"there is no database in {directory}: name it with --database or --data-dir")
    try:
        return connect(database or embedded_url(directory))
    except NoDatabaseError as error:
        raise _refused(str(error)) from None
    except ArgumentError:
        raise _refused("--database is no address like postgresql://user@host/name") from None


def _refused(message: str) -> typer.Exit:
    typer.echo(message, err=True)
    return typer.Exit(2)
