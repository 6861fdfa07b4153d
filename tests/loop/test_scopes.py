"""One registry, several teams: a repository does not reach a model that is not for it."""

from dataclasses import replace

import pytest

from bot.domain.scope import Scopes
from bot.jobs.configuration import Configurations
from tests.fakes.forge import FakeForge


@pytest.mark.parametrize(
    ("rules", "repository", "model", "allowed"),
    [
        ({}, "octo/gitops", "fraud", True),
        ({"octo/gitops": ["fraud"]}, "octo/gitops", "fraud", True),
        ({"Octo/*": ["fraud-*"]}, "octo/GitOps", "fraud-eu", True),
        ({"octo/gitops": ["fraud"]}, "octo/gitops", "churn", False),
        ({"octo/gitops": ["fraud"]}, "acme/gitops", "fraud", False),
        ({"octo/gitops": ["fraud"]}, "octo/gitops", "FRAUD", False),
        ({"octo/gitops": []}, "octo/gitops", "fraud", False),
    ],
)
def test_rules_say_which_repository_may_name_which_model(rules, repository, model, allowed):
    """Without rules everything; with rules, what one of them allows."""
    assert Scopes(rules).allow(repository, model) is allowed


def scoped(world, rules):
    """The engine with other rules, as after a restart."""
    outside = replace(world.outside, scopes=Scopes(rules))
    configurations = Configurations(outside, {})
    for part in (world.receiver, world.resync, world.proposer):
        part._configurations = configurations
    return configurations


def test_a_model_of_somebody_else_is_a_mistake_in_the_configuration(world):
    """Told where it was made; nothing of the model is read or shown."""
    scoped(world, {"octo/gitops": ["fraud"]})
    config = world.forge.read("slipway.yaml", "main")
    assert isinstance(world.forge, FakeForge)
    world.forge.commit("main", {"slipway.yaml": config.replace(b"  fraud:", b"  churn:")})
    world.resync.run()
    world.drain()

    (told,) = [issue for issue in world.forge.issues.values() if issue.state == "open"]
    assert "not for this repository" in told.body
    assert "churn" not in world.store.repository("octo/gitops").files["slipway.yaml"]


def test_a_rule_that_is_tightened_later_holds_at_once(world):
    """The configuration that was read before names the model still; it is not there any more."""
    configurations = scoped(world, {"octo/gitops": ["churn"]})
    world.alias("2")

    assert world.promotions() == []
    (_, config), *_ = configurations.all()
    assert config.promoted == {}
