"""CEL expressions over facts: text + values → an answer with its reason. Pure.

The language has no loops, no state and reaches nothing but the facts it is given. Two limits keep
it short as well: what `check` refuses before anything runs, and `Evaluator`, which production
replaces by a child process that is killed after 50 ms (`bot.adapters.cel`).
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Protocol

from bot.domain.annotations import did_you_mean

if TYPE_CHECKING:
    import cel

LONGEST = 1_000
"""Characters in one expression."""
FACTS = frozenset({"candidate", "baseline", "environment", "evidence", "now", "history"})
"""The names that an expression may use."""

_OF_A_VERSION = frozenset({
    "age", "branch", "commit", "created", "creator", "datasets", "description", "flavors",
    "has_input_example", "has_signature", "libraries", "licence", "metrics", "model", "parameters",
    "prompt", "prompts", "python", "size", "tags", "tools", "trained", "version",
})  # fmt: skip
FIELDS: Mapping[str, frozenset[str]] = {
    "candidate": _OF_A_VERSION | {"image", "quarantined"},
    "candidate.image": frozenset({"reference", "digest", "signed", "sbom"}),
    "baseline": _OF_A_VERSION,
    "environment": frozenset({"name", "model", "repository", "after"}),
    "evidence": frozenset({
        "changed_parameters", "compared", "complete", "metrics", "missing_metrics", "not_numbers",
        "other_datasets", "signature_breaks", "signature_known", "tolerance", "unreadable", "worst",
        "worst_metric",
    }),
    "history": frozenset({
        "verified", "last_promotion", "last_failure", "promotions_24h", "failures_7d",
    }),
}  # fmt: skip
"""What stands under a name, where that is the same for every promotion (`bot.domain.facts`)."""

FUNCTIONS = frozenset({
    "contains", "double", "duration", "endsWith", "getDate", "getDayOfMonth", "getDayOfWeek",
    "getDayOfYear", "getFullYear", "getHours", "getMinutes", "getMonth", "getSeconds", "has", "int",
    "matches", "size", "startsWith", "string", "timestamp",
})  # fmt: skip
"""The functions of the language that an expression may call; operators and macros come on top."""

_MACRO = re.compile(r"\.\s*(all|exists|exists_one|filter|map)\s*\(")
_STRING = re.compile(r"""(?:r|R|b|B)*(?:"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*')""")
_FACT = re.compile(rf"(?<![\w.])((?:{'|'.join(sorted(FACTS))})(?:\s*\.\s*[A-Za-z_]\w*)+)\s*(\(?)")
_METRIC = re.compile(
    r"\b(candidate|baseline)\s*\.\s*metrics\s*(?:\.\s*([A-Za-z_]\w*)|\[\s*(?:'([^']*)'|\"([^\"]*)\")\s*\])"
)


@dataclass(frozen=True, slots=True)
class Answer:
    """What an expression said; `holds` is None when it could not say, and `error` tells why."""

    holds: bool | None
    error: str | None = None


class Evaluator(Protocol):
    def __call__(self, expressions: Sequence[str], facts: Mapping[str, object]) -> Sequence[Answer]:
        """The answers in the order of the expressions; never raises for what an expression does."""


@lru_cache(maxsize=4096)
def check(expression: str) -> str | None:
    """What is wrong with an expression before it meets any facts; None when nothing is.

    Nested macros are refused: one costs as much as the list is long, two the square of it.
    """
    if len(expression) > LONGEST:
        return f"the expression has {len(expression):,} characters, at most {LONGEST:,} are allowed"
    if _nested(expression):
        return "macros (all, exists, exists_one, filter, map) cannot be nested or chained"
    try:
        program = _compiled(expression)
    except ValueError as error:
        return f"it does not compile: {_compiler(error)}"
    for name in sorted(set(program.variables()) - FACTS - _bound(expression)):
        return unknown(name)
    for name in sorted(set(program.functions()) - FUNCTIONS):
        if name.isidentifier() and not name.startswith("_"):
            return f"`{name}` is no function; there are {', '.join(sorted(FUNCTIONS))}"
    return next((wrong for fact in named(expression) if (wrong := unknown(fact))), None)


@lru_cache(maxsize=4096)
def named(expression: str) -> tuple[str, ...]:
    """The facts that an expression names with dots, such as `candidate.metrics.auc`, each once."""
    bare = _bare(expression)
    bound = _bound(expression)
    found = [
        # What is called is a function of what stands before it.
        re.sub(r"\s", "", path).rpartition(".")[0] if call else re.sub(r"\s", "", path)
        for path, call in _FACT.findall(bare)
    ]
    return tuple(dict.fromkeys(fact for fact in found if fact.partition(".")[0] not in bound))


