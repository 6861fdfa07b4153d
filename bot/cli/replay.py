"""`slipway replay`: a canary's verdict once more, from the samples that were stored."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Annotated

import typer

from bot.adapters.database.connection import NoDatabaseError, connect, embedded_url
from bot.adapters.database.store import PostgresStore
from bot.analysis.replay import replay as recompute
from bot.domain.verdict import SloEvidence
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
    """Compute a canary's verdict again from what was stored; exit 1 where it does not come out the same."""
    try:
        store = PostgresStore(connect(database or embedded_url(data_dir.resolve())))
    except NoDatabaseError as error:
        raise _refused(str(error)) from None
    loaded, kept = store.load(promotion), store.watched(promotion)
    if loaded is None:
        raise _refused(f"there is no promotion {promotion}")
    if kept is None:
        raise _refused(f"nothing was watched yet for promotion {promotion}")
    again = recompute(recorded(kept, store.windows(promotion)), loaded.promotion.verdict)
    typer.echo(again.sentence)
    for line in told(again.verdict.slos if again.verdict is not None else ()):
        typer.echo(line)
    raise typer.Exit(0 if again.agrees else 1)


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
            "-" if slo.ratio is None else f"{slo.ratio:.2%}",
            f"{slo.evidence[-1][1]:,.3g}" if slo.evidence else "-",
            f"{slo.threshold:,.0f}",
            slo.outcome.value if slo.decides else "only shown",
        )
        for slo in slos
    ]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        cells = zip(row, widths, strict=True)
        yield "  " + "  ".join(f"{cell:<{width}}" for cell, width in cells).rstrip()


def _refused(message: str) -> typer.Exit:
    typer.echo(message, err=True)
    return typer.Exit(2)
