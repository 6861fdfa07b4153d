"""The server's state with the lock that guards it, and the look-ups that everything above uses."""

import base64
import secrets
import threading
from datetime import UTC, datetime
from pathlib import Path

from pydantic import TypeAdapter

from bot.sandbox.github.errors import not_found
from bot.sandbox.github.git import GitRepository
from bot.sandbox.github.limits import RateLimit
from bot.sandbox.github.records import (
    Account,
    App,
    Installation,
    Issue,
    Repository,
    State,
    Token,
)
from bot.sandbox.github.webhooks import Outbox

_STATE = TypeAdapter(State)


class World:
    """`base` is the address that all returned URLs start with, without a slash at the end."""

    def __init__(self, root: Path, base: str, outbox: Outbox) -> None:
        self.root = root
        self.base = base
        self.outbox = outbox
        self.lock = threading.RLock()
        self.rate_limit = 5000
        self.limits = RateLimit()
        self._file = root / "state.json"
        self._git: dict[int, GitRepository] = {}
        self._merges: dict[tuple[int, str, str], str | None] = {}
        self.state = _STATE.validate_json(self._file.read_bytes()) if self._file.exists() else State()

    def save(self) -> None:
        """Write the state beside the repositories; a server started on the same folder goes on from it."""
        with self.lock:
            partial = self._file.with_suffix(".partial")
            partial.write_bytes(_STATE.dump_json(self.state))
            partial.replace(self._file)

    @staticmethod
    def now() -> datetime:
        return datetime.now(UTC).replace(microsecond=0)

    def new_id(self) -> int:
        self.state.last_id += 1
        return self.state.last_id

    # Addresses.
    def api(self, path: str) -> str:
        return f"{self.base}/api/v3{path}"

    def html(self, path: str) -> str:
        return f"{self.base}{path}"

    # Look-ups. Logins and repository names are compared as GitHub does: without regard to case.
    def account(self, login: str) -> Account | None:
        return self.state.accounts.get(login.casefold())

    def known_account(self, login: str) -> Account:
        if (found := self.account(login)) is None:
            raise not_found()
        return found

    def repository(self, owner: str, name: str) -> Repository | None:
        wanted = f"{owner}/{name}".casefold()
        return next((r for r in self.state.repositories.values() if r.full_name.casefold() == wanted), None)

    def moved(self, owner: str, name: str) -> Repository | None:
        """The repository that had this name before."""
        wanted = f"{owner}/{name}".casefold()
        return next(
            (
                repo
                for repo in self.state.repositories.values()
                if wanted in {former.casefold() for former in repo.former_names}
            ),
            None,
        )

    def git(self, repository: Repository) -> GitRepository:
        if repository.id not in self._git:
            self._git[repository.id] = GitRepository(self.git_path(repository))
        return self._git[repository.id]

    def merge_tree(self, repository: Repository, base: str, head: str) -> str | None:
        """Git's answer for two commits never changes, so it is asked once."""
        key = (repository.id, base, head)
        if key not in self._merges:
            self._merges[key] = self.git(repository).merge_tree(base, head)
        return self._merges[key]

    def git_path(self, repository: Repository) -> Path:
        return self.root / "repositories" / f"{repository.id}.git"

    def bot_of(self, app: App) -> Account:
        return self.known_account(f"{app.slug}[bot]")

    def app_of(self, installation: Installation) -> App:
        return self.state.apps[installation.app]

    def covers(self, installation: Installation, repository: Repository) -> bool:
        if installation.account.casefold() != repository.owner.casefold():
            return False
        return installation.repositories is None or repository.id in installation.repositories

    def installations_of(self, repository: Repository) -> list[Installation]:
        return [i for i in self.state.installations.values() if self.covers(i, repository)]

    def issue(self, repository: Repository, number: int) -> Issue:
        if (found := repository.issues.get(number)) is None:
            raise not_found()
        return found

    def new_token(self, prefix: str, login: str) -> Token:
        stale = [
            one.value for one in self.state.tokens.values() if one.expires_at and one.expires_at <= self.now()
        ]
        for value in stale:
            del self.state.tokens[value]
        token = Token(value=f"{prefix}_{secrets.token_hex(18)}", login=login)
        self.state.tokens[token.value] = token
        return token


def node_id(kind: str, key: object) -> str:
    """GitHub's opaque global id; ours says kind and key in base64."""
    return base64.b64encode(f"0{len(kind)}:{kind}{key}".encode()).decode()


def read_node_id(value: str, kind: str) -> str | None:
    """The key within a node id of this kind; None when it is another kind's or nonsense."""
    try:
        text = base64.b64decode(value, validate=True).decode()
    except ValueError:
        return None
    prefix = f"0{len(kind)}:{kind}"
    return text.removeprefix(prefix) if text.startswith(prefix) else None