def unknown(fact: str) -> str | None:
    """What is wrong with the name of a fact; None where there is such a fact, or may be."""
    path = fact.split(".")
    if path[0] not in FACTS:
        return f"`{path[0]}` is no fact; there are {', '.join(sorted(FACTS))}"
    for depth, name in enumerate(path[1:], start=1):
        whose = ".".join(path[:depth])
        known = FIELDS.get(whose)
        if known is not None and name not in known:
            return f"`{whose}` has no `{name}`; {did_you_mean(name, known)}"
    return None


def evaluate(expressions: Sequence[str], facts: Mapping[str, object]) -> Sequence[Answer]:
    """Evaluate in this process."""
    context = Context.of(facts)
    return [context.evaluate(expression) for expression in expressions]


@dataclass(frozen=True, slots=True)
class Context:
    """The facts, converted once, however many expressions there are."""

    facts: "cel.Context"
    not_numbers: frozenset[tuple[str, str]]
    """Metrics that are NaN, as (`candidate` or `baseline`, name)."""

    @classmethod
    def of(cls, facts: Mapping[str, object]) -> "Context":
        return cls(_library().Context(dict(facts)), _not_numbers(facts))

    def evaluate(self, expression: str) -> Answer:
        if wrong := check(expression):
            return Answer(None, wrong)
        for whose, name in _metrics(expression) if self.not_numbers else ():
            if (whose, name) in self.not_numbers:
                return Answer(None, f"the metric `{name}` of the {whose} is not a number (NaN)")
        try:
            value = _compiled(expression).execute(self.facts)
        except KeyError as error:
            return Answer(None, _missing(expression, str(error.args[0])))
        except (TypeError, RuntimeError, ValueError, ArithmeticError) as error:
            return Answer(None, f"it cannot be evaluated: {_first_line(error)}")
        if not isinstance(value, bool):
            return Answer(None, f"it answers with {type(value).__name__}, not with true or false")
        return Answer(value)


def _metrics(expression: str) -> list[tuple[str, str]]:
    """The metrics that an expression names, as (`candidate` or `baseline`, name)."""
    return [
        (whose, dotted or single or double) for whose, dotted, single, double in _METRIC.findall(expression)
    ]


def _missing(expression: str, key: str) -> str:
    for whose, name in _metrics(expression):
        if key == name:
            return f"the {whose} has no metric `{key}`"
    return f"`{key}` is not recorded"


def _not_numbers(facts: Mapping[str, object]) -> frozenset[tuple[str, str]]:
    found = set()
    for whose in ("candidate", "baseline"):
        version = facts.get(whose)
        metrics = version.get("metrics") if isinstance(version, Mapping) else None
        if isinstance(metrics, Mapping):
            found |= {(whose, str(name)) for name, value in metrics.items() if value != value}  # noqa: PLR0124 - NaN
    return frozenset(found)


@lru_cache(maxsize=4096)
def _compiled(expression: str) -> "cel.Program":
    program: cel.Program = _library().compile(expression)
    return program


@lru_cache(maxsize=1)
def _library() -> Any:
    import cel  # noqa: PLC0415 - takes a third of a second, and most commands meet no expression

    return cel


def _first_line(error: Exception) -> str:
    """The library's own sentence, without its picture of the place."""
    line = str(error.args[0] if error.args else error).strip().splitlines()[0]
    return line.partition("ERROR: <input>:")[2] or line


def _compiler(error: Exception) -> str:
    """Where the text makes no sense, without the list of all that could have stood there."""
    said = _first_line(error).partition(" expecting ")[0]
    placed = re.fullmatch(r"1:(\d+): Syntax error: (.*)", said)
    if placed is None:
        return said
    what = placed[2].replace("mismatched input '<EOF>'", "it ends too early").replace("'<EOF>'", "the end")
    return f"at character {placed[1]}, {what}"


def _bare(expression: str) -> str:
    """The expression with its strings blanked, so that brackets and names in them do not count."""
    return _STRING.sub(lambda match: '"' + " " * (len(match[0]) - 2) + '"', expression)


def _bound(expression: str) -> frozenset[str]:
    """The names that macros bind: `x` in `.all(x, …)`."""
    return frozenset(
        re.findall(r"\.\s*(?:all|exists|exists_one|filter|map)\s*\(\s*(\w+)\s*,", _bare(expression))
    )


def _nested(expression: str) -> bool:
    """Whether a macro stands within another's brackets, or on another's result."""
    bare = _bare(expression)
    for macro in _MACRO.finditer(bare):
        depth = 1
        end = macro.end()
        while end < len(bare) and depth:
            depth += {"(": 1, ")": -1}.get(bare[end], 0)
            end += 1
        if _MACRO.search(bare, macro.end(), end) or _MACRO.match(bare, end):
            return True
    return False
