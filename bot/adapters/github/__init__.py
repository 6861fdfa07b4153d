"""GitHub, GitHub Enterprise Server, and what else speaks GitHub's API."""

from bot.adapters.github.addresses import pages
from bot.adapters.github.app import GITHUB, GitHubApp
from bot.adapters.github.inspection import GitHubInspection
from bot.adapters.github.registering import Registered, convert, look

__all__ = ["GITHUB", "GitHubApp", "GitHubInspection", "Registered", "convert", "look", "pages"]
