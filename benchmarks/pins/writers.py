"""The writers that are compared: each sets one scalar by (text, document, path, value) and gives the text.

A writer refuses by raising anything at all. A writer that is not installed is left out.
"""

import io
import sys
from collections.abc import Callable, Sequence
from itertools import pairwise
from pathlib import Path

from ruamel.yaml import YAML

from bot.domain.target import Pointer
from bot.manifests import Target, bump

EXTRA = Path(__file__).parents[2] / ".slipway" / "bench-pins"
sys.path.append(str(EXTRA))

Writer = Callable[[str, int, Sequence[str | int], str], str]


def slipway(text: str, document: int, path: Sequence[str | int], value: str) -> str:
    target = Target(Pointer(file="any.yaml", pointer=tuple(path), document=document), value)
    return bump(text, target).text


def ruamel(text: str, document: int, path: Sequence[str | int], value: str) -> str:
    return _round_trip(YAML(), text, document, path, value)


def ruamel_tuned(text: str, document: int, path: Sequence[str | int], value: str) -> str:
    """Quotes kept, no line folding, the indentation of lists guessed from the file."""
    yaml = YAML()
    yaml.preserve_quotes = True
    yaml.width = 1_000_000
    if "\n  - " in text and "\n- " not in text:
        yaml.indent(mapping=2, sequence=4, offset=2)
    return _round_trip(yaml, text, document, path, value)


def _round_trip(yaml: YAML, text: str, document: int, path: Sequence[str | int], value: str) -> str:
    documents = list(yaml.load_all(text))
    _set(documents[document], path, value)
    out = io.StringIO()
    yaml.dump_all(documents, out)
    return out.getvalue()


def _set(data, path, value):
    for step in path[:-1]:
        data = data[step]
    data[path[-1]]  # a key that is missing must not be added
    data[path[-1]] = value


def _yamluna() -> Writer:
    import yamluna  # noqa: PLC0415 - installed for the bench only

    def write(text, document, path, value):
        yaml = yamluna.YAML()
        documents = list(yaml.load_all(text))
        _set(documents[document], path, value)
        return yaml.dump_all(documents)

    return write


def _yamltrip() -> Writer:
    import yamltrip  # noqa: PLC0415 - installed for the bench only

    def write(text, document, path, value):
        if document:
            raise ValueError("only the first document")
        return yamltrip.loads(text).replace(*path, value=value).dumps()

    return write


def _yaml_edit() -> Writer:
    import yaml_edit  # noqa: PLC0415 - installed for the bench only

    def write(text, document, path, value):
        file = yaml_edit.YamlFile.parse(text)
        node = file.documents()[document]
        for step, following in pairwise(path):
            child = node[step]
            node = child.as_sequence() if isinstance(following, int) else child.as_mapping()
        node[path[-1]]  # a key that is missing must not be added
        node[path[-1]] = value
        return str(file)

    return write


def installed() -> dict[str, Writer]:
    """Name → writer, of those that are installed."""
    writers: dict[str, Writer] = {
        "Slipway": slipway,
        "ruamel.yaml round trip": ruamel,
        "ruamel.yaml, tuned": ruamel_tuned,
    }
    for name, make in {"yaml-edit": _yaml_edit, "yamltrip": _yamltrip, "yamluna": _yamluna}.items():
        try:
            writers[name] = make()
        except ImportError:
            print(f"{name} is not installed and left out")
    return writers
