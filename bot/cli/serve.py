"""`slipway serve`: the web application and the worker."""

import logging

import typer

from bot import settings


def serve(
    *,
    web: bool = typer.Option(False, "--web", help="Only take webhooks and show pages."),  # noqa: FBT003  typer's form
    worker: bool = typer.Option(False, "--worker", help="Only work on promotions."),  # noqa: FBT003  typer's form
) -> None:
    """Take webhooks and work on promotions, until stopped."""
    # These take seconds to import, and the other verbs of the command line do without.
    import uvicorn  # noqa: PLC0415
    from sqlalchemy.exc import OperationalError  # noqa: PLC0415

    from bot import bootstrap  # noqa: PLC0415
    from bot.adapters.argocd import NoKubernetesError  # noqa: PLC0415
    from bot.adapters.database.connection import NoDatabaseError  # noqa: PLC0415

    try:
        configured = settings.load()
    except settings.SettingsError as error:
        for mistake in error.mistakes:
            typer.echo(mistake, err=True)
        raise typer.Exit(2) from None
    logging.basicConfig(
        level=configured.log_level.upper(), format="%(asctime)s %(levelname)s %(name)s: %(message)s"
    )
    logging.getLogger("httpx").setLevel(logging.WARNING)
    try:
        slipway = bootstrap.build(configured)
    except (NoDatabaseError, NoKubernetesError) as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(2) from None
    except OperationalError as error:
        typer.echo(f"The database of SLIPWAY_DATABASE_URL does not answer: {error.orig}", err=True)
        raise typer.Exit(1) from None
    both = web is worker
    application = slipway.application(hear=both or web, work=both or worker)
    uvicorn.run(
        application,
        host=configured.host,
        port=configured.port,
        log_config=None,
        access_log=False,
        timeout_graceful_shutdown=10,
    )
