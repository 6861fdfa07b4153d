"""What can be seen from outside of Slipway: the story believes only this.

The repository is read with git, pull requests over REST as the reviewer, aliases from MLflow, samples
from Prometheus, answers from the model's callers.
"""

import time
from typing import Any

import httpx
import pygit2

from bot.sandbox import repository
from bot.sandbox.world import World

BOT = "slipway[bot]"


class Outside:
    """The eyes and hands of the people around a world."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._github = httpx.Client(
            base_url=f"{world.github.api_url}/repos/{repository.NAME}",
            headers={"Authorization": f"Bearer {world.reviewer_token}"},
            timeout=60,
            trust_env=False,
        )
        self._prometheus = httpx.Client(base_url=world.prometheus.url, timeout=60, trust_env=False)

    def close(self) -> None:
        self._github.close()
        self._prometheus.close()

    # Git.
    def pinned(self) -> str:
        """The version that the default branch pins, by its bytes."""
        tree = pygit2.Repository(str(self._world.bare_repository)).revparse_single("main^{tree}")
        assert isinstance(tree, pygit2.Tree)
        blob = tree[repository.PIN_FILE]
        assert isinstance(blob, pygit2.Blob)
        text = blob.data.decode()
        return text.split(f"models:/{repository.MODEL}/", 1)[1].split("\n", 1)[0].strip()

    # Pull requests.
    def pulls(self) -> list[dict[str, Any]]:
        """All of them, newest first."""
        return self._list("/pulls", state="all", per_page="100")

    def bot_pull_after(self, number: int) -> dict[str, Any] | None:
        """The first pull request that the bot opened after this one."""
        found = [pull for pull in self.pulls() if pull["number"] > number and pull["user"]["login"] == BOT]
        return min(found, key=lambda pull: int(pull["number"]), default=None)

    def pull(self, number: int) -> dict[str, Any]:
        found: dict[str, Any] = self._github.get(f"/pulls/{number}").raise_for_status().json()
        return found

    def files(self, number: int) -> list[dict[str, Any]]:
        return self._list(f"/pulls/{number}/files")

    def comments(self, number: int) -> list[dict[str, Any]]:
        return self._list(f"/issues/{number}/comments", per_page="100")

    def bot_comments(self, number: int) -> list[str]:
        return [one["body"] for one in self.comments(number) if one["user"]["login"] == BOT]

    def reactions(self, comment: int) -> list[str]:
        return [one["content"] for one in self._list(f"/issues/comments/{comment}/reactions")]

    def say(self, number: int, text: str) -> int:
        """Comment as the reviewer; returns the comment's id."""
        answer = self._github.post(f"/issues/{number}/comments", json={"body": text}).raise_for_status()
        return int(answer.json()["id"])

    def _list(self, path: str, **parameters: str) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self._github.get(path, params=parameters).raise_for_status().json()
        return found

    # MLflow.
    def alias(self, name: str) -> str | None:
        aliases = self._world.mlflow.client.get_registered_model(repository.MODEL).aliases
        found = aliases.get(name)
        return None if found is None else str(found)

    def set_alias(self, name: str, version: str) -> None:
        self._world.mlflow.client.set_registered_model_alias(repository.MODEL, name, version)

    def metric(self, version: str, name: str) -> float:
        """What was measured when this version was trained."""
        run = self._world.mlflow.client.get_model_version(repository.MODEL, version).run_id
        return float(self._world.mlflow.client.get_run(run).data.metrics[name])

    # Prometheus.
    def requests(self, version: str, status: str = "") -> float:
        """How many requests this version has answered, as Prometheus last saw it."""
        matchers = f'service="{repository.MODEL}",version="{version}"'
        matchers += f',status="{status}"' if status else ""
        return sum(self._values(f"http_requests_total{{{matchers}}}"))

    def _values(self, query: str) -> list[float]:
        answer = self._prometheus.get("/api/v1/query", params={"query": query}).raise_for_status()
        return [float(series["value"][1]) for series in answer.json()["data"]["result"]]

    # Callers.
    def serving(self, seconds: float = 2.0) -> set[str]:
        """The versions that answered callers in the last seconds."""
        answers = self._world.traffic.since(time.time() - seconds)
        return {answer.version for answer in answers if answer.version}

    def latency(self, seconds: float = 5.0) -> tuple[float, float]:
        """(share of failed requests, median seconds) that callers saw in the last seconds."""
        answers = self._world.traffic.since(time.time() - seconds)
        if not answers:
            return 0.0, 0.0
        failed = sum(answer.status not in range(200, 300) for answer in answers) / len(answers)
        return failed, sorted(answer.seconds for answer in answers)[len(answers) // 2]
