"""Policy files → policies, with `extends` resolved.

Extending: single values replace, mappings merge, gates merge by their id, freezes add up. A policy
never lets through what its file meant to stop: a file with mistakes becomes a policy that blocks
everything and says what is wrong, and so does a name without a file. What can be read of it stays
in force for what is merged already: how it is watched, and who may do what.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any

from pydantic import BaseModel, ValidationError

from bot.domain import expression
from bot.domain.annotations import did_you_mean
from bot.domain.document import Document, Plain, read
from bot.domain.freeze import CalendarFreeze
from bot.domain.gates import check_template
from bot.domain.mistake import ConfigError, Mistake, shortened
from bot.domain.policy import BrokenPolicy, Policy, PolicyFile
from bot.domain.validation import validate_partly


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
        missing = f"there is no policy {name}: {did_you_mean(name, self._policies)}".rstrip(": ")
        return _blocking(name, [missing], Policy())


def load(text: str, path: str, *, tried: bool = False) -> PolicyFile:
    """Read one file. Raises ConfigError with all mistakes, each with its line, column and key.

    `tried`: the file is one that Slipway ships, whose expressions its own tests have compiled.
    """
    policy, mistakes = _load(read(text, path), tried=tried)
    if policy is None or mistakes:
        raise ConfigError(mistakes)
    return policy


def _load(document: Document, *, tried: bool) -> tuple[PolicyFile | None, tuple[Mistake, ...]]:
    """What can be read of a file, and every mistake in it."""
    policy, mistakes = validate_partly(document, PolicyFile)
    further = [*([] if tried else _gate_mistakes(document)), *_name_mistakes(document)]
    return policy, (*mistakes, *further)


def name_of(path: str) -> str:
    """`policies/production.yaml` → `production`."""
    return PurePosixPath(path).stem


def resolve(files: Mapping[str, str], shipped: Mapping[str, str] | None = None) -> Policies:
    """All policies of a repository (path → text) and those that Slipway ships.

    A file of the repository replaces the shipped one of its name, and may extend it by that name.
    """
    shelves = (_Shelf.of(files), _Shelf.of(shipped or {}, tried=True))
    names = {name for shelf in shelves for name in shelf.names}
    mistakes = [mistake for shelf in shelves for error in shelf.broken.values() for mistake in error.mistakes]
    mistakes += [
        mistake
        for name in shelves[0].broken.keys() & shelves[0].loaded.keys()
        for mistake in _base_mistakes(shelves[0].loaded[name][0], names)
    ]
    resolved = {}
    for name in names:
        try:
            resolved[name] = _merged(name, _chain(name, shelves))
        except ConfigError as error:
            mistakes += error.mistakes
            reasons = [_sentence(mistake) for mistake in error.mistakes]
            resolved[name] = _blocking(name, reasons, _as_far_as_read(name, shelves))
    return Policies(resolved, mistakes)


def calendars(text: str, path: str) -> Iterator[tuple[Mistake, CalendarFreeze]]:
    """The freezes of a policy that are calendars, whatever else is wrong with it.

    Each with where it names its file, as a mistake whose sentence is still to be written.
    """
    try:
        document = read(text, path)
    except ConfigError:
        return
    for index, window in enumerate(_list(_mapping(document.plain()).get("freeze"))):
        try:
            freeze = CalendarFreeze.model_validate(window)
        except ValidationError:
            continue
        yield document.mistake(("freeze", index, "ical"), "", value=True), freeze


@dataclass(frozen=True, slots=True)
class _Shelf:
    """Files of one origin by their policy's name: as far as they can be read, and what is wrong with them."""

    loaded: Mapping[str, tuple[Document, PolicyFile]]
    broken: Mapping[str, ConfigError]

    @classmethod
    def of(cls, files: Mapping[str, str], *, tried: bool = False) -> "_Shelf":
        loaded: dict[str, tuple[Document, PolicyFile]] = {}
        broken: dict[str, ConfigError] = {}
        for path in sorted(files):
            name = name_of(path)
            try:
                document = read(files[path], path)
            except ConfigError as error:
                broken[name] = error
                continue
            policy, mistakes = _load(document, tried=tried)
            if policy is not None:
                loaded[name] = (document, policy)
            if policy is None or mistakes:
                broken[name] = ConfigError(mistakes)
        return cls(loaded, broken)

    @property
    def names(self) -> set[str]:
        return {*self.loaded, *self.broken}


