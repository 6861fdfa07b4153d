"""Settings of the process, from the environment (`SLIPWAY_*`); secrets never appear in a repr."""

import json
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal, Self
from urllib.parse import urlsplit

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    SecretStr,
    ValidationError,
    model_validator,
)
from pydantic_core import PydanticCustomError
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from bot.adapters.notifications import Target
from bot.adapters.prometheus import Connection


def _web_address(text: str) -> str:
    try:
        parts = urlsplit(text)
        known = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        known = False
    if not known or any(letter.isspace() for letter in text):
        raise PydanticCustomError("address", "this is no web address like https://host or http://host:8080")
    return text


WebAddress = Annotated[str, AfterValidator(_web_address)]


class MetricsSource(BaseModel):
    """A named metrics server: how it is reached. `timeout` is in seconds."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    url: WebAddress
    token: SecretStr | None = None
    username: str | None = None
    password: SecretStr | None = None
    headers: dict[str, SecretStr] = {}
    certificate: Path | None = None
    key: Path | None = None
    ca: Path | None = None
    timeout: float = Field(10.0, gt=0)

    @model_validator(mode="after")
    def _certificate_has_its_key(self) -> Self:
        if (self.certificate is None) != (self.key is None):
            raise ValueError("a certificate needs its key, and a key its certificate")
        return self

    def connection(self) -> Connection:
        """The same for the adapter, with its secrets."""
        basic = (self.username, _revealed(self.password) or "") if self.username else None
        own = (str(self.certificate), str(self.key)) if self.certificate and self.key else None
        return Connection(
            url=self.url,
            bearer=_revealed(self.token),
            basic=basic,
            headers={name: value.get_secret_value() for name, value in self.headers.items()},
            certificate=own,
            ca=str(self.ca) if self.ca else None,
            read_timeout=self.timeout,
        )


def _revealed(secret: SecretStr | None) -> str | None:
    return secret.get_secret_value() if secret is not None else None


def _json(value: object) -> object:
    """Text of the environment as JSON; a mistake in it is told like any other mistake."""
    if not isinstance(value, str):
        return value
    try:
        return json.loads(value)
    except ValueError:
        raise ValueError("this is no JSON") from None


class MetricsSettings(BaseSettings):
    """The metrics servers alone: what `slipway backtest` needs of the settings."""

    model_config = SettingsConfigDict(env_prefix="SLIPWAY_", extra="ignore", frozen=True)

    prometheus_url: WebAddress | None = Field(
        None, description="Address of Prometheus or what speaks its API."
    )
    prometheus_username: str | None = Field(None, description="User of basic authentication.")
    prometheus_password: SecretStr | None = Field(None, description="Password of basic authentication.")
    prometheus_token: SecretStr | None = Field(None, description="Bearer token.")
    prometheus_tenant: str | None = Field(None, description="Sent as X-Scope-OrgID.")
    prometheus_sources: Annotated[dict[str, MetricsSource], NoDecode, BeforeValidator(_json)] = Field(
        default_factory=dict,
        description="Further metrics servers, as JSON from name (`source:` in slipway.yaml) to "
        "url, token, username, password, headers, certificate, key, ca, timeout.",
    )

    def sources(self) -> Mapping[str, MetricsSource]:
        """Each metrics server by its name; `default` is the one of the plain settings."""
        sources = dict(self.prometheus_sources)
        if self.prometheus_url is not None:
            tenant = self.prometheus_tenant
            sources["default"] = MetricsSource(
                url=self.prometheus_url,
                token=self.prometheus_token,
                username=self.prometheus_username,
                password=self.prometheus_password,
                headers={"X-Scope-OrgID": SecretStr(tenant)} if tenant else {},
            )
        return sources


class NotifyTarget(BaseModel):
    """Where notices go: a chat that takes Slack's incoming webhooks, or a program that takes signed JSON."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: Literal["slack", "webhook"]
    url: SecretStr
    secret: SecretStr | None = None

    @model_validator(mode="after")
    def _is_complete(self) -> Self:
        if not self.url.get_secret_value().startswith(("https://", "http://")):
            raise ValueError("the url is no web address")
        if (self.kind == "webhook") != bool(self.secret):
            raise ValueError("a webhook needs a secret to sign with, and a chat has none")
        return self

    def target(self) -> Target:
        """The same for the adapter."""
        return Target(self.kind, self.url.get_secret_value(), _revealed(self.secret) or "")


