"""How long a person waits for the reaction and for the answer, on the running product.

The GitHub-compatible server, the real adapter, signed webhooks, PostgreSQL and the worker run here; registry
and cluster are in memory. Times are from the moment GitHub has the comment until GitHub shows the reaction or
the answer, looked at every 10 ms. `--others` puts that many open bumps of other repositories beside.
"""

import argparse
import statistics
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from bot.adapters.database.connection import connect, embedded_url, migrate
from tests.fakes import running as fakes

COMMANDS = ("/status", "/help", "/explain", "/hold lunch", "/release")


def measure(talk: fakes.Conversation, pull: int, body: str) -> tuple[float, float]:
    """Seconds until the reaction and until the answer."""
    comment = talk.say("ada", pull, body)
    started = time.monotonic()
    fakes.wait_for(lambda: talk.reactions(comment) or None, "a reaction")
    reacted = time.monotonic() - started
    talk.answer(pull, comment)
    return reacted, time.monotonic() - started


def shown(name: str, times: list[float]) -> str:
    ordered = sorted(times)
    worst = ordered[-1]
    p95 = ordered[min(len(ordered) - 1, int(len(ordered) * 0.95))]
    return f"| {name} | {statistics.median(ordered) * 1000:.0f} | {p95 * 1000:.0f} | {worst * 1000:.0f} |"


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--comments", type=int, default=40)
    options.add_argument("--others", type=int, default=0)
    chosen = options.parse_args()
    fakes.POLL = 0.01
    with tempfile.TemporaryDirectory(prefix="slipway-bench-", ignore_cleanup_errors=True) as folder:
        engine = connect(embedded_url(Path(folder) / "postgres"))
        migrate(engine)
        slipway = fakes.Running(Path(folder) / "github", engine)
        try:
            for _ in range(chosen.others):
                slipway.conversation().alias()
            talk = slipway.conversation()
            pull = talk.alias()
            measure(talk, pull, "/status")
            times = [measure(talk, pull, COMMANDS[n % len(COMMANDS)]) for n in range(chosen.comments)]
        finally:
            slipway.close()
            engine.dispose()
    print(f"{chosen.comments} comments, {chosen.others} other open bumps; milliseconds")
    print("| | median | 95% | worst |\n|---|---:|---:|---:|")
    print(shown("reaction", [reaction for reaction, _ in times]))
    print(shown("answer", [answer for _, answer in times]))


if __name__ == "__main__":
    main()