def _as_far_as_read(name: str, shelves: tuple[_Shelf, ...]) -> Policy:
    """What a broken policy says apart from its mistakes: what is merged already goes on by it."""
    try:
        return _merged(name, _chain(name, shelves, partly=True))
    except ConfigError:
        return Policy(name=name)


def _chain(name: str, shelves: tuple[_Shelf, ...], *, partly: bool = False) -> list[PolicyFile]:
    """The file and all that it extends, the most general first. Raises ConfigError.

    A name means the first shelf's file; where that one is in the chain already, the next shelf's.
    `partly`: broken ones too, as far as they can be read.
    """
    chain: list[PolicyFile] = []
    seen: set[tuple[int, str]] = set()
    document: Document | None = None
    wanted: str | None = name
    while wanted is not None:
        found = next(
            (i for i, shelf in enumerate(shelves) if wanted in shelf.names and (i, wanted) not in seen), None
        )
        if found is None:
            assert document is not None, "the first name is that of a file"
            known = {each for shelf in shelves for each in shelf.names}
            circle = document.mistake(("extends",), "it extends itself", value=True)
            raise ConfigError(_base_mistakes(document, known) or [circle])
        if wanted in shelves[found].broken and not (partly and wanted in shelves[found].loaded):
            raise shelves[found].broken[wanted]
        seen.add((found, wanted))
        document, policy = shelves[found].loaded[wanted]
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


def _blocking(name: str, reasons: list[str], known: Policy) -> Policy:
    said = {field: getattr(known, field) for field in Policy.model_fields}
    return BrokenPolicy(**{**said, "name": name}, reasons=tuple(reasons))


def _sentence(mistake: Mistake) -> str:
    hint = f" ({mistake.hint})" if mistake.hint else ""
    return f"{mistake.file}:{mistake.line}: {mistake.message}{hint}"


def _gate_mistakes(document: Document) -> Iterator[Mistake]:
    """Asked of the plain data, so that a mistake elsewhere in the file does not hide these."""
    seen: set[str] = set()
    for index, gate in enumerate(_list(_mapping(document.plain()).get("gates"))):
        said = {key: text for key, text in _mapping(gate).items() if isinstance(text, str)}
        if wrong := expression.check(said.get("expression", "true")):
            yield document.mistake(("gates", index, "expression"), wrong, value=True)
        for key in ("message", "holds"):
            if wrong := check_template(said.get(key, "")):
                yield document.mistake(("gates", index, key), wrong, value=True)
        name = said.get("id")
        if name in seen:
            twice = f"two gates are called `{shortened(str(name), 60)}`"
            yield document.mistake(("gates", index, "id"), twice)
        seen |= {name} if name is not None else set()


def _name_mistakes(document: Document) -> Iterator[Mistake]:
    name, said = name_of(document.path), _mapping(document.plain()).get("name")
    if isinstance(said, str) and said and said != name:
        hint = f"write `name: {name}`, or leave it out"
        yield document.mistake(("name",), "the name is not that of the file", hint, value=True)


def _base_mistakes(document: Document, known: Collection[str]) -> list[Mistake]:
    """Whether it builds on a policy that there is."""
    base = _mapping(document.plain()).get("extends")
    if not isinstance(base, str) or base in known:
        return []
    message = f"there is no policy `{shortened(base, 60)}`"
    return [document.mistake(("extends",), message, did_you_mean(base, known), value=True)]


def _mapping(data: Plain) -> dict[str, Plain]:
    return data if isinstance(data, dict) else {}


def _list(data: Plain) -> list[Plain]:
    return data if isinstance(data, list) else []
