"""Starting and stopping the server, and setting its world up without HTTP."""

import socket
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import uvicorn

from bot.sandbox.github.actions.apps import (
    install_app,
    new_account,
    register_app,
    set_repositories,
    uninstall_app,
)
from bot.sandbox.github.application import build
from bot.sandbox.github.git import GitRepository, Person, TreeEdit
from bot.sandbox.github.records import Repository, Role, Team
from bot.sandbox.github.webhooks import Outbox
from bot.sandbox.github.world import World

START_SECONDS = 15.0
FILE_MODE = 0o100644


@dataclass(frozen=True, slots=True)
class AppKeys:
    """What GitHub hands to the owner of a new App."""

    id: int
    slug: str
    private_key_pem: str = field(repr=False)
    webhook_secret: str | None = field(repr=False)

    @property
    def bot_login(self) -> str:
        return f"{self.slug}[bot]"


class GitHubServer:
    """GitHub on one machine. `root` keeps repositories and state; a server started there goes on."""

    def __init__(self, root: Path, *, host: str = "127.0.0.1", port: int = 0) -> None:
        root.mkdir(parents=True, exist_ok=True)
        (root / "repositories").mkdir(exist_ok=True)
        self._socket = listen(host, port)
        self.url = f"http://{host}:{self._socket.getsockname()[1]}"
        self.outbox = Outbox()
        self.world = World(root, self.url, self.outbox)
        config = uvicorn.Config(build(self.world), log_level="warning", access_log=False, lifespan="off")
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(
            target=self._server.run, kwargs={"sockets": [self._socket]}, name="github-server", daemon=True
        )

    @property
    def api_url(self) -> str:
        """What PyGithub takes as `base_url`."""
        return self.world.api("")

    def start(self) -> str:
        """Serve in a thread; returns the REST API's base URL once it answers."""
        self._thread.start()
        deadline = time.monotonic() + START_SECONDS
        while not self._server.started:
            if time.monotonic() > deadline or not self._thread.is_alive():
                raise RuntimeError("the GitHub-compatible server did not start")
            time.sleep(0.005)
        return self.api_url

    def stop(self) -> None:
        """Stop serving and keep the state on disk."""
        self._server.should_exit = True
        if self._thread.is_alive():
            self._thread.join(START_SECONDS)
        self._socket.close()
        self.outbox.close()
        self.world.save()

    # People.
    def create_user(self, login: str, *, name: str | None = None) -> str:
        """A person with a token of their own, which is returned."""
        with self.world.lock:
            if self.world.account(login) is None:
                new_account(self.world, login, "User", name or login)
            return self.world.new_token("ghp", login).value

    def create_organization(self, login: str, *, members: Sequence[str] = ()) -> None:
        with self.world.lock:
            account = self.world.account(login) or new_account(self.world, login, "Organization", login)
            account.members = sorted({*account.members, *members})

    def create_team(self, organization: str, slug: str, members: Sequence[str]) -> None:
        """Its people become members of the organisation."""
        with self.world.lock:
            self.create_organization(organization, members=members)
            world = self.world
            team = Team(world.new_id(), organization, slug, slug, world.now(), list(members))
            world.state.teams.append(team)

    # Repositories.
    def create_repository(
        self,
        full_name: str,
        files: Mapping[str, bytes],
        *,
        private: bool = True,
        default_branch: str = "main",
        message: str = "Initial commit",
    ) -> Repository:
        """A repository whose default branch holds these files. The owner is created when new."""
        world = self.world
        owner, name = full_name.split("/")
        with world.lock:
            account = world.account(owner) or new_account(self.world, owner, "Organization", owner)
            now = world.now()
            repo = Repository(world.new_id(), account.login, name, private, default_branch, now, now, now)
            git = GitRepository.create(world.git_path(repo), default_branch)
            world.state.repositories[repo.id] = repo
            if files:
                tree = git.add_tree(
                    None, {path: TreeEdit(FILE_MODE, git.add_blob(data)) for path, data in files.items()}
                )
                author = Person(account.name, account.email, now)
                git.set_ref(f"refs/heads/{default_branch}", git.add_commit(tree, [], message, author, author))
            return repo

    def add_collaborator(self, full_name: str, login: str, permission: Role) -> None:
        """`read`, `triage`, `write`, `maintain` or `admin`; `none` takes the right away."""
        with self.world.lock:
            repo = self._repository(full_name)
            if permission == "none":
                repo.collaborators.pop(login, None)
            else:
                repo.collaborators[self.world.known_account(login).login] = permission

    def rename(self, full_name: str, new: str) -> None:
        """Give a repository another name, or another owner too; its id stays, and its old name leads to it.
        The owner must exist.
        """
        with self.world.lock:
            repo = self._repository(full_name)
            repo.former_names.append(repo.full_name)
            owner, repo.name = new.split("/")
            repo.owner = self.world.known_account(owner).login

    def _repository(self, full_name: str) -> Repository:
        found = self.world.repository(*full_name.split("/"))
        if found is None:
            raise KeyError(full_name)
        return found

    # Apps.
    def create_app(
        self,
        slug: str,
        *,
        permissions: Mapping[str, str],
        events: Sequence[str],
        webhook_url: str | None = None,
        webhook_secret: str | None = None,
        owner: str = "operator",
    ) -> AppKeys:
        """Register an App; its owner is created when new."""
        world = self.world
        with world.lock:
            account = world.account(owner) or new_account(self.world, owner, "User", owner)
            app, key = register_app(
                world,
                slug,
                owner=account.login,
                permissions=permissions,
                subscribed=events,
                webhook_url=webhook_url,
                webhook_secret=webhook_secret,
            )
        return AppKeys(app.id, slug, key, webhook_secret)

    def install(self, app: AppKeys, repositories: Sequence[str]) -> int:
        """Install the App on these repositories of one account (none: all of its owner's); the id."""
        world = self.world
        with world.lock:
            chosen = [self._repository(name) for name in repositories]
            record = world.state.apps[app.id]
            account = chosen[0].owner if chosen else record.owner
            ids = [one.id for one in chosen] or None
            return install_app(world, record, account, ids).id

    def cover(self, installation: int, repositories: Sequence[str]) -> None:
        """Let an installation cover exactly these repositories."""
        with self.world.lock:
            record = self.world.state.installations[installation]
            set_repositories(self.world, record, [self._repository(name).id for name in repositories])

    def uninstall(self, installation: int) -> None:
        with self.world.lock:
            uninstall_app(self.world, self.world.state.installations[installation])

    def set_webhook(self, app: AppKeys, url: str, secret: str) -> None:
        """Point an App's webhook elsewhere, once it is known where the App listens."""
        with self.world.lock:
            record = self.world.state.apps[app.id]
            record.webhook_url, record.webhook_secret = url, secret

    def conclude(self, full_name: str, run: int, conclusion: str) -> None:
        """Say how a workflow's run ended."""
        for each in self._repository(full_name).runs:
            if each.id == run:
                each.conclusion = conclusion

    def dispatched(self, full_name: str) -> Sequence[dict[str, Any]]:
        """The `repository_dispatch` events so far, oldest first."""
        return list(self._repository(full_name).dispatched)

    def web_url(self, path: str = "") -> str:
        """The address of a page, such as `/acme/gitops/pull/1`."""
        return self.world.html(path)


def listen(host: str, port: int) -> socket.socket:
    """A listening socket that names its protocol, so that asyncio turns off Nagle (40 ms for each answer)."""
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind((host, port))
    return listener
