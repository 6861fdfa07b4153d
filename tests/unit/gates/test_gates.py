"""A story for each gate: when it holds, when it does not, and the sentence that a reviewer reads."""

from dataclasses import replace
from datetime import timedelta

import pytest

from bot.domain.comparison import compare
from bot.domain.evidence import Column, Metric, Signature
from bot.domain.facts import Approval, EarlierEnvironment, History, Image, Override
from bot.domain.freeze import CalendarFreeze, CronFreeze
from bot.domain.gate import Enforce, blocking
from bot.domain.gates import evaluate, fill
from bot.domain.hold import Hold, Quarantine
from bot.domain.policies import resolve
from bot.domain.policy import Approvals, ExpressionGate, Policy
from bot.domain.pull import Permission
from tests.fakes import samples
from tests.fakes.samples import HEAD, NOW

FREEZE = Policy(freeze=(CronFreeze(cron="0 9 * * WED", duration="2h", reason="release meeting"),))
TWO = Policy(approvals=Approvals(count=2, teams=("ml", "risk")))


def gate(name, policy=None, **changes):
    """The answer of one gate to the sample's facts with these changes; None where it has nothing to say."""
    results = {result.id: result for result in evaluate(policy or Policy(), samples.facts(**changes))}
    return results.get(name)


def test_everything_in_order_lets_a_promotion_through():
    """With the default policy nothing blocks."""
    assert blocking(evaluate(Policy(), samples.facts())) == ()


def test_head_holds_for_our_own_commit_only():
    """A moved head is told with both commits."""
    moved = gate("head", pull=samples.pull(head_sha="9" * 40))

    assert gate("head").holds
    assert not moved.holds
    assert moved.reason == "the branch has moved: it ends in 999999999999, Slipway made 555555555555"
    assert not gate("head", head_sha=None).holds


def test_head_refuses_a_branch_of_another_repository():
    """A fork with the same commit is not ours."""
    assert "mallory/gitops" in gate("head", pull=samples.pull(head_repository="mallory/gitops")).reason


def test_without_a_pull_request_there_is_no_head_to_judge():
    """Before it is opened, gates tell about everything else."""
    assert gate("head", pull=None) is None


def test_hold_names_who_why_and_since_when():
    """A hold stops the promotion; the oldest one is told first."""
    hold = Hold("example/gitops", None, None, "maria", "audit", NOW)
    younger = replace(hold, owner="paul", since=NOW + timedelta(hours=1))
    held = gate("hold", holds=(younger, hold))

    assert gate("hold").holds
    assert held.blocks
    assert held.reason == "maria holds everything since 2026-11-18 09:30 UTC: audit (and 1 more)"


def test_quarantine_tells_what_happened():
    """A version that failed here stays out."""
    failed = Quarantine("example/gitops", "fraud-detector", "production", "3", "too many errors", NOW, 9)
    kept_out = gate("quarantine", quarantine=failed)

    assert gate("quarantine").holds
    assert kept_out.blocks
    assert kept_out.reason == "version 3 failed here on 2026-11-18: too many errors, see #9"


def test_freeze_waits_and_says_until_when():
    """The moment of its end is told to a person and to the engine."""
    frozen = gate("freeze", FREEZE)

    assert gate("freeze") is None
    assert frozen.pending
    assert frozen.reason == "frozen until 2026-11-18 11:00 UTC (release meeting)"
    assert frozen.until == NOW.replace(hour=11, minute=0)
    assert gate("freeze", FREEZE, now=NOW + timedelta(hours=2)).holds


def test_freeze_is_overridden_with_a_reason():
    """What was overridden stays readable."""
    overridden = gate("freeze", FREEZE, override=Override("maria", "security fix"))

    assert overridden.holds
    assert overridden.reason.startswith("maria overrides it: security fix; frozen until")


def test_a_freeze_that_cannot_be_read_is_on():
    """An absent calendar is no open door."""
    policy = Policy(freeze=(CalendarFreeze(ical="policies/holidays.ics"),))
    unreadable = gate("freeze", policy)

    assert unreadable.blocks
    assert "policies/holidays.ics is not in the repository" in unreadable.reason


def test_earlier_waits_for_the_environment_before():
    """Only what staging verified goes on."""
    waiting = gate("earlier", earlier=EarlierEnvironment("staging", reason="the canary still watches"))

    assert gate("earlier", earlier=None) is None
    assert gate("earlier").holds
    assert waiting.pending
    assert waiting.reason == "staging has not verified it: the canary still watches"


