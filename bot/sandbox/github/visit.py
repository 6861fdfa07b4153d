"""Somebody in a repository: what every action starts from."""

from dataclasses import dataclass

from bot.sandbox.github.access import Actor, role_of
from bot.sandbox.github.git import GitRepository
from bot.sandbox.github.records import ROLES, Repository, Role
from bot.sandbox.github.world import World


@dataclass(frozen=True, slots=True)
class Visit:
    world: World
    repo: Repository
    actor: Actor

    @property
    def git(self) -> GitRepository:
        return self.world.git(self.repo)

    @property
    def role(self) -> Role:
        """The actor's own right as a person; `none` for an App."""
        return role_of(self.world, self.repo, self.actor.login)

    def writes(self, permission: str) -> bool:
        """Whether the actor may write what this permission is about, without raising."""
        if self.actor.installation is not None:
            return self.actor.may(f"{permission}:write") and self.world.covers(
                self.actor.installation, self.repo
            )
        return ROLES.index(self.role) >= ROLES.index("write")
