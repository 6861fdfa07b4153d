"""A story for each gate through the whole engine: it does not hold, it holds, and what the reviewer reads."""

import re
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from bot.domain.evidence import Column, Metric, Signature
from bot.domain.hold import Quarantine
from bot.domain.policies import resolve
from bot.domain.promotion import Stage
from bot.domain.pull import Permission, ReviewState
from bot.ports import Attestations, Unavailable
from tests.fakes import samples

DIGEST = "sha256:" + "a" * 64
SIGNED = Attestations(DIGEST, signed=True, attested=True, sbom=True)
IMAGED = b"""\
version: 1
models:
  fraud:
    image: {repository: registry.example.test/fraud, tag: "v{version}", pin: digest}
    environments:
      production:
        targets: [{file: image.yaml, pointer: /image}]
        policy: tried
"""
STAGED = b"""\
version: 1
models:
  fraud:
    storage: "models:/{model}/{version}"
    environments:
      staging:
        targets: [{file: staging.yaml, pointer: /uri}]
        policy: automatic
      production:
        after: staging
        targets: [{file: prod.yaml, pointer: /uri}]
        policy: quick
"""
BASELINE = samples.evidence("1", tags={"approval": "approved"})
AUC, LOSS = BASELINE.metrics[0], BASELINE.metrics[1]
SHIPPED = resolve({}, samples.shipped_policies())


def shown(text: str, gate: str) -> tuple[str, str]:
    """The mark and the sentence of a gate, as its row in a message has them."""
    (row,) = re.findall(rf"^\| (\S+) \| `{gate}` \| (.*) \|$", text, re.MULTILINE)
    return row


# -- the rules of the shipped policies ---------------------------------------------------------------


@dataclass(frozen=True)
class Story:
    """What spoils a good version (or its image) for one gate, and the sentence that follows."""

    policy: str
    gate: str
    sentence: str
    spoilt: dict[str, Any] = field(default_factory=dict)
    attached: Attestations | None = SIGNED
    mark: str = "❌"


STORIES = [
    Story(
        "baseline",
        "evidence",
        "No metric is recorded, so nothing can be compared. Log at least one with the model.",
        {"metrics": ()},
    ),
    Story(
        "baseline",
        "metrics-present",
        "The baseline has metrics that the candidate lacks: auc.",
        {"metrics": (LOSS,)},
    ),
    Story(
        "baseline",
        "evidence-read",
        "Not everything that the registry has could be read: the training run was deleted.",
        {"unreadable": ("the training run was deleted",)},
    ),
    Story(
        "baseline",
        "signature",
        "Callers of the baseline may break: the signature is not recorded any more.",
        {"signature": None},
    ),
    Story(
        "baseline",
        "metrics-are-numbers",
        "Not a number (NaN): auc.",
        {"metrics": (replace(AUC, value=float("nan")), LOSS)},
    ),
    Story(
        "baseline",
        "not-worse",
        "auc is worse than the baseline's by 3.33%; 2% is allowed.",
        {"metrics": (replace(AUC, value=0.9), LOSS)},
    ),
    Story(
        "baseline",
        "same-data",
        "Computed on another data set than the baseline's, so not comparable: auc.",
        {"metrics": (replace(AUC, dataset="other", dataset_digest="ff"), LOSS)},
        mark="⚠️",
    ),
    Story(
        "baseline",
        "signature",
        "Callers of the baseline may break: input `amount` changed its type from double to string.",
        {
            "signature": replace(
                samples.SIGNATURE, inputs=(Column("amount", "string"), samples.SIGNATURE.inputs[1])
            )
        },
    ),
    Story(
        "strict",
        "same-data",
        "Computed on another data set than the baseline's, so not comparable: auc.",
        {"metrics": (replace(AUC, dataset="other", dataset_digest="ff"), LOSS)},
    ),
    Story(
        "strict",
        "code",
        "No code commit is recorded; train from a git checkout, or set the tag mlflow.source.git.commit on the run.",
        {"git_commit": None},
    ),
    Story(
        "strict",
        "signature-present",
        "The model has no signature; pass `signature=` or `input_example=` when logging it.",
        {"signature": None},
    ),
    Story(
        "strict",
        "age",
        "The version is 91 days old; at most 90 days are allowed.",
        {"created_at": datetime.now(UTC) - timedelta(days=91, minutes=1)},
    ),
    Story(
        "llm",
        "evaluated",
        "No evaluation metric can be compared with the baseline's.",
        {"metrics": (Metric("mood", 1.0),)},
    ),
    Story(
        "llm",
        "same-data",
        "Evaluated on other questions than the baseline: auc.",
        {"metrics": (replace(AUC, dataset="other", dataset_digest="ff"), LOSS)},
    ),
    Story(
        "llm",
        "prompts-named",
        "No prompt of the registry is linked, so nobody can tell which text this version speaks with.",
        {"prompts": ()},
        mark="⚠️",
    ),
    Story("llm", "input-example", "No input example is recorded.", {"input_example": None}, mark="⚠️"),
    Story(
        "regulated",
        "licence",
        "The licence is CC-BY-NC-4.0; allowed are Apache-2.0, MIT, BSD-3-Clause and proprietary. Set the tag `license`.",
        {"licence": "CC-BY-NC-4.0"},
    ),
    Story(
        "regulated",
        "described",
        "The description is too short to say what the model is for and what it must not be used for.",
        {"description": "a model"},
    ),
    Story("regulated", "data", "No data set is recorded; log it with `mlflow.log_input`.", {"datasets": ()}),
    Story(
        "regulated",
        "image-signed",
        "The image registry.example.test/fraud:v2 carries no signature in its registry.",
        attached=Attestations(DIGEST, signed=False, attested=True, sbom=True),
    ),
    Story(
        "regulated",
        "image-sbom",
        "The image registry.example.test/fraud:v2 carries no SBOM attestation in its registry.",
        attached=Attestations(DIGEST, signed=True, attested=False, sbom=False),
    ),
    Story(
        "regulated",
        "approved-in-registry",
        "The version has no tag approval=approved in the registry. "
        "(The tag alone is never enough: people approve here too.)",
        {"tags": {"approval": "pending"}},
    ),
]


