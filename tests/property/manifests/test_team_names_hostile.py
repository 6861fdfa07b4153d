"""Whatever a team is called: names are refused with a sentence, or the repository they make has no mistake."""

from hypothesis import assume, given, settings
from hypothesis import strategies as st

from bot.adapters import shipped
from bot.manifests.check import check
from bot.manifests.team_names import Style, TeamNames, mistakes, written

TEMPLATE = shipped.template()
SHIPPED = shipped.policies()

words = st.from_regex(r"[a-z][a-z0-9]{0,8}(-[a-z0-9]{1,8})?", fullmatch=True) | st.sampled_from(
    [
        "production",
        "staging",
        "on",
        "null",
        "slipway",
        "your-team",
        "fraud-detector",
        "namespace",
        "models",
        "v1",
    ]
)
anything = words | words | st.text(max_size=20)


def names(text):
    """Names of a team, with this for what people type."""
    return st.builds(
        TeamNames,
        organization=text,
        repository=text,
        registry=text.map("registry.acme.io/{}".format),
        domain=text.map("{}.io".format),
        models=st.dictionaries(st.sampled_from(Style), words, min_size=1),
        namespaces=st.fixed_dictionaries({"staging": words, "production": words}),
    )


@given(names(st.text(max_size=20)))
def test_whatever_is_typed_is_told_in_single_lines(typed):
    """A name with line breaks or control characters stays inside its quotes."""
    assert all(mistake.isprintable() for mistake in mistakes(typed))


@given(names(words))
@settings(max_examples=25, deadline=None)
def test_names_without_mistakes_make_a_repository_without_mistakes(good):
    """Never a repository that `slipway check` would refuse, never an Application that is lost."""
    assume(not mistakes(good))

    made = written(TEMPLATE, good)

    own = {
        path: data.decode()
        for path, data in made.items()
        if path.startswith("policies/") and path.endswith(".yaml")
    }
    assert check(made.get, own, SHIPPED) == ()
    assert {path for path in made if path.startswith("apps/")} >= {
        f"apps/{name}-{environment}.yaml"
        for name in good.models.values()
        for environment in ("staging", "production")
    }
