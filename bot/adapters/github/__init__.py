"""GitHub, GitHub Enterprise Server, and what else speaks GitHub's API."""

from bot.adapters.github.app import GITHUB, GitHubApp

__all__ = ["GITHUB", "GitHubApp"]