@pytest.fixture
def imaged(world):
    """Version 1 of a model with everything recorded is pinned as an image; nothing else is registered."""
    world.registry._versions.clear()
    register(world)
    world.registry.set_alias("fraud", "champion", "1")
    image = b"image: registry.example.test/fraud:v1@" + DIGEST.encode() + b"\n"
    world.forge.commit("main", {"slipway.yaml": IMAGED, "image.yaml": image})
    return world


def register(world, **changes):
    """The next version: everything recorded but for these changes."""
    evidence = samples.evidence("1", **{"created_at": None, "prompts": ("greeting/3",), **changes})
    tags = changes.get("tags", {"approval": "approved"})
    number = world.registry.add_version("fraud", tags=tags, evidence=evidence, created_at=evidence.created_at)
    world.images.digests[f"registry.example.test/fraud:v{number}"] = DIGEST
    return number


@pytest.mark.parametrize("story", STORIES, ids=lambda story: f"{story.policy}-{story.gate}")
def test_a_rule_of_a_shipped_policy_is_read_where_it_does_not_hold(imaged, story):
    """In the body of the pull request and in the status comment, with the same sentence; then it is repaired."""
    imaged.images.attached = story.attached
    imaged.configure({"policies/tried.yaml": f"extends: {story.policy}\n".encode()})
    imaged.alias(register(imaged, **story.spoilt))
    number = imaged.newest().pull

    assert plain(shown(imaged.forge.bodies[number], story.gate)) == (story.mark, story.sentence)
    assert plain(shown(imaged.status(number), story.gate)) == (story.mark, story.sentence)

    imaged.images.attached = SIGNED
    imaged.alias(register(imaged))
    imaged.until(lambda: imaged.newest().candidate == "3" and imaged.newest().pull is not None, limit=30)
    imaged.restart()
    assert shown(imaged.forge.bodies[imaged.newest().pull], story.gate)[0] == "✅"


def plain(row: tuple[str, str]) -> tuple[str, str]:
    """The sentence without what keeps Markdown from reading anything into it."""
    return row[0], row[1].replace("\\", "").replace("\u200b", "")


def test_there_is_a_story_for_every_rule_that_is_shipped():
    """A new rule of a shipped policy fails here until somebody tells its story."""
    told = {(story.policy, story.gate) for story in STORIES}
    chain = {"baseline": None, "strict": "baseline", "llm": "baseline", "regulated": "strict"}
    own = {
        (name, gate.id)
        for name, parent in chain.items()
        for gate in SHIPPED.get(name).gates
        if parent is None or gate not in SHIPPED.get(parent).gates
    }

    assert own - told == {("strict", "calm")}  # three failures within a week have a story of their own


