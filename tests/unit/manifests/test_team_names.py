"""The template under a team's own names."""

import re
from dataclasses import replace

import pytest

from bot.adapters import shipped
from bot.manifests.team_names import EXAMPLES, Style, TeamNames, mistakes, written

TEMPLATE = shipped.template()
SAME = TeamNames("your-team", "models-gitops", "registry.example.com/ml", "example.com")
OWN = TeamNames("acme", "pins", "registry.acme.io/ai", "acme.io")


def test_with_the_template_s_own_names_nothing_changes():
    """Every byte stays."""
    assert written(TEMPLATE, SAME) == TEMPLATE


def test_no_name_of_the_template_is_left():
    """With names of one's own for everything, none of the template's is in any file or path."""
    own = replace(
        OWN,
        models={style: f"own-{style}" for style in Style},
        mlflow="https://mlflow.acme.io",
        prometheus="https://prometheus.acme.io",
        aws_account="210987654321",
        aws_region="us-east-2",
    )
    template = ("your-team", "models-gitops", "example.com", "123456789012", "eu-west-1", *EXAMPLES.values())

    for path, content in written(TEMPLATE, own).items():
        text = "" if path.endswith(".schema.json") else content.decode()
        assert not [name for name in template if name in path + text], path


def test_namespaces_change_and_environments_do_not():
    """`production` is an environment, a policy and part of names; only as a namespace it becomes another word."""
    made = written(TEMPLATE, replace(SAME, namespaces={"staging": "ml-test", "production": "ml-live"}))

    changed = {
        (old, new)
        for path, content in made.items()
        for old, new in zip(TEMPLATE[path].decode().splitlines(), content.decode().splitlines(), strict=True)
        if old != new
    }

    assert made.keys() == TEMPLATE.keys()
    assert all(
        new
        in (
            old.replace("staging", "ml-test"),
            old.replace('production"', 'ml-live"'),
            old.replace(": production", ": ml-live"),
            old.replace("--namespace production", "--namespace ml-live"),
        )
        for old, new in changed
    )
    assert b"namespace: ml-live" in made["models/fraud-detector/overlays/production/kustomization.yaml"]
    assert b"policy: production" in made["slipway.yaml"]
    assert b'namespace="ml-live",service="fraud-detector"' in made["slipway.yaml"]


@pytest.mark.parametrize("style", Style)
def test_a_style_alone_brings_its_own_files_only(style):
    """Four of five left out: no folder, Application or part of slipway.yaml of theirs is there."""
    made = written(TEMPLATE, replace(SAME, models={style: EXAMPLES[style]}))
    others = [name for other, name in EXAMPLES.items() if other is not style]

    assert {path.split("/")[1] for path in made if path.startswith("models/")} == {EXAMPLES[style]}
    assert not [name for name in others if f"  {name}:".encode() in made["slipway.yaml"]]
    assert not [path for path in made if any(name in path for name in others)]
    assert any(path.startswith("charts/") for path in made) == (style is Style.HELM)
    assert ("argocd/health.yaml" in made) == (style is Style.SAGEMAKER)


@pytest.mark.parametrize("style", Style)
def test_the_readme_names_only_what_is_there(style):
    """With one style of five: no other model, no file that was left out, and the first style's own words stay."""
    made = written(TEMPLATE, replace(SAME, models={style: EXAMPLES[style]}))
    readme = made["README.md"].decode()
    quoted = re.findall(r"`([a-z][\w./*-]*)`", readme)
    paths = [one for one in quoted if re.search(r"/.|\.ya?ml$|/$", one)]

    assert f"| `{EXAMPLES[style]}` |" in readme
    assert not [name for other, name in EXAMPLES.items() if other is not style and f"`{name}`" in readme]
    assert paths
    for path in paths:
        below = ".*" if path.endswith("/") else ""
        wanted = re.compile("(?:.*/)?" + re.escape(path).replace(r"\*", "[^/]*") + below)
        assert any(wanted.fullmatch(one) for one in made), path


def test_the_readme_keeps_its_form():
    """Every step is there in its order, every table has its head, and no two empty lines follow each other."""
    readme = written(TEMPLATE, replace(SAME, models={Style.HELM: "sales"}))["README.md"].decode()

    steps = [int(number) for number in re.findall(r"^(\d+)\. \*\*", readme, re.MULTILINE)]
    assert steps == [*range(1, 11)]
    assert readme.count("|---|") == TEMPLATE["README.md"].decode().count("|---|")
    assert "\n\n\n" not in readme


