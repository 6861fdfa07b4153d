"""Any text at all gives a configuration or all its mistakes, and nothing else."""

from typing import Any

from hypothesis import example, given
from hypothesis import strategies as st

from bot.domain.config import Config
from bot.domain.loading import load
from bot.domain.mistake import ConfigError

WORDS = st.sampled_from(
    ["version", "models", "m", "when", "alias", "tag", "key", "value", "image", "storage", "environments", "staging",
     "production", "after", "targets", "kustomize", "helm", "file", "container", "path", "policy", "slo", "errors",
     "objective", "99%", "created", "candidate", "[key]", "str", "KustomizeImage", "<<"]
)  # fmt: skip
SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | WORDS | st.text(max_size=8)
TREES = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(WORDS | st.text(max_size=4), inner, max_size=6)
    ),
    max_leaves=25,
)
FRAGMENTS = st.lists(
    st.sampled_from(
        ["version: 1\n", "models:\n", "  m: ", "{", "}", "[", "]", ": ", ", ", "- ", "\n", "\t", "&a ", "*a", "!!str ",
         "? ", "|", ">", "'", '"', "#", "%YAML 9.9\n", "---\n", "...\n", "<<: ", "é", "\ufeff", "\x00", "\ud800", "environments"]
    ),
    max_size=60,
).map("".join)  # fmt: skip


def outcome(text: str) -> None:
    result: Config | ConfigError
    try:
        result = load(text)
    except ConfigError as error:
        result = error
    if isinstance(result, Config):
        return
    lines = text.count("\n") + text.count("\r") + 2
    assert result.mistakes
    assert all(mistake.message for mistake in result.mistakes)
    assert all(1 <= mistake.line <= lines and mistake.column >= 1 for mistake in result.mistakes)


@given(st.text() | FRAGMENTS)
@example("a: &a\n  <<: *a\n")
@example("? &k a\n: *k\n")
@example("%TAG ! tag:x,2000:\n--- !y a\n")
@example("a: !!binary x\n")
@example("\x85a: 1")
def test_any_text_is_always_a_configuration_or_mistakes(text: str) -> None:
    """Never another exception, never a mistake without its place."""
    outcome(text)


def flow(tree: Any) -> str:
    """The tree as YAML in flow style."""
    if isinstance(tree, dict):
        return "{" + ", ".join(f"{flow(str(key))}: {flow(value)}" for key, value in tree.items()) + "}"
    if isinstance(tree, list):
        return "[" + ", ".join(map(flow, tree)) + "]"
    if isinstance(tree, str):
        return "'" + tree.replace("'", "''") + "'"
    return (
        {None: "null", True: "true", False: "false"}.get(tree, str(tree))
        if not isinstance(tree, float)
        else str(tree)
    )


@given(TREES)
@example({"models": {"m": {"environments": {"staging": {"targets": [{"kustomize": {"kustomize": 1}}]}}}}})
@example({"models": {"m": {"environments": {"staging": {"targets": [{"helm": "a", "path": ["str", {}]}]}}}}})
def test_any_tree_of_known_words_is_always_a_configuration_or_mistakes(tree: Any) -> None:
    """Whatever shape stands where another one belongs."""
    outcome(flow(tree))
    outcome(f"models: {{m: {flow(tree)}}}")
    outcome(f"models: {{m: {{environments: {{staging: {flow(tree)}}}}}}}")
    outcome(f"models: {{m: {{environments: {{staging: {{targets: [{flow(tree)}]}}}}}}}}")
