"""Policy files → policies, with `extends` resolved.

Extending: single values replace, mappings merge, gates merge by their id, freezes add up. A policy
never lets through what its file meant to stop: a file with mistakes becomes a policy that blocks
everything and says what is wrong, and so does a name without a file.
"""

from collections.abc import Iterable, Mapping
from pathlib import PurePosixPath
from typing import Any

from pydantic import BaseModel

from bot.domain import expression
from bot.domain.annotations import did_you_mean
from bot.domain.document import Document, read
from bot.domain.mistake import ConfigError, Mistake
from bot.domain.policy import Policy, PolicyFile
from bot.domain.validation import validate


class Policies:
    """All policies of a repository by name. `mistakes` are those of all files."""

    def __init__(self, policies: Mapping[str, Policy], mistakes: Iterable[Mistake]) -> None:
        self._policies = dict(policies)
        self.mistakes = tuple(sorted(set(mistakes)))

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(sorted(self._policies))

    def get(self, name: str) -> Policy:
        """The policy of this name; a name that no file has gives a policy that blocks and says so."""
        if name in self._policies:
            return self._policies[name]
        return _blocking(
            name, [f"there is no policy {name}: {did_you_mean(name, self._policies)}".rstrip(": ")]
        )


def load(text: str, path: str) -> PolicyFile:
    """Read one file. Raises ConfigError with all mistakes, each with its line, column and key."""
    document = read(text, path)
    policy = validate(document, PolicyFile)
    name = name_of(path)
    mistakes = [
        document.mistake(("gates", index, "expression"), wrong, value=True)
        for index, gate in enumerate(policy.gates)
        if (wrong := expression.check(gate.expression))
    ]
    mistakes += _duplicates(policy, document)
    if policy.name and policy.name != name:
        hint = f"write `name: {name}`, or leave it out"
        mistakes.append(document.mistake(("name",), "the name is not that of the file", hint, value=True))
    if mistakes:
        raise ConfigError(mistakes)
    return policy


def name_of(path: str) -> str:
    """`policies/production.yaml` → `production`."""
    return PurePosixPath(path).stem


def resolve(files: Mapping[str, str], shipped: Mapping[str, str] | None = None) -> Policies:
    """All policies of a repository (path → text) and those that Slipway ships.

    A file of the repository replaces the shipped one of its name, and may extend it by that name.
    """
    own, mistakes, broken = _load_all(files)
    base, more, broken_base = _load_all(shipped or {})
    mistakes += more
    resolved = {}
    for name in {*own, *base, *broken, *broken_base}:
        try:
            chain = _chain(name, own, base, broken if name in broken else {**broken_base, **broken})
        except ConfigError as error:
            mistakes += error.mistakes
            resolved[name] = _blocking(name, [_sentence(mistake) for mistake in error.mistakes])
        else:
            resolved[name] = _merged(name, chain)
    return Policies(resolved, mistakes)


_Loaded = dict[str, tuple[str, PolicyFile]]


def _load_all(files: Mapping[str, str]) -> tuple[_Loaded, list[Mistake], dict[str, ConfigError]]:
    loaded: _Loaded = {}
    mistakes: list[Mistake] = []
    broken: dict[str, ConfigError] = {}
    for path in sorted(files):
        try:
            loaded[name_of(path)] = (path, load(files[path], path))
        except ConfigError as error:
            broken[name_of(path)] = error
            mistakes += error.mistakes
    return loaded, mistakes, broken


def _chain(name: str, own: _Loaded, base: _Loaded, broken: Mapping[str, ConfigError]) -> list[PolicyFile]:
    """The file and all that it extends, the most general first. Raises ConfigError."""
    chain: list[PolicyFile] = []
    seen: set[str] = set()
    wanted: str | None = name
    asked_by = ""
    while wanted is not None:
        # The second time a name comes up it means the shipped policy that the repository's own replaced.
        found = base.get(wanted) if wanted in seen else own.get(wanted) or base.get(wanted)
        if wanted in broken and wanted not in seen and wanted not in own:
            raise broken[wanted]
        path = found[0] if found else asked_by
        if found is None or path in seen:
            message = "it extends itself" if wanted in seen else f"there is no policy `{wanted}`"
            raise ConfigError(
                [Mistake(asked_by, 1, 1, "extends", message, did_you_mean(wanted, {*own, *base}))]
            )
        seen |= {wanted, path}
        asked_by = path
        chain.append(found[1])
        wanted = found[1].extends
    return chain[::-1]


def _merged(name: str, chain: list[PolicyFile]) -> Policy:
    merged: dict[str, Any] = {}
    for policy in chain:
        said = {field: getattr(policy, field) for field in policy.model_fields_set - {"extends", "name"}}
        for field, value in said.items():
            merged[field] = _merge(field, merged.get(field), value)
    return Policy(**{**merged, "name": name})


def _merge(field: str, old: Any, new: Any) -> Any:
    if old is None:
        return new
    if field == "freeze":
        return (*old, *new)
    if field == "gates":
        by_id = {gate.id: gate for gate in old}
        by_id |= {gate.id: gate for gate in new}
        return tuple(by_id.values())
    if isinstance(new, Mapping):
        return {**old, **new}
    if isinstance(new, BaseModel):
        return old.model_copy(
            update={
                key: _merge(key, getattr(old, key), getattr(new, key))
                if isinstance(getattr(new, key), Mapping)
                else getattr(new, key)
                for key in new.model_fields_set
            }
        )
    return new


def _blocking(name: str, reasons: list[str]) -> Policy:
    return Policy(name=name, broken=tuple(reasons))


def _sentence(mistake: Mistake) -> str:
    hint = f" ({mistake.hint})" if mistake.hint else ""
    return f"{mistake.file}:{mistake.line}: {mistake.message}{hint}"


def _duplicates(policy: PolicyFile, document: Document) -> list[Mistake]:
    seen: set[str] = set()
    mistakes = []
    for index, gate in enumerate(policy.gates):
        if gate.id in seen:
            mistakes.append(document.mistake(("gates", index, "id"), f"two gates are called `{gate.id}`"))
        seen.add(gate.id)
    return mistakes
