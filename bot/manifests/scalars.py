"""How a string is written as a YAML scalar, so that every reader gets that same string back.

A plain scalar may read as a number, date, boolean or null. Readers differ: YAML 1.1 (PyYAML, most of
Python and Ruby) and YAML 1.2 (Go's sigs.k8s.io/yaml is between both). A value that would not be a
string under either one is put in quotes.
"""

import re

from bot.manifests.documents import Node
from bot.manifests.errors import UnsupportedScalar
from bot.manifests.image_reference import shorten

# The types of https://yaml.org/type/ (1.1) and of the core schema in chapter 10.3 of YAML 1.2.
_NOT_A_STRING = re.compile(
    r"""
      ~ | null | Null | NULL |
    | y|Y|yes|Yes|YES | n|N|no|No|NO | true|True|TRUE | false|False|FALSE | on|On|ON | off|Off|OFF
    | = | <<
    | [-+]?0b[01_]+ | [-+]?0o[0-7_]+ | [-+]?0x[0-9a-fA-F_]+                      # other bases
    | [-+]?[0-9][0-9_]*                                                          # integers, octal too
    | [-+]?(?:\.[0-9][0-9_]*|[0-9][0-9_]*(?:\.[0-9_]*)?)(?:[eE][-+]?[0-9]+)?     # floats
    | [-+]?[0-9][0-9_]*(?::[0-5]?[0-9])+(?:\.[0-9_]*)?                           # base 60
    | [-+]?\.(?:inf|Inf|INF) | \.(?:nan|NaN|NAN)
    | [0-9]{4}-[0-9]{1,2}-[0-9]{1,2}(?:(?:[Tt]|[ \t]+)[0-9].*)?                  # dates
    """,
    re.VERBOSE | re.ASCII,
)
_INDICATORS = frozenset("-?:,[]{}#&*!|>'\"%@`=<.~")
_SAFE_DOT = re.compile(r"\.[A-Za-z_/]")
# `?` only because older parsers trip over it.
_FLOW_INDICATORS = frozenset(",[]{}?")
INTEGER = re.compile(r"-?(?:0|[1-9][0-9]{0,17})", re.ASCII)


def reads_as_string(plain: str) -> bool:
    """Whether a plain scalar with this text is a string under YAML 1.1 and under YAML 1.2."""
    return not _NOT_A_STRING.fullmatch(plain)


def is_null(node: Node) -> bool:
    """Whether a scalar is null: empty, `~` or `null` without quotes or tag."""
    return node.style is None and node.tag is None and node.value in ("", "~", "null", "Null", "NULL")


def can_stand_plain(value: str, *, flow: bool) -> bool:
    """Whether the value, unquoted, reads back as exactly this string."""
    first = value[:1]
    return not (
        (first in _INDICATORS and not _SAFE_DOT.match(value))
        or first in ("", " ")
        or value[-1] in (" ", ":")
        or ": " in value
        or " #" in value
        or "\t" in value
        or (flow and not _FLOW_INDICATORS.isdisjoint(value))
        or not reads_as_string(value)
    )


def check_value(value: str) -> None:
    """Raise UnsupportedScalar for what no pin may hold: more than one line, control characters, braces of
    a template that something downstream would fill in.
    """
    if not value:
        raise UnsupportedScalar("the new value is empty: a pin says which version runs")
    if not value.isprintable():
        raise UnsupportedScalar(
            f"the new value {shorten(value)} has line breaks or control characters: a pin is one line of text"
        )
    if "{{" in value or "}}" in value:
        raise UnsupportedScalar(
            f"the new value {shorten(value)} has template braces: something downstream would fill them in"
        )


def render(value: str, style: str | None, *, flow: bool, quote: bool = False) -> str:
    """The characters to write for a string, in the style that stood there as far as the value allows.

    `style` is the parser's: `'`, `"`, or None for plain. `quote` asks for double quotes instead of plain,
    as JSON needs.
    """
    if style == "'":
        return "'" + value.replace("'", "''") + "'"
    if style == '"' or quote or not can_stand_plain(value, flow=flow):
        return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'
    return value