def test_soak_counts_from_the_verdict_there():
    """Time alone settles it, and the engine is told when."""
    policy = Policy(soak=timedelta(hours=48))
    waiting = gate("soak", policy)

    assert gate("soak") is None
    assert waiting.pending
    assert waiting.reason == "it must run in staging for 2 days; still 18 hours to go"
    assert waiting.until == NOW + timedelta(hours=18)
    assert gate("soak", Policy(soak=timedelta(hours=30))).holds


LEFT = {"left_at": NOW - timedelta(hours=29), "left_for": "4"}


def test_what_was_replaced_before_it_had_soaked_never_soaks():
    """A version soaks only while it runs there; what left after that has soaked all the same."""
    policy = Policy(soak=timedelta(hours=2))
    verified = NOW - timedelta(hours=30)
    cut = gate("soak", policy, earlier=EarlierEnvironment("staging", verified, **LEFT))
    enough = gate(
        "soak", Policy(soak=timedelta(hours=1)), earlier=EarlierEnvironment("staging", verified, **LEFT)
    )

    assert cut.blocks
    assert not cut.pending
    assert cut.reason == "it must run in staging for 2 hours, and version 4 took its place after 1 hour"
    assert enough.reason == "it has run in staging for 1 hour"


def test_image_must_be_known_by_its_digest():
    """An image that is not built yet is waited for."""
    waiting = gate("image", image=Image("registry.example.test/x:v3"))

    assert gate("image", image=None) is None
    assert gate("image").holds
    assert waiting.pending
    assert waiting.reason == "`registry.example.test/x:v3` is not in the registry yet"


def test_an_image_that_is_pinned_by_its_tag_warns():
    """Whoever wants a tag is not stopped, and whoever reviews it knows."""
    tagged = gate("image", image=Image("registry.example.test/x:v3", by_tag=True))

    assert not tagged.holds
    assert not tagged.blocks
    assert (
        tagged.reason
        == "`registry.example.test/x:v3` is pinned by its tag, which may come to mean another image"
    )


def approval(author="paula", **changes):
    given = {"commit": HEAD, "permission": Permission.WRITE, "teams": frozenset({"ml"})} | changes
    return Approval(author, **given)


@pytest.mark.parametrize(
    ("second", "said"),
    [
        (approval("paul", commit="9" * 40), "paul approved an older commit"),
        (approval("paul", permission=Permission.TRIAGE), "paul may not write here"),
        (approval("paul", teams=frozenset()), "paul is in none of the teams"),
        (approval("Maria"), "Maria asked for the promotion"),
        (approval("PAULA"), ""),
    ],
)
def test_approvals_count_the_right_people_on_the_right_commit(second, said):
    """Each approval that does not count is told with its reason; nobody counts twice."""
    result = gate("approvals", TWO, approvals=(approval(), second), authors=frozenset({"maria"}))

    assert result.pending
    assert result.reason.startswith("it needs 2 approvals from ml or risk, 1 given")
    assert said in result.reason


def test_enough_approvals_hold():
    """They are named."""
    both = (approval(), approval("paul", teams=frozenset({"risk"})))

    assert gate("approvals", TWO, approvals=both).reason == "approved by paula, paul"
    assert gate("approvals") is None


def expression(text, message="", **changes):
    policy = Policy(gates=(ExpressionGate(id="own", expression=text, message=message),))
    return gate("own", policy, **changes)


NAN = compare(samples.evidence("3", metrics=(Metric("auc", float("nan")),)), samples.evidence("2"))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("candidate.metrics.auc > 0.5", "the metric `auc` of the candidate is not a number (NaN)"),
        ("candidate.metrics['auc'] != 0.5", "the metric `auc` of the candidate is not a number (NaN)"),
        ("candidate.metrics.auc > 0.5 || true", "the metric `auc` of the candidate is not a number (NaN)"),
        ("candidate.metrics.f1 > 0.5", "the candidate has no metric `f1`"),
        ("candidate.tags.owner2 == 'x'", "`owner2` is not recorded"),
        ("candidate.metrics.all(m, candidate.metrics[m] >= 0.0)", "it cannot be evaluated"),
        ("candidate.version", "it answers with str, not with true or false"),
        ("1 +", "it does not compile: at character 4, it ends too early"),
        ("candidate.metriks.auc > 0.5", "`candidate` has no `metriks`; did you mean `metrics`?"),
        ("has(candidate.image.signd)", "`candidate.image` has no `signd`; did you mean `signed`?"),
        ("candidate.size / 0 > 1", "it cannot be evaluated"),
    ],
)
def test_an_expression_that_cannot_be_answered_blocks_with_its_reason(text, said):
    """Closed, never open: missing, NaN, not a boolean, not compilable."""
    result = expression(text, comparison=NAN)

    assert result.blocks
    assert said in result.reason


