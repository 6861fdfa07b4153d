"""What a process of Slipway starts ends with it."""

from pathlib import Path

from fastapi.testclient import TestClient

from bot import bootstrap
from bot.settings import Settings


def children() -> set[str]:
    """The evaluators of expressions that this process has started and not yet ended."""
    ours = Path(f"/proc/self/task/{Path('/proc/self').resolve().name}/children")
    pids = ours.read_text().split()
    return {pid for pid in pids if b"bot.adapters.cel.child" in Path(f"/proc/{pid}/cmdline").read_bytes()}


def test_the_evaluator_of_expressions_ends_with_the_application(engine):
    """No child process is left behind by a restart."""
    settings = Settings(
        database_url=engine.url.render_as_string(hide_password=False),
        github_app_id=1,
        github_private_key="none is used here",
        github_webhook_secret="one",
        mlflow_tracking_uri="http://127.0.0.1:1",
        mlflow_webhook_secret="another",
    )
    before = children()
    slipway = bootstrap.build(settings)
    with TestClient(slipway.application(work=False)):
        assert slipway.outside.expressions(["1 < 2"], {})[0].holds
        assert len(children() - before) == 1

    assert children() == before
