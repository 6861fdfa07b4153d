"""`bot.ports.ForgeApp`: the GitHub App over all its installations."""

import logging
import threading
from collections.abc import Mapping, Sequence
from datetime import datetime

from github import Auth

from bot.adapters.github import records
from bot.adapters.github.client import Client, Shared
from bot.adapters.github.place import Place
from bot.adapters.github.repository import GitHubForge
from bot.ports import Installed, NotFound, Refused, Usage

logger = logging.getLogger(__name__)

GITHUB = "https://api.github.com"
JWT_SECONDS = 300
MOST_ATTEMPTS = 3
"""A delivery that failed so often would fail again."""


class GitHubApp:
    """An App by its id and private key (PEM). `base_url` is the API's: of github.com, of a GitHub Enterprise
    Server (`https://host/api/v3`), or of anything else that speaks it. May be used by any thread.
    """

    def __init__(self, app_id: int | str, private_key: str, base_url: str = GITHUB) -> None:
        auth = Auth.AppAuth(app_id, private_key, jwt_expiry=JWT_SECONDS)
        self._shared = Shared(base_url=base_url, app_auth=auth)
        self._slug: str | None = None
        self._local = threading.local()

    def __repr__(self) -> str:
        return f"GitHubApp({self._shared.base_url})"

    @property
    def bot_login(self) -> str:
        """The login under which the App comments and commits."""
        if self._slug is None:
            self._slug = str(self._client(None).get("/app")["slug"])
        return f"{self._slug}[bot]"

    def repositories(self) -> Sequence[Installed]:
        found: list[Installed] = []
        for installation in self._client(None).pages("/app/installations"):
            if installation.get("suspended_at") is not None:
                continue
            try:
                found += self._inside(installation)
            except Refused as refused:
                # Removed this moment, or closed to our address: no reason to do without the others.
                logger.warning("installation %s cannot be read: %s", installation["id"], refused)
        return found

    def _inside(self, installation: records.Json) -> Sequence[Installed]:
        """The repositories of one installation; a server that cannot list them can search the account's."""
        ident = int(installation["id"])
        client = self._client((ident, None))
        try:
            listing = list(client.pages("/installation/repositories", "repositories"))
        except NotFound:
            owner = f"user:{installation['account']['login']}"
            listing = list(client.pages("/search/repositories", "items", q=owner))
        return [Installed(int(each["id"]), str(each["full_name"]), ident) for each in listing]

    def forge(self, installation: int, repository: str) -> GitHubForge:
        owner, _, name = repository.partition("/")
        client = self._client((installation, repository))
        return GitHubForge(Place(client, owner, name, self.bot_login, self._shared.written))

    def redeliver_failed(self, since: datetime) -> int:
        """One attempt more for each delivery that never got through; none where deliveries are not kept."""
        try:
            attempts = self._attempts(since)
        except NotFound:
            return 0
        lost = [tried[0] for tried in attempts if not _delivered(tried) and len(tried) < MOST_ATTEMPTS]
        for delivery in lost:
            self._client(None).post(f"/app/hook/deliveries/{delivery['id']}/attempts")
        return len(lost)

    def _attempts(self, since: datetime) -> Sequence[Sequence[records.Json]]:
        """The attempts of each delivery, newest first. Raises NotFound where they are not kept."""
        attempts: dict[str, list[records.Json]] = {}
        for delivery in self._client(None).pages("/app/hook/deliveries"):
            if records.time(delivery["delivered_at"]) < since:
                break  # newest first
            attempts.setdefault(delivery["guid"], []).append(delivery)
        return list(attempts.values())

    def usage(self) -> Mapping[int, Usage]:
        """What each installation (0: the App itself) used of its rate limit."""
        return {key: budget.usage() for key, budget in dict(self._shared.budgets).items()}

    def _client(self, key: tuple[int, str | None] | None) -> Client:
        """This thread's client for an installation and repository: PyGithub is not safe across threads."""
        clients: dict[tuple[int, str | None] | None, Client] = self._local.__dict__.setdefault("clients", {})
        if key not in clients:
            clients[key] = Client(self._shared, key)
        return clients[key]


def _delivered(attempts: Sequence[records.Json]) -> bool:
    return any(200 <= each["status_code"] < 300 for each in attempts)  # noqa: PLR2004  # HTTP's success
