"""Prompts of MLflow's prompt registry, told as versions of a model.

A prompt has versions, aliases and tags like a model, behind other calls. Its text is its evidence, and
the variables in it (`{{name}}`) are its signature: a caller that does not send a new one breaks.
"""

from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

from bot.adapters.mlflow.assemble import licence
from bot.adapters.mlflow.calls import SYSTEM, translated
from bot.domain.evidence import Column, Signature, VersionEvidence
from bot.domain.version import ModelVersion
from bot.ports import NotFound, Refused

FILTER = "tag.`mlflow.prompt.is_prompt` = 'true'"
"""What tells prompts from models in MLflow's listings."""


class MlflowPrompts:
    """The part of the registry that holds prompts; `links` is where people's browsers find MLflow."""

    def __init__(self, client: Any, links: str) -> None:
        self._client = client
        self._links = links

    def alias(self, prompt: str, alias: str) -> str | None:
        version = self._find(prompt).aliases.get(alias)
        return None if version is None else str(version)

    def latest_version(self, prompt: str) -> str | None:
        return max((str(each.version) for each in self._find(prompt).latest_versions), key=int, default=None)

    def version(self, prompt: str, version: str) -> ModelVersion:
        found = self._version(prompt, version)
        return ModelVersion(
            model=found.name,
            version=str(found.version),
            source=found.uri,
            created_at=datetime.fromtimestamp(found.creation_timestamp / 1000, UTC),
            creator=found.user_id or None,
            description=found.commit_message or "",
            tags=dict(found.tags),
            aliases=tuple(sorted(found.aliases)),
        )

    def evidence(self, prompt: str, version: str) -> VersionEvidence:
        found = self._version(prompt, version)
        variables = tuple(Column(name, "text") for name in sorted(found.variables))
        return VersionEvidence(
            model=found.name,
            version=str(found.version),
            url=self.url(found.name),
            created_at=datetime.fromtimestamp(found.creation_timestamp / 1000, UTC),
            creator=found.user_id or None,
            description=found.commit_message or "",
            tags=dict(found.tags),
            signature=Signature(variables, ()),
            licence=licence(found.tags),
            prompt=_text(found.template),
        )

    def set_alias(self, prompt: str, alias: str, version: str) -> None:
        self._find(prompt)
        with translated(f"setting the alias {alias} of {prompt}"):
            self._client.set_prompt_alias(prompt, alias, int(version))

    def delete_alias(self, prompt: str, alias: str) -> None:
        self._find(prompt)
        with translated(f"deleting the alias {alias} of {prompt}"):
            self._client.delete_prompt_alias(prompt, alias)

    def tag(self, prompt: str, version: str, key: str, value: str) -> None:
        self._find(prompt)
        with translated(f"tagging {prompt} version {version}"):
            self._client.set_prompt_version_tag(prompt, version, key, value)

    def url(self, prompt: str) -> str:
        return f"{self._links}/#/prompts/{quote(prompt, safe='')}"

    def _find(self, prompt: str) -> Any:
        """The prompt with its aliases and its newest version. Raises NotFound."""
        with translated(f"the prompt {prompt}"):
            found = self._client.search_registered_models(
                f"name = {quoted(prompt)} AND {FILTER}", max_results=1
            )
        if not found:
            raise NotFound(SYSTEM, f"{prompt} is not registered")
        return found[0]

    def _version(self, prompt: str, version: str) -> Any:
        with translated(f"{prompt} version {version}"):
            return self._client.get_prompt_version(prompt, version)


def quoted(name: str) -> str:
    """A name as a string of MLflow's filter language, which has no escapes."""
    for quote_mark in ("'", '"'):
        if quote_mark not in name:
            return f"{quote_mark}{name}{quote_mark}"
    raise Refused(SYSTEM, "a name with both kinds of quotes cannot be searched for")


def _text(template: Any) -> str:
    """A text prompt as it is; a chat prompt message by message, each under its role."""
    if isinstance(template, str):
        return template
    return "\n\n".join(f"[{message.get('role')}]\n{message.get('content')}" for message in template)