def test_where_mlflow_and_prometheus_are_is_where_they_are_let_through():
    """Their addresses tell their namespaces: of network policies, Applications, kustomizations and the project."""
    elsewhere = replace(
        SAME,
        mlflow="http://tracking.ml-platform.svc.cluster.local:80",
        prometheus="http://prometheus.observability.svc:9090",
    )

    made = written(TEMPLATE, elsewhere)

    for path in ("models/fraud-detector/base/network.yaml", "platform/slipway/network.yaml"):
        text = made[path].decode()
        assert "metadata.name: ml-platform" in text
        assert "metadata.name: observability" in text
        assert "metadata.name: mlflow" not in text
        assert "metadata.name: monitoring" not in text
    assert b"namespace: ml-platform" in made["platform/mlflow/kustomization.yaml"]
    assert b"namespace: ml-platform" in made["apps/mlflow-webhooks.yaml"]
    assert b"namespace: observability" in made["apps/monitoring.yaml"]
    assert b"namespace: observability" in made["argocd/project.yaml"]
    (told,) = mistakes(replace(elsewhere, namespaces={"staging": "ml-platform", "production": "b"}))
    assert "cannot be ml-platform: the platform lives there" in told


def test_every_file_that_a_comment_names_is_there():
    """No comment of the template sends its reader to a file of another name."""
    tops = "|".join(sorted({path.split("/")[0] for path in TEMPLATE if "/" in path and path[0] != "."}))
    named = re.compile(rf"(?<![\w./-])(?:{tops})/[\w./*<>-]*\w\.(?:ya?ml|json|py|md|Dockerfile)\b")

    found = 0
    for path, content in TEMPLATE.items():
        for comment in re.findall(r"^\s*#.*$", content.decode(), re.MULTILINE):
            for one in named.findall(comment):
                pattern = re.escape(re.sub(r"<\w+>", "*", one)).replace(r"\*", "[^/]*")
                assert any(re.fullmatch(pattern, each) for each in TEMPLATE), (path, one)
                found += 1
    assert found > 3


def test_a_name_may_be_one_of_the_template_s():
    """What is put in is not looked at again: names may even change places."""
    swapped = replace(SAME, models={Style.DEPLOYMENT: "demand-forecast", Style.HELM: "fraud-detector"})

    made = written(TEMPLATE, swapped)

    assert b"name: demand-forecast" in made["models/demand-forecast/base/deployment.yaml"]
    assert b"model: fraud-detector" in made["models/fraud-detector/values.yaml"]


def test_good_names_have_no_mistakes():
    """The template's own, and an organisation with capitals."""
    assert mistakes(SAME) == ()
    assert (
        mistakes(replace(OWN, organization="Acme-ML", namespaces={"staging": "a", "production": "b"})) == ()
    )
    for registry in ("localhost:5000/ml", "registry:5000/ml", "10.0.0.7:5000/ml/models"):
        assert mistakes(replace(OWN, registry=registry)) == ()


@pytest.mark.parametrize(
    ("names", "told"),
    [
        (replace(OWN, organization="acme corp"), "'acme corp' is not an organisation of GitHub"),
        (replace(OWN, organization="acme\nevil: 1"), r"'acme\nevil: 1' is not an organisation"),
        (replace(OWN, repository="a/b"), "'a/b' is not a repository"),
        (replace(OWN, registry="acme"), "'acme' is not a place for images"),
        (replace(OWN, registry="acme/ml"), "'acme/ml' is not a place for images"),
        (replace(OWN, registry="registry.acme.io/ai:1"), "'registry.acme.io/ai:1' is not a place for images"),
        (replace(OWN, domain="acme"), "'acme' is not a domain"),
        (replace(OWN, domain="acme.io/x"), "'acme.io/x' is not a domain"),
        (replace(OWN, mlflow="http://a b"), "'http://a b' is not an address"),
        (replace(OWN, bucket="B"), "'B' is not a bucket"),
        (replace(OWN, aws_region="Ireland"), "'Ireland' is not an AWS region"),
        (replace(OWN, models={}), "no model is named"),
        (replace(OWN, models={Style.HELM: "on"}), "'on' is no good name of a model"),
        (replace(OWN, models={Style.HELM: "a--b"}), "'a--b' is not the name of a model"),
        (replace(OWN, models={Style.HELM: "m" * 36}), "is not the name of a model"),
        (replace(OWN, models={Style.HELM: "a", Style.KSERVE: "a"}), "'a' is the model twice"),
        (
            replace(OWN, namespaces={"staging": "1e5", "production": "b"}),
            "'1e5' is no good name of a namespace",
        ),
        (replace(OWN, namespaces={"staging": "a", "production": "a"}), "'a' is the namespace twice"),
        (replace(OWN, namespaces={"staging": "slipway", "production": "a"}), "cannot be slipway"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_wrong_name_is_told_in_a_sentence(names, told):
    """One mistake, one sentence."""
    (found,) = mistakes(names)

    assert told in found


def test_the_shipped_template_has_its_hidden_files():
    """The workflow that checks pull requests is in a folder whose name begins with a dot."""
    assert ".github/workflows/slipway.yaml" in TEMPLATE
    assert "slipway.yaml" in TEMPLATE
