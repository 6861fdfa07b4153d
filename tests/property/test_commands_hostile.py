"""Whatever people write, parsing answers, and quoting always silences."""

from hypothesis import given
from hypothesis import strategies as st

from bot.domain.authorization import DEFAULT_RULES, Action, Actor, Allowed, Rule, authorize
from bot.domain.commands import MAX_COMMANDS, ParsedComment, parse
from bot.domain.pull import Permission

PIECES = st.sampled_from(
    [
        *("/promote", "/rollback why", "/hold all", "/help", "\n", "\n\n", "> ", "```\n", "`", "<!--", "-->"),
        *("- ", "<pre>", "</pre>", "[", "](x)", "*", "~~", "|", "---\n", "\\", "&#47;", "\r", "\0", "    "),
        *("é", "\ud800"),
    ]
)
TEXT = st.lists(PIECES | st.text(max_size=5), max_size=25).map("".join)


@given(TEXT)
def test_any_text_is_answered(body):
    """Parsing never raises, and never finds more than one comment may hold."""
    parsed = parse(body)

    assert len(parsed.commands) <= MAX_COMMANDS
    assert len(parsed.commands) + len(parsed.mistakes) <= MAX_COMMANDS + 1


@given(TEXT)
def test_a_quoted_comment_always_asks_for_nothing(body):
    """With `> ` before each line, as a mail or the reply button does it, no command is left."""
    quoted = "".join(f"> {line}\n" for line in body.replace("\r", "\n").split("\n"))

    assert parse(quoted) == ParsedComment()


@given(TEXT)
def test_an_indented_comment_always_asks_for_nothing(body):
    """No line starts with a slash, so nothing is a command."""
    assert parse("".join(f" {line}\n" for line in body.replace("\r", "\n").split("\n"))) == ParsedComment()


ACTORS = st.builds(
    Actor,
    login=st.sampled_from(["alice", "helper[bot]"]),
    permission=st.sampled_from(Permission),
    teams=st.frozensets(st.sampled_from(["a", "b"])),
)
RULES = st.builds(
    Rule,
    permission=st.sampled_from(Permission),
    teams=st.frozensets(st.sampled_from(["a", "b"])),
)


@given(action=st.sampled_from(Action), actor=ACTORS, rule=RULES | st.sampled_from([*DEFAULT_RULES.values()]))
def test_nobody_is_ever_allowed_who_lacks_what_the_rule_asks_for(action, actor, rule):
    """Allowed always means a person, the right and the team."""
    if authorize(action, actor, rule) == Allowed():
        assert not actor.is_bot
        assert actor.permission >= max(rule.permission, Permission.READ)
        assert not rule.teams or rule.teams & actor.teams
