"""Where people see what an API serves."""

from urllib.parse import urlsplit

from bot.adapters.github.app import GITHUB


def pages(api: str) -> str:
    """The address of the pages: github.com, a company's own `*.ghe.com`, or an Enterprise Server's host."""
    api = api.rstrip("/")
    if api == GITHUB:
        return "https://github.com"
    host = urlsplit(api).hostname or ""
    if host.startswith("api.") and host.endswith(".ghe.com"):
        return f"https://{host.removeprefix('api.')}"
    return api.removesuffix("/api/v3")
