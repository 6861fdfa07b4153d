"""Policy files → policies, with `extends` resolved.

Extending: single values replace, mappings merge, gates merge by their id, freezes add up. A policy
never lets through what its file meant to stop: a file with mistakes becomes a policy that blocks
everything and says what is wrong, and so does a name without a file.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any

from pydantic import BaseModel

from bot.domain import expression
from bot.domain.annotations import did_you_mean
from bot.domain.document import Document, read
from bot.domain.mistake import ConfigError, Mistake
from bot.domain.policy import BrokenPolicy, Policy, PolicyFile
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


def load(text: str, path: str, *, tried: bool = False) -> PolicyFile:
    """Read one file. Raises ConfigError with all mistakes, each with its line, column and key.

    `tried`: the file is one that Slipway ships, whose expressions its own tests have compiled.
    """
    document = read(text, path)
    policy = validate(document, PolicyFile)
    name = name_of(path)
    mistakes = [
        document.mistake(("gates", index, "expression"), wrong, value=True)
        for index, gate in enumerate(policy.gates)
        if not tried and (wrong := expression.check(gate.expression))
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
    shelves = (_Shelf.of(files), _Shelf.of(shipped or {}, tried=True))
    mistakes = [mistake for shelf in shelves for error in shelf.broken.values() for mistake in error.mistakes]
    resolved = {}
    for name in {name for shelf in shelves for name in shelf.names}:
        try:
            resolved[name] = _merged(name, _chain(name, shelves))
        except ConfigError as error:
            mistakes += error.mistakes
            resolved[name] = _blocking(name, [_sentence(mistake) for mistake in error.mistakes])
    return Policies(resolved, mistakes)


@dataclass(frozen=True, slots=True)
class _Shelf:
    """Files of one origin by their policy's name: (path, content), or what is wrong with them."""

    loaded: Mapping[str, tuple[str, PolicyFile]]
    broken: Mapping[str, ConfigError]

    @classmethod
    def of(cls, files: Mapping[str, str], *, tried: bool = False) -> "_Shelf":
        loaded: dict[str, tuple[str, PolicyFile]] = {}
        broken: dict[str, ConfigError] = {}
        for path in sorted(files):
            try:
                loaded[name_of(path)] = (path, load(files[path], path, tried=tried))
            except ConfigError as error:
                broken[name_of(path)] = error
        return cls(loaded, broken)

    @property
    def names(self) -> set[str]:
        return {*self.loaded, *self.broken}


def _chain(name: str, shelves: tuple[_Shelf, ...]) -> list[PolicyFile]:
    """The file and all that it extends, the most general first. Raises ConfigError.

    A name means the first shelf's file; where that one is in the chain already, the next shelf's.
    """
    chain: list[PolicyFile] = []
    seen: set[tuple[int, str]] = set()
    asked_by = ""
    wanted: str | None = name
    while wanted is not None:
        found = next(
            (i for i, shelf in enumerate(shelves) if wanted in shelf.names and (i, wanted) not in seen), None
        )
        if found is None:
            known = {each for shelf in shelves for each in shelf.names}
            message = "it extends itself" if wanted in known else f"there is no policy `{wanted}`"
            hint = "" if wanted in known else did_you_mean(wanted, known)
            raise ConfigError([Mistake(asked_by, 1, 1, "extends", message, hint)])
        if wanted in shelves[found].broken:
            raise shelves[found].broken[wanted]
        seen.add((found, wanted))
        asked_by, policy = shelves[found].loaded[wanted]
        chain.append(policy)
        wanted = policy.extends
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
    return BrokenPolicy(name=name, reasons=tuple(reasons))


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
