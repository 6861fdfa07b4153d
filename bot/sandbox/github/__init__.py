"""A server that speaks GitHub's API over real bare git repositories, for one machine without an account."""

from bot.sandbox.github.server import AppKeys, GitHubServer

__all__ = ["AppKeys", "GitHubServer"]