def test_a_week_of_failures_warns(imaged):
    """`calm` counts what failed here, whatever the version."""
    imaged.images.attached = None
    imaged.configure({"policies/tried.yaml": b"extends: strict\n"})
    imaged.alias(register(imaged))
    opened = imaged.newest()
    assert shown(imaged.status(opened.pull), "calm") == (
        "✅",
        "promotions that failed here within seven days: 0",
    )
    failed = replace(
        opened, stage=Stage.REVERTED, revert_reason="slow", merged_at=imaged.clock.now(), pull=None
    )
    for number in range(3):
        imaged.store.create(replace(failed, id=f"failed-{number}", candidate=f"9{number}"))
    imaged.store.wake([opened.id])
    imaged.drain()

    mark, sentence = shown(imaged.status(opened.pull), "calm")
    assert mark == "⚠️"
    assert sentence == "3 promotions failed here within seven days; find out why before the next one."


# -- the gates that are always there -----------------------------------------------------------------


def look(world):
    """Somebody or something wakes the newest promotion."""
    world.store.wake([world.newest().id])
    world.drain()


def row(world, gate):
    return plain(shown(world.status(world.newest().pull), gate))


def opened(world, policy=b"{}\n"):
    world.configure({"policies/quick.yaml": policy})
    world.alias("2")
    return world.newest()


def test_head(world):
    """Somebody pushed to the branch."""
    promotion = opened(world)
    assert row(world, "head") == ("✅", "the pull request holds exactly the commit that Slipway made")
    moved = world.forge.commit(world.forge.pulls[promotion.pull].branch, {"prod.yaml": b"uri: mine\n"})
    look(world)

    said = f"the branch has moved: it ends in {moved[:12]}, Slipway made {promotion.head_sha[:12]}"
    assert row(world, "head") == ("❌", said)


def test_hold(world):
    """A person stops it, and lets it go."""
    opened(world)
    world.say("ada", "/hold a sale is on")
    mark, sentence = row(world, "hold")
    world.say("ada", "/release")

    assert mark == "❌"
    assert re.fullmatch(r"ada holds this model here since [\d: -]+ UTC: a sale is on", sentence)
    assert row(world, "hold") == ("✅", "nobody holds it")


def test_quarantine(world):
    """It failed here before; a person lifts it."""
    promotion = opened(world)
    assert row(world, "quarantine") == ("✅", "the version has not failed here")
    since = datetime(2026, 11, 2, tzinfo=UTC)
    world.store.place_quarantine(Quarantine("octo/gitops", "fraud", "production", "2", "too slow", since, 3))
    look(world)

    assert row(world, "quarantine") == ("❌", "version 2 failed here on 2026-11-02: too slow, see #3")
    assert "\u200b" in shown(world.status(promotion.pull), "quarantine")[1]  # the number is no link


def test_freeze(world):
    """It is over by itself, and says when."""
    begin = world.clock.now() - timedelta(minutes=10)
    cron = begin.strftime("%M %H * * *").encode()
    opened(world, b'freeze: [{cron: "' + cron + b'", duration: 2h, reason: year end}]\n')
    frozen = row(world, "freeze")
    world.clock.offset += timedelta(hours=3)
    look(world)

    until = begin.replace(second=0) + timedelta(hours=2)
    assert frozen == ("⏳", f"frozen until {until:%Y-%m-%d %H:%M} UTC (year end)")
    assert row(world, "freeze") == ("✅", "no freeze is on")


@pytest.fixture
def staged(world):
    """Staging comes before production and merges by itself."""
    files = {
        "slipway.yaml": STAGED,
        "staging.yaml": b"uri: models:/fraud/1\n",
        "policies/automatic.yaml": b"promote: automatic\n",
    }
    world.configure(files)
    return world


def test_earlier(staged):
    """What staging has not verified is told, with what staging says of it."""
    staged.configure({"policies/automatic.yaml": b"{}\n"})
    staged.alias("2")
    first = staged.newest()
    staged.proposer.begin("octo/gitops", "fraud", "production", "2", "ada")
    staged.drain()
    before = row(staged, "earlier")
    staged.say("ada", "/promote", first.pull)
    look(staged)
    mark, sentence = row(staged, "earlier")

    assert before == ("⏳", "staging has not verified it: All gates hold. /promote merges it.")
    assert mark == "✅"
    assert sentence.startswith("staging verified it on ")


