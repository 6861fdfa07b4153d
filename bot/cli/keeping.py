"""Where the key and the secret of a new App are kept: in files of their own, or in a Kubernetes Secret."""

import base64
import os
import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import typer

from bot.adapters.github import Registered


@dataclass(frozen=True, slots=True)
class Files:
    """Settings in `file`, the key in a file beside it; only their owner may read them."""

    file: Path
    force: bool

    @property
    def key(self) -> Path:
        return self.file.with_name(f"{self.file.stem}.private-key.pem")

    def mistake(self) -> str | None:
        """Why nothing could be kept here, before anything is made that would have to be kept."""
        for path in (self.file, self.key):
            if path.exists() and not self.force:
                return f"{path} exists: name another --file, or replace it with --force"
        folder = self.file.parent
        if not os.access(folder, os.W_OK | os.X_OK):
            return f"{folder} is no folder that can be written to: name another --file"
        return None

    def keep(self, app: Registered, base_url: str, public_url: str) -> str:
        """Write both files, each whole or not at all; says where. Raises OSError."""
        values = {
            **_values(app, base_url, public_url),
            "SLIPWAY_GITHUB_PRIVATE_KEY_FILE": str(self.key.resolve()),
        }
        text = "".join(f"{name}={shlex.quote(value)}\n" for name, value in values.items())
        _write(self.key, app.private_key)
        _write(self.file, text)
        return f"The settings are in {self.file}, the key in {self.key}; only you may read them."


@dataclass(frozen=True, slots=True)
class Printed:
    """A Kubernetes Secret on standard output."""

    def mistake(self) -> str | None:
        return None

    def keep(self, app: Registered, base_url: str, public_url: str) -> str:
        """Print the Secret, whose values are base64; says so."""
        values = {**_values(app, base_url, public_url), "SLIPWAY_GITHUB_PRIVATE_KEY": app.private_key}
        head = [
            "apiVersion: v1",
            "kind: Secret",
            "metadata:",
            "  name: slipway-github",
            "type: Opaque",
            "data:",
        ]
        lines = [f"  {name}: {base64.b64encode(value.encode()).decode()}" for name, value in values.items()]
        typer.echo("\n".join([*head, *lines]))
        return "The Kubernetes Secret was printed where slipway setup runs."


def _values(app: Registered, base_url: str, public_url: str) -> Mapping[str, str]:
    return {
        "SLIPWAY_PUBLIC_URL": public_url,
        "SLIPWAY_GITHUB_APP_ID": str(app.id),
        "SLIPWAY_GITHUB_WEBHOOK_SECRET": app.webhook_secret,
        "SLIPWAY_GITHUB_BASE_URL": base_url,
    }


def _write(path: Path, text: str) -> None:
    """Replace a file by one that only its owner may read, from its first byte on. Raises OSError."""
    temporary = path.with_name(f".{path.name}.new")
    temporary.unlink(missing_ok=True)
    with open(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as opened:  # noqa: PTH123  only `os` sets a mode from the start
        opened.write(text)
    temporary.replace(path)