class Settings(MetricsSettings):
    """Everything that differs between two installations of Slipway."""

    database_url: SecretStr | None = Field(
        None, description="Any PostgreSQL. Unset: an embedded one in the data directory."
    )
    data_dir: Path = Field(Path(".slipway"), description="Where the embedded PostgreSQL keeps its data.")

    host: str = Field("127.0.0.1", description="Address to listen on.")
    port: int = Field(8080, description="Port to listen on.")
    public_url: WebAddress | None = Field(
        None, description="Address under which people and webhooks reach Slipway."
    )

    github_app_id: int = Field(description="The App's id.")
    github_private_key: SecretStr | None = Field(None, description="The App's private key (PEM).")
    github_private_key_file: Path | None = Field(None, description="File with the App's private key (PEM).")
    github_webhook_secret: SecretStr = Field(
        description="Secret of GitHub's webhooks; two separated by a comma while one is being replaced."
    )
    github_base_url: WebAddress = Field(
        "https://api.github.com", description="GitHub Enterprise Server: https://HOST/api/v3."
    )

    mlflow_tracking_uri: WebAddress = Field(
        description="Address of the MLflow server (MLflow's own variables hold its credentials)."
    )
    mlflow_public_url: WebAddress | None = Field(
        None, description="Address of MLflow for links; default: the same."
    )
    mlflow_webhook_secret: SecretStr = Field(
        description="Secret of MLflow's webhooks; two separated by a comma while one is being replaced."
    )

    argocd_url: WebAddress | None = Field(None, description="Address of Argo CD's API.")
    argocd_namespace: str | None = Field(
        None,
        description="Instead of the API: where Argo CD keeps its Applications, read straight from "
        "Kubernetes (extra `kubernetes`).",
    )
    argocd_token: SecretStr | None = Field(None, description="Token with the right to get applications.")

    argocd_webhook_secret: SecretStr | None = Field(
        None, description="Bearer secret of Argo CD's notifications; unset: they are not taken."
    )
    alertmanager_secret: SecretStr | None = Field(
        None, description="Bearer secret of Alertmanager's webhook; unset: it is not taken."
    )

    notify_targets: Annotated[dict[str, NotifyTarget], NoDecode, BeforeValidator(_json)] = Field(
        default_factory=dict,
        description="Who can be told, as JSON from name (`notifications:` in slipway.yaml) to "
        "kind (slack, webhook), url, secret (of a webhook).",
    )

    model_scopes: Annotated[dict[str, tuple[str, ...]], NoDecode, BeforeValidator(_json)] = Field(
        default_factory=dict,
        description="Which repositories may name which models, as JSON from `owner/name` to names, both with "
        "`*`; unset: every repository may name every model of the registry.",
    )

    registry_auth_file: Path | None = Field(
        None, description="Credentials of container registries, in the form of Docker's config.json."
    )

    build_dir: Path = Field(
        Path(tempfile.gettempdir()),
        description="Where images are built: room for a model and its layer, at most two at a time.",
    )
    build_max_bytes: int = Field(10_000_000_000, gt=0, description="The most that a model to build with has.")
    build_max_files: int = Field(10_000, gt=0, description="The most files that a model to build with has.")

    log_level: str = Field("INFO", description="DEBUG, INFO, WARNING or ERROR.")

    def private_key(self) -> str:
        """The App's key, from wherever it was given."""
        if self.github_private_key is not None:
            return self.github_private_key.get_secret_value()
        if self.github_private_key_file is None:
            raise SettingsError(("SLIPWAY_GITHUB_PRIVATE_KEY or SLIPWAY_GITHUB_PRIVATE_KEY_FILE is missing",))
        return self.github_private_key_file.read_text()


class SettingsError(Exception):
    """What is missing or wrong, all at once, each in a sentence."""

    def __init__(self, mistakes: tuple[str, ...]) -> None:
        super().__init__("\n".join(mistakes))
        self.mistakes = mistakes


@dataclass(frozen=True, slots=True)
class Partly:
    """As much of the settings as can be used. `lacking` names the fields that hold a stand-in; `mistakes`
    says why, in sentences.
    """

    settings: Settings
    lacking: frozenset[str] = frozenset()
    mistakes: tuple[str, ...] = ()


_STAND_INS = {
    "github_app_id": 0,
    "github_webhook_secret": "",
    "mlflow_tracking_uri": "http://0.0.0.0",
    "mlflow_webhook_secret": "",
}


def load() -> Settings:
    """Read the environment. Raises SettingsError naming everything that is missing or wrong."""
    read = load_partly()
    if read.mistakes:
        raise SettingsError(read.mistakes)
    return read.settings


def load_partly() -> Partly:
    """Read what can be read of the environment."""
    mistakes: list[str] = []
    stand_ins: dict[str, Any] = {}
    try:
        settings = Settings()
    except ValidationError as error:
        for problem in error.errors(include_input=False, include_url=False):
            key = str(problem["loc"][0])
            field = Settings.model_fields[key]
            what = "is missing" if problem["type"] == "missing" else f"is wrong: {problem['msg']}"
            mistakes.append(f"SLIPWAY_{key.upper()} {what}: {field.description}")
            stand_ins[key] = _STAND_INS.get(key, field.get_default(call_default_factory=True))
        settings = Settings(**stand_ins)
    key_mistakes = _key_mistakes(settings)
    lacking = frozenset(stand_ins) | ({"github_private_key"} if key_mistakes else frozenset())
    return Partly(settings, lacking, (*dict.fromkeys(mistakes), *key_mistakes))


def _key_mistakes(settings: Settings) -> tuple[str, ...]:
    if settings.github_private_key is not None:
        return ()
    file = settings.github_private_key_file
    if file is None:
        names = "SLIPWAY_GITHUB_PRIVATE_KEY or SLIPWAY_GITHUB_PRIVATE_KEY_FILE"
        return (f"{names} is missing (the App's private key)",)
    if not file.is_file():
        return (f"SLIPWAY_GITHUB_PRIVATE_KEY_FILE is wrong: there is no file {file}",)
    return ()
