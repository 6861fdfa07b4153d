"""Credentials as `docker login` writes them."""

import base64
import binascii
import json
from collections.abc import Mapping

from pydantic import SecretStr

from bot.adapters.oci.transport import Credentials

_HUB = ("https://index.docker.io/v1/", "index.docker.io")


def from_docker_config(text: str) -> Mapping[str, Credentials]:
    """Host → credentials, of `auths` in Docker's config.json. Raises ValueError without quoting a secret."""
    try:
        auths = json.loads(text).get("auths", {})
        return {_host(name): _credentials(entry) for name, entry in auths.items() if entry.get("auth")}
    except (AttributeError, json.JSONDecodeError, binascii.Error, UnicodeDecodeError):
        raise ValueError("this is no config.json as `docker login` writes it") from None


def _host(name: str) -> str:
    return "docker.io" if name in _HUB else name.removeprefix("https://").removeprefix("http://").strip("/")


def _credentials(entry: Mapping[str, str]) -> Credentials:
    username, _, password = base64.b64decode(entry["auth"], validate=True).decode().partition(":")
    return Credentials(username, SecretStr(password))
