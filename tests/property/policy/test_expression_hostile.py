"""Whatever an expression says, it answers with a reason, quickly, and touches nothing but its facts."""

import copy

from hypothesis import given, settings
from hypothesis import strategies as st

from bot.domain import expression
from bot.domain.facts import for_expressions
from bot.domain.policy import Policy
from tests.fakes import samples

FACTS = for_expressions(samples.facts(), Policy())
TOKENS = [
    "candidate",
    "baseline",
    "evidence",
    "now",
    "history",
    "environment",
    ".metrics",
    ".auc",
    "['auc']",
    ".x",
    "(",
    ")",
    "[",
    "]",
    "{",
    "}",
    ",",
    "?",
    ":",
    "+",
    "-",
    "*",
    "/",
    "%",
    "==",
    "!=",
    "<",
    ">",
    "<=",
    ">=",
    "&&",
    "||",
    "!",
    "in",
    "1",
    "0",
    "-1",
    "1.5",
    "9223372036854775807",
    "'a'",
    '"b"',
    "true",
    "false",
    "null",
    "size(",
    "has(",
    ".all(x,",
    ".exists(x,",
    ".matches(",
    "duration(",
    "timestamp(",
    "int(",
    "string(",
    "x",
    ".",
    "#",
    ";",
    "\\",
    "💥",
]
EXPRESSIONS = st.one_of(
    st.text(max_size=80),
    st.lists(st.sampled_from(TOKENS), max_size=14).map(" ".join),
    st.lists(st.sampled_from(TOKENS), max_size=14).map("".join),
)


@given(EXPRESSIONS)
@settings(max_examples=400, deadline=None)
def test_an_expression_always_answers(text):
    """Always an answer: true, false, or an error in words; never an exception, never anything else."""
    before = copy.deepcopy(FACTS)
    (answer,) = expression.evaluate([text], FACTS)

    assert answer.holds in {True, False, None}
    assert (answer.holds is None) is bool(answer.error)
    assert before == FACTS


@given(st.text(alphabet="([{!-?:1+.a\"' ", max_size=1_000))
@settings(max_examples=100, deadline=None)
def test_depth_never_ends_the_process(text):
    """Always survives brackets, operators and members nested as deep as an expression may be long."""
    (answer,) = expression.evaluate([text], FACTS)

    assert answer.holds in {True, False, None}
