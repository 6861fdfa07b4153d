"""Fill the tables of keys in the documentation from the JSON Schemas: `make docs`.

A table stands between `<!-- keys: SCHEMA NAME -->` and `<!-- end -->`, where NAME is a definition of the
schema, or the schema's own name for its top level.
"""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from bot.domain.json_schema import schema

FOLDER = Path(__file__).parent
_TABLE = re.compile(r"(<!-- keys: (\w+) (\w+) -->\n).*?(<!-- end -->)", re.DOTALL)
_UNITS = {"15m": "duration", "99%": "percentage"}


def filled(text: str) -> str:
    """A page with all its tables as the schemas have them now."""
    return _TABLE.sub(lambda found: f"{found[1]}\n{table(found[2], found[3])}\n{found[4]}", text)


def shown(text: str) -> set[tuple[str, str]]:
    """The tables of a page: schema and definition."""
    return {(found[2], found[3]) for found in _TABLE.finditer(text)}


def table(name: str, definition: str) -> str:
    """The keys of one definition as a Markdown table."""
    whole = schema(name)
    node = whole if definition == name else whole["$defs"][definition]
    required = node.get("required", ())
    rows = ["| key | value | default | |", "|---|---|---|---|"]
    for key, found in node["properties"].items():
        default = "required" if key in required else _default(found)
        rows.append(f"| `{key}` | {_kind(found, whole)} | {default} | {_cell(found['description'])} |")
    return "\n".join(rows) + "\n"


def _default(found: Mapping[str, Any]) -> str:
    default = found.get("default")
    if default is None or default in ("", [], {}) or "$ref" in found:
        return ""
    if isinstance(default, dict):
        inner = ", ".join(f"{key}: {value}" for key, value in default.items())
        return f"`{{{inner}}}`"
    return f"`{str(default).lower() if isinstance(default, bool) else default}`"


def _kind(found: Mapping[str, Any], whole: Mapping[str, Any]) -> str:
    """What a value is, in a few words."""
    for example in found.get("examples", ()):
        if isinstance(example, str) and example in _UNITS:
            return _UNITS[example]
    if "$ref" in found:
        target = whole["$defs"][found["$ref"].rpartition("/")[2]]
        return _kind(target, whole) if "enum" in target else "mapping"
    for choice in ("enum", "const"):
        if choice in found:
            values = found[choice] if choice == "enum" else [found[choice]]
            return " or ".join(f"`{value}`" for value in values)
    choices = found.get("anyOf") or found.get("oneOf")
    if choices:
        return " or ".join(dict.fromkeys(_kind(choice, whole) for choice in choices))
    words = {"string": "text", "integer": "whole number", "boolean": "`true` or `false`", "object": "mapping"}
    if found.get("type") == "array":
        return "list"
    return words.get(found.get("type", ""), str(found.get("type", "")))


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


def main() -> None:
    """Write the pages again."""
    for page in sorted(FOLDER.glob("*.md")):
        page.write_text(filled(page.read_text()))


if __name__ == "__main__":
    main()