def test_a_rule_that_does_not_hold_tells_its_message():
    """With the facts filled in; without a message, the expression itself."""
    message = "auc is {candidate.metrics.auc}, {evidence.tolerance%} tolerance, age {candidate.age}, {candidate.tags.x}"
    told = expression("candidate.metrics.auc > 0.99", message)

    assert told.reason == "auc is 0.933, 2% tolerance, age 7 days, not recorded"
    rule = "candidate.metrics.auc > 0.99"
    assert (
        expression(rule).reason == "candidate.metrics.auc is 0.933; `candidate.metrics.auc > 0.99` is false"
    )


@pytest.mark.parametrize(
    ("rule", "said"),
    [
        (
            "candidate.metrics.auc >= 0.9 && evidence.compared > 1",
            "candidate.metrics.auc is 0.933; evidence.compared is 2; `candidate.metrics.auc >= 0.9 && evidence.compared > 1` is true",
        ),
        (
            "candidate.age < duration('720h')",
            "candidate.age is 7 days; `candidate.age < duration('720h')` is true",
        ),
        (
            "candidate.commit.startsWith('3')",
            f"candidate.commit is {'3' * 40}; `candidate.commit.startsWith('3')` is true",
        ),
        ("size(candidate.datasets) == 2", "`size(candidate.datasets) == 2` is true"),
        (
            "candidate.datasets.exists(candidate, candidate.name == 'holdout')",
            "`candidate.datasets.exists(candidate, candidate.name == 'holdout')` is true",
        ),
        ("'candidate.commit' != 'x'", "`'candidate.commit' != 'x'` is true"),
    ],
)
def test_a_rule_that_holds_says_why(rule, said):
    """With the facts that it names, where it has no sentence of its own."""
    assert expression(rule).reason == said


def test_a_rule_that_holds_may_have_its_own_sentence():
    """Filled in like the other one."""
    policy = Policy(
        gates=(ExpressionGate(id="own", expression="true", holds="auc is {candidate.metrics.auc}"),)
    )

    assert gate("own", policy).reason == "auc is 0.933"


@pytest.mark.parametrize(
    "template", ["{candidate.__class__}", "{now.__class__.__mro__}", "{0}", "{x!r}", "{}", "{{x}}"]
)
def test_a_message_reaches_nothing_but_the_facts(template):
    """No attribute, no index, no format."""
    shown = fill(template, {"candidate": {"metrics": {}}, "now": NOW})

    assert "class '" not in shown
    assert shown in {template, "not recorded", "{not recorded}"}


def test_a_warning_does_not_block():
    """`enforce: warn` is shown and lets it through."""
    policy = Policy(gates=(ExpressionGate(id="own", expression="false", enforce=Enforce.WARN),))
    result = gate("own", policy)

    assert not result.holds
    assert not result.blocks


@pytest.mark.parametrize(
    "text",
    [
        "candidate.model == 'fraud-detector' && candidate.version == '3'",
        "candidate.created < now && candidate.age > duration('1h')",
        "candidate.trained < candidate.created",
        "candidate.creator == 'maria' && candidate.description.contains('fraud')",
        "candidate.tags.owner == 'payments' && candidate.licence == 'Apache-2.0'",
        "candidate.metrics.auc > baseline.metrics.auc && candidate.parameters.depth == '3'",
        "candidate.datasets.exists(d, d.name == 'holdout' && d.context == 'evaluation')",
        "candidate.has_signature && candidate.has_input_example && candidate.size < 2000000",
        "candidate.commit.startsWith('33') && candidate.branch == 'main'",
        "'sklearn' in candidate.flavors && candidate.python.startsWith('3.11') && 'mlflow' in candidate.libraries",
        "size(candidate.prompts) == 0 && !candidate.quarantined",
        "candidate.image.digest.startsWith('sha256:') && candidate.image.signed == null && candidate.image.sbom == null",
        "environment.name == 'production' && environment.model == 'fraud-detector' && environment.after == 'staging'",
        "evidence.complete && size(evidence.unreadable) == 0 && evidence.compared == 2",
        "evidence.metrics.auc.better && evidence.metrics.auc.direction == 'higher' && evidence.metrics.auc.same_dataset",
        "evidence.metrics.auc.delta > 0.0 && evidence.metrics.auc.candidate > evidence.metrics.auc.baseline",
        "evidence.worst == 0.0 && evidence.worst <= evidence.tolerance && evidence.worst_metric != ''",
        "size(evidence.missing_metrics) + size(evidence.not_numbers) + size(evidence.other_datasets) == 0",
        "'depth' in evidence.changed_parameters && evidence.signature_known && size(evidence.signature_breaks) == 0",
        "now.getDayOfWeek() == 3 && now.getHours() == 9",
        "history.verified.staging < now && history.last_promotion == null && history.last_failure == null",
        "history.promotions_24h == 0 && history.failures_7d == 0 && environment.repository == 'example/gitops'",
    ],
)
def test_every_documented_fact_can_be_asked(text):
    """The facts of docs/policies.md, each in an expression that holds for the sample."""
    verified = History(verified={"staging": NOW - timedelta(hours=30)})

    assert expression(text, history=verified).holds