def test_soak(staged):
    """Time settles it."""
    staged.configure({"policies/automatic.yaml": b"{}\n", "policies/quick.yaml": b"soak: 1h\n"})
    staged.alias("2")
    pull = staged.newest().pull
    staged.say("ada", "/promote", pull)
    staged.say("ada", "/promote", pull)
    before = row(staged, "soak")
    staged.clock.offset += timedelta(hours=1, minutes=1)
    look(staged)

    assert before[0] == "⏳"
    assert before[1].startswith("it must run in staging for 1 hour; still ")
    assert row(staged, "soak")[0] == "✅"
    assert row(staged, "soak")[1].startswith("it has run in staging for 1 hour")


def test_image(imaged):
    """A digest is what holds; before it is there, no pull request is."""
    imaged.images.attached = SIGNED
    imaged.configure({"policies/tried.yaml": b"{}\n"})
    number = register(imaged)
    del imaged.images.digests[f"registry.example.test/fraud:v{number}"]
    imaged.alias(number)
    waiting = imaged.newest()
    imaged.images.digests[f"registry.example.test/fraud:v{number}"] = DIGEST
    imaged.until(lambda: imaged.newest().pull is not None, limit=120)

    assert waiting.reason == "The image registry.example.test/fraud:v2 is not in its registry yet."
    assert row(imaged, "image") == ("✅", "`registry.example.test/fraud:v2` is `sha256:aaaaaaaaaaaa…`")


def test_approvals(world):
    """Two people of a team, not the one who asked, on this commit."""
    world.forge.people |= {"bob": Permission.WRITE, "cleo": Permission.WRITE}
    world.forge.teams["risk"] = {"bob", "cleo"}
    promotion = opened(world, b"approvals: {count: 2, teams: [risk]}\n")
    world.forge.review(promotion.pull, "bob", ReviewState.APPROVED)
    world.forge.review(promotion.pull, "eve", ReviewState.APPROVED)
    look(world)
    before = row(world, "approvals")
    world.forge.review(promotion.pull, "cleo", ReviewState.APPROVED)
    look(world)

    assert before == ("⏳", "it needs 2 approvals from risk, 1 given (not counted: eve may not write here)")
    assert row(world, "approvals") == ("✅", "approved by bob, cleo")


def test_policy(world):
    """A policy that nobody wrote stops everything, and says which name was meant."""
    opened(world)
    config = world.forge.read("slipway.yaml", "main")
    world.configure({"slipway.yaml": config.replace(b"policy: quick", b"policy: stict")})
    look(world)
    assert row(world, "policy") == ("❌", "there is no policy stict: did you mean `strict`?")

    world.configure({"slipway.yaml": config})
    look(world)
    assert "`policy`" not in world.status(world.newest().pull)


def test_environment(world):
    """One promotion at a time has the environment in its hands."""
    world.alias("2")
    world.say("ada", "/promote")
    world.alias("3")
    assert row(world, "environment") == ("⏳", "version 2 is watching here")

    world.until(lambda: row(world, "environment")[0] == "✅")
    assert row(world, "environment")[1] == "no other promotion is under way here"


def test_evidence_that_cannot_be_read(world):
    """A registry that is away is no reason to merge without looking."""
    opened(world)
    world.registry.away = Unavailable("MLflow", "connection refused")
    world.restart()
    look(world)
    away = row(world, "evidence")
    world.registry.away = None
    look(world)

    assert away == ("⏳", "the evidence cannot be read: MLflow: connection refused")
    assert "`evidence`" not in world.status(world.newest().pull)


def test_nothing_recorded_fails_every_rule_that_needs_it(world):
    """A metric that is missing or NaN fails the gate that asks for it, with that sentence."""
    rules = b"gates:\n  - {id: recall, expression: candidate.metrics.recall > 0.5}\n  - {id: auc, expression: candidate.metrics.auc > 0.5}\n"
    metrics = (Metric("auc", float("nan"), "test", "d1"),)
    world.registry.add_version(
        "fraud", evidence=samples.evidence("1", metrics=metrics, signature=Signature((), ()))
    )
    world.configure({"policies/quick.yaml": rules})
    world.alias("4")

    assert row(world, "recall") == ("❌", "the candidate has no metric `recall`")
    assert row(world, "auc") == ("❌", "the metric `auc` of the candidate is not a number (NaN)")
