"""A model registry in memory; it passes the same contract tests as MLflow (tests/contract/mlflow)."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from urllib.parse import quote

from bot.domain.evidence import VersionEvidence
from bot.domain.version import ModelVersion
from bot.ports import NotFound, OutsideError, Refused


@dataclass
class FakeRegistry:
    """Fill it with `add_version`; set `away` to an OutsideError to make every call raise it.

    `writes` lists what was written, oldest first, as tuples such as ("alias", model, alias, version).
    """

    url: str = "http://registry.example.test"
    away: OutsideError | None = None
    writes: list[tuple[str, ...]] = field(default_factory=list)
    artifacts: dict[tuple[str, str, str], bytes] = field(default_factory=dict)
    _versions: dict[str, dict[str, ModelVersion]] = field(default_factory=dict)
    _evidence: dict[tuple[str, str], VersionEvidence] = field(default_factory=dict)
    _aliases: dict[str, dict[str, str]] = field(default_factory=dict)

    def add_version(
        self,
        model: str,
        *,
        source: str | None = None,
        tags: Mapping[str, str] | None = None,
        run_tags: Mapping[str, str] | None = None,
        description: str = "",
        created_at: datetime | None = None,
        evidence: VersionEvidence | None = None,
    ) -> str:
        """Register the next version of a model and return its number; `evidence` is renamed to fit."""
        versions = self._versions.setdefault(model, {})
        self._aliases.setdefault(model, {})
        number = str(len(versions) + 1)
        created_at = created_at or datetime.now(UTC)
        versions[number] = ModelVersion(
            model=model,
            version=number,
            source=source or f"models:/m-{len(versions):032x}",
            created_at=created_at,
            description=description,
            tags=dict(tags or {}),
            run_tags=dict(run_tags or {}),
        )
        own = evidence or VersionEvidence(model, number, "")
        self._evidence[model, number] = replace(
            own,
            model=model,
            version=number,
            url=self.version_url(model, number),
            created_at=own.created_at or created_at,
            description=own.description or description,
        )
        return number

    def aliases(self) -> Mapping[str, Mapping[str, str]]:
        self._answer()
        return {model: dict(aliases) for model, aliases in self._aliases.items()}

    def version(self, model: str, version: str) -> ModelVersion:
        self._answer()
        found = self._find(model, version)
        named = tuple(sorted(a for a, v in self._aliases[model].items() if v == version))
        return replace(found, aliases=named)

    def latest_version(self, model: str) -> str | None:
        self._answer()
        return max(self._versions.get(model, {}), key=int, default=None)

    def alias(self, model: str, alias: str) -> str | None:
        self._answer()
        return self._model(model).get(alias)

    def evidence(self, model: str, version: str) -> VersionEvidence:
        self._answer()
        found = self._find(model, version)
        return replace(self._evidence[model, version], tags=dict(found.tags))

    def artifact(self, model: str, version: str, path: str) -> bytes | None:
        self._answer()
        self._find(model, version)
        return self.artifacts.get((model, version, path))

    def set_alias(self, model: str, alias: str, version: str) -> None:
        self._answer()
        self._find(model, version)
        self._aliases[model][alias] = version
        self.writes.append(("alias", model, alias, version))

    def delete_alias(self, model: str, alias: str) -> None:
        self._answer()
        self._model(model).pop(alias, None)
        self.writes.append(("delete_alias", model, alias))

    def tag(self, model: str, version: str, key: str, value: str) -> None:
        self._answer()
        found = self._find(model, version)
        self._versions[model][version] = replace(found, tags={**found.tags, key: value})
        self.writes.append(("tag", model, version, key, value))

    def version_url(self, model: str, version: str) -> str:
        return f"{self.url}/#/models/{quote(model, safe='')}/versions/{quote(version, safe='')}"

    def _answer(self) -> None:
        if self.away is not None:
            raise self.away

    def _model(self, model: str) -> dict[str, str]:
        if "/" in model or ":" in model:
            raise Refused("MLflow", f"Invalid model name {model!r}")
        if model not in self._versions:
            raise NotFound("MLflow", f"{model} is not registered")
        return self._aliases[model]

    def _find(self, model: str, version: str) -> ModelVersion:
        self._model(model)
        try:
            return self._versions[model][version]
        except KeyError:
            raise NotFound("MLflow", f"{model} version {version} is not registered") from None