TWICE = compare(
    samples.evidence(
        "3",
        metrics=(
            Metric("auc", 0.9, "test", "t"),
            Metric("auc", 0.99, "train", "r"),
            Metric("loss", 0.3, "test", "t"),
            Metric("loss", 0.1, "train", "r"),
        ),
    ),
    samples.evidence("2", metrics=(Metric("auc", 0.95, "test", "t"), Metric("auc", 0.98, "train", "r"))),
)


@pytest.mark.parametrize(
    "text",
    [
        "candidate.metrics.auc == 0.9 && candidate.metrics['auc@test'] == 0.9 && candidate.metrics['auc@train'] == 0.99",
        "candidate.metrics.loss == 0.3",
        "evidence.metrics.auc.better == false && evidence.metrics['auc@train'].better",
    ],
)
def test_of_several_data_sets_the_worst_value_counts(text):
    """A good value on the training data does not hide a bad one elsewhere."""
    assert expression(text, comparison=TWICE).holds


SHIPPED = resolve({}, samples.shipped_policies())


@pytest.mark.parametrize(
    ("policy", "gate_id", "changes"),
    [
        ("baseline", "evidence", {"metrics": ()}),
        ("baseline", "evidence-read", {"unreadable": ("the MLmodel file could not be read",)}),
        ("baseline", "metrics-present", {"metrics": (Metric("auc", 0.94, "holdout", "d41d8cd9"),)}),
        (
            "baseline",
            "metrics-are-numbers",
            {"metrics": (Metric("auc", float("nan")), Metric("log_loss", 0.1))},
        ),
        ("baseline", "not-worse", {"metrics": (Metric("auc", 0.90), Metric("log_loss", 0.1))}),
        ("baseline", "same-data", {"metrics": (Metric("auc", 0.94, "other", "ff"), Metric("log_loss", 0.1))}),
        ("baseline", "signature", {"signature": None}),
        ("baseline", "signature", {"signature": Signature((Column("amount", "string"),), ())}),
        ("strict", "code", {"git_commit": None}),
        ("strict", "signature-present", {"signature": None}),
        ("strict", "age", {"created_at": NOW - timedelta(days=91)}),
        ("strict", "age", {"created_at": None}),
        ("strict", "same-data", {"metrics": (Metric("auc", 0.94, "other", "ff"), Metric("log_loss", 0.1))}),
        ("llm", "prompts-named", {}),
        ("llm", "input-example", {"input_example": None}),
        ("llm", "evaluated", {"metrics": (Metric("latency_of_my_cat", 1.0),)}),
        ("regulated", "licence", {"licence": None}),
        ("regulated", "licence", {"licence": "CC-BY-NC-4.0"}),
        ("regulated", "described", {"description": "a model"}),
        ("regulated", "data", {"datasets": ()}),
        ("regulated", "image-signed", {}),
        ("regulated", "image-sbom", {}),
        ("regulated", "approved-in-registry", {}),
        ("regulated", "approved-in-registry", {"tags": {"approval": "pending"}}),
    ],
)
def test_the_shipped_rules_catch_what_they_are_for(policy, gate_id, changes):
    """One case for each rule of each shipped policy; it does not hold and says something readable."""
    comparison = compare(
        samples.evidence("3", **changes), samples.evidence("2"), SHIPPED.get(policy).metrics.directions
    )
    result = gate(gate_id, SHIPPED.get(policy), comparison=comparison)

    assert not result.holds
    assert len(result.reason) > 15
    assert "cannot be evaluated" not in result.reason


def test_the_regulated_policy_can_be_satisfied():
    """With two approvals, a signed image and an approved tag nothing is in the way."""
    candidate = samples.evidence("3", tags={"approval": "approved"})
    approvals = (approval(), approval("paul"))
    image = replace(samples.facts().image, signed=True, sbom=True)
    facts = samples.facts(
        comparison=compare(candidate, samples.evidence("2")), approvals=approvals, image=image
    )

    assert blocking(evaluate(SHIPPED.get("regulated"), facts)) == ()
    assert blocking(evaluate(SHIPPED.get("regulated"), replace(facts, approvals=approvals[:1]))) != ()
