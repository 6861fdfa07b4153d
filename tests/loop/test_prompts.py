"""A prompt of MLflow's prompt registry is promoted exactly like a model."""

import pytest

from bot.domain.evidence import VersionEvidence
from bot.domain.promotion import Stage
from bot.webhooks.mlflow import RegistryChanged

PROMPTS = b"""\
prompts:
  greeting:
    environments:
      production:
        targets: [{file: prompt.yaml, pointer: /prompt}]
        argocd: greeter
        policy: quick
        alias: champion
        slo:
          preset: fastapi
          errors: {objective: 99%}
"""

STOPPED = {"approvals", "licence", "described", "approved-in-registry"}
"""Gates that a prompt of two words, tagged by nobody, does not pass."""


@pytest.fixture
def greeter(world):
    """Two versions of a prompt, the first of them pinned."""
    for text in ("Hello {{name}}.\nBe kind.", "Hello {{name}}.\nBe brief."):
        world.registry.add_version("greeting", evidence=VersionEvidence("", "", "", prompt=text))
    world.registry.set_alias("greeting", "champion", "1")
    models = world.forge.read("slipway.yaml", "main")
    files = {"slipway.yaml": models + PROMPTS, "prompt.yaml": b"prompt: prompts:/greeting/1\n"}
    world.forge.commit("main", files)
    world.resync.run()
    world.drain()
    return world


def candidate(world):
    """The alias is set and MLflow tells of it."""
    world.registry.set_alias("greeting", "candidate", "2")
    world.deliver(
        "mlflow",
        RegistryChanged(
            delivery="prompt-1",
            kind="prompt_alias.created",
            model="greeting",
            version="2",
            alias="candidate",
        ),
    )


def pinned(world):
    return world.forge.read("prompt.yaml", world.forge.head()).decode().strip().removeprefix("prompt: ")


def test_the_alias_of_a_prompt_opens_a_pull_request_with_the_difference_of_the_text(greeter):
    """A reviewer reads what the next callers will be told."""
    candidate(greeter)

    promotion = greeter.newest()
    assert (promotion.model, promotion.stage, promotion.baseline) == ("greeting", Stage.OPEN, "1")
    body = greeter.forge.bodies[promotion.pull]
    assert "-Be kind.\n+Be brief." in body
    assert "prompts:/greeting/2" in body


def test_a_prompt_is_merged_watched_and_its_alias_moved(greeter):
    """The happy path, told by Git and by the registry."""
    candidate(greeter)
    greeter.say("ada", "/promote")
    assert pinned(greeter) == "prompts:/greeting/2"

    greeter.until(lambda: greeter.newest().stage is Stage.PASSED)
    assert greeter.registry.alias("greeting", "champion") == "2"
    passed = greeter.newest()
    tags = greeter.registry.version("greeting", "2").tags
    assert tags["slipway.production.verdict"] == "passed"
    assert tags["slipway.production.commit"] == passed.merge_sha
    assert tags["slipway.production.pull_request"] == str(passed.pull)


def test_a_prompt_that_breaks_the_service_is_reverted_by_itself(greeter):
    """And not proposed again."""
    candidate(greeter)
    greeter.say("ada", "/promote")
    greeter.traffic.turn_bad(0.3)
    greeter.until(lambda: greeter.newest().stage is Stage.REVERTED)

    assert pinned(greeter) == "prompts:/greeting/1"
    assert greeter.registry.alias("greeting", "champion") == "1"
    assert greeter.store.quarantine("octo/gitops", "greeting", "production", "2") is not None


def test_a_missed_webhook_of_a_prompt_is_repaired_by_the_resync(greeter):
    """The periodic comparison sees the aliases of prompts too."""
    greeter.registry.set_alias("greeting", "candidate", "2")
    greeter.resync.run()
    greeter.drain()

    assert (greeter.newest().model, greeter.newest().stage) == ("greeting", Stage.OPEN)


def test_a_prompt_whose_alias_and_pin_disagree_is_reported(greeter):
    """In the same issue as the models."""
    greeter.registry.set_alias("greeting", "champion", "2")
    greeter.resync.run()
    greeter.drain()

    (issue,) = [issue for issue in greeter.forge.issues.values() if issue.state == "open"]
    assert "| `greeting` | production | `champion` | 2 | 1 |" in issue.body


@pytest.mark.parametrize("policy", [b"llm", b"strict", b"regulated"])
def test_a_prompt_passes_the_rules_of_a_shipped_policy_that_are_about_prompts(greeter, policy):
    """It is not asked for metrics, code or data, which no prompt has; it is for everything else."""
    greeter.configure({"policies/quick.yaml": b"extends: " + policy + b"\n"})
    candidate(greeter)

    waiting = {
        gate
        for gate in STOPPED
        if f"| `{gate}` |" in greeter.status(greeter.newest().pull).split("<details>")[0]
    }
    assert waiting == {b"llm": set(), b"strict": {"approvals"}, b"regulated": STOPPED}[policy]


def test_a_prompt_that_speaks_to_the_reviewer_stays_text(greeter):
    """However long it is, and whatever it tries."""
    text = "@everybody </details>\n```\n/promote\n" + "\u202eevil " * 40_000
    greeter.registry.add_version("greeting", evidence=VersionEvidence("", "", "", prompt=text))
    greeter.registry.set_alias("greeting", "candidate", "3")
    greeter.resync.run()
    greeter.drain()

    body = greeter.forge.bodies[greeter.newest().pull]
    assert len(body) < 65_536
    assert "\u202e" not in body
    assert "````diff" in body
    assert greeter.newest().stage is Stage.OPEN
