"""Settings of the process, from the environment (`SLIPWAY_*`); secrets never appear in a repr."""

import tempfile
from pathlib import Path
from typing import Self

from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict


class MetricsSource(BaseModel):
    """A named metrics server: how it is reached. `timeout` is in seconds."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    url: str
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


class Settings(BaseSettings):
    """Everything that differs between two installations of Slipway."""

    model_config = SettingsConfigDict(env_prefix="SLIPWAY_", extra="ignore", frozen=True)

    database_url: SecretStr | None = Field(
        None, description="Any PostgreSQL. Unset: an embedded one in the data directory."
    )
    data_dir: Path = Field(Path(".slipway"), description="Where the embedded PostgreSQL keeps its data.")

    host: str = Field("127.0.0.1", description="Address to listen on.")
    port: int = Field(8080, description="Port to listen on.")
    public_url: str | None = Field(None, description="Address under which people and webhooks reach Slipway.")

    github_app_id: int = Field(description="The App's id.")
    github_private_key: SecretStr | None = Field(None, description="The App's private key (PEM).")
    github_private_key_file: Path | None = Field(None, description="File with the App's private key (PEM).")
    github_webhook_secret: SecretStr = Field(
        description="Secret of GitHub's webhooks; two separated by a comma while one is being replaced."
    )
    github_base_url: str = Field(
        "https://api.github.com", description="GitHub Enterprise Server: https://HOST/api/v3."
    )

    mlflow_tracking_uri: str = Field(
        description="Address of the MLflow server (MLflow's own variables hold its credentials)."
    )
    mlflow_public_url: str | None = Field(None, description="Address of MLflow for links; default: the same.")
    mlflow_webhook_secret: SecretStr = Field(
        description="Secret of MLflow's webhooks; two separated by a comma while one is being replaced."
    )

    prometheus_url: str | None = Field(None, description="Address of Prometheus or what speaks its API.")
    prometheus_username: str | None = Field(None, description="User of basic authentication.")
    prometheus_password: SecretStr | None = Field(None, description="Password of basic authentication.")
    prometheus_token: SecretStr | None = Field(None, description="Bearer token.")
    prometheus_tenant: str | None = Field(None, description="Sent as X-Scope-OrgID.")
    prometheus_sources: dict[str, MetricsSource] = Field(
        default_factory=dict,
        description="Further metrics servers, as JSON from name (`source:` in slipway.yaml) to "
        "url, token, username, password, headers, certificate, key, ca, timeout.",
    )

    argocd_url: str | None = Field(None, description="Address of Argo CD's API.")
    argocd_token: SecretStr | None = Field(None, description="Token with the right to get applications.")

    argocd_webhook_secret: SecretStr | None = Field(
        None, description="Bearer secret of Argo CD's notifications; unset: they are not taken."
    )
    alertmanager_secret: SecretStr | None = Field(
        None, description="Bearer secret of Alertmanager's webhook; unset: it is not taken."
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


def load() -> Settings:
    """Read the environment. Raises SettingsError naming everything that is missing or wrong."""
    mistakes: list[str] = []
    settings = None
    try:
        settings = Settings()
    except ValidationError as error:
        for problem in error.errors(include_input=False, include_url=False):
            key = str(problem["loc"][0])
            field = Settings.model_fields.get(key)
            about = f": {field.description}" if field and field.description else ""
            what = "is missing" if problem["type"] == "missing" else f"is wrong: {problem['msg']}"
            mistakes.append(f"SLIPWAY_{key.upper()} {what}{about}")
    mistakes += _key_mistakes(settings)
    if mistakes or settings is None:
        raise SettingsError(tuple(mistakes))
    return settings


def _key_mistakes(settings: Settings | None) -> list[str]:
    key, file = (
        (settings.github_private_key, settings.github_private_key_file)
        if settings is not None
        else _key_from_environment()
    )
    if key is None and file is None:
        return [
            "SLIPWAY_GITHUB_PRIVATE_KEY or SLIPWAY_GITHUB_PRIVATE_KEY_FILE is missing (the App's private key)"
        ]
    if key is None and file is not None and not file.is_file():
        return [f"SLIPWAY_GITHUB_PRIVATE_KEY_FILE is wrong: there is no file {file}"]
    return []


def _key_from_environment() -> tuple[SecretStr | None, Path | None]:
    class _Key(BaseSettings):
        model_config = SettingsConfigDict(env_prefix="SLIPWAY_", extra="ignore")
        github_private_key: SecretStr | None = None
        github_private_key_file: Path | None = None

    key = _Key()
    return key.github_private_key, key.github_private_key_file
