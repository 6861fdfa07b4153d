"""Whatever the registry recorded, gates answer with a sentence and messages stay within their limits."""

from hypothesis import given, settings
from hypothesis import strategies as st

from bot.domain.comparison import compare
from bot.domain.evidence import Column, Dataset, Metric, Signature
from bot.domain.gates import evaluate
from bot.domain.policies import resolve
from bot.messages import bump, layout, status
from tests.fakes import samples

SHIPPED = resolve({}, samples.shipped_policies())
WORDS = st.text(max_size=30)
NAMES = st.one_of(st.sampled_from(["auc", "loss", "f1", "rows", "a.b", "x y", "'"]), WORDS)
MAPPINGS = st.dictionaries(NAMES, WORDS, max_size=4)
COLUMNS = st.lists(
    st.builds(Column, NAMES, st.sampled_from(["double", "long", "integer", "x"]), st.booleans()), max_size=4
)
EVIDENCE = st.builds(
    samples.evidence,
    st.just("3"),
    metrics=st.lists(
        st.builds(Metric, NAMES, st.floats(), st.none() | WORDS, st.none() | st.sampled_from(["a", "b"])),
        max_size=6,
    ).map(tuple),
    parameters=MAPPINGS,
    tags=MAPPINGS,
    description=st.text(max_size=200),
    signature=st.none() | st.builds(Signature, COLUMNS.map(tuple), COLUMNS.map(tuple)),
    datasets=st.lists(st.builds(Dataset, NAMES, WORDS), max_size=3).map(tuple),
    git_commit=st.none() | WORDS,
    git_repository=st.none() | WORDS,
    licence=st.none() | WORDS,
    created_at=st.none() | st.just(samples.NOW),
    size_bytes=st.none() | st.integers(min_value=0),
    flavors=st.lists(WORDS, max_size=3).map(tuple),
    unreadable=st.lists(WORDS, max_size=2).map(tuple),
)


@given(EVIDENCE, st.none() | EVIDENCE, st.sampled_from(SHIPPED.names))
@settings(max_examples=150, deadline=None)
def test_gates_always_answer_and_messages_always_fit(candidate, baseline, name):
    """Always: every gate has a sentence, nothing raises, and every message can be sent."""
    comparison = compare(candidate, baseline)
    gates = evaluate(SHIPPED.get(name), samples.facts(comparison=comparison))
    promotion = samples.promotion(baseline="2" if baseline else None)

    assert all(gate.reason for gate in gates)
    assert all("cannot be evaluated" not in gate.reason for gate in gates)
    for body in (bump.body(promotion, comparison, gates), status.comment(promotion, gates=gates)):
        assert 0 < layout.size(body) <= layout.LARGEST


@given(EVIDENCE, EVIDENCE)
@settings(max_examples=150, deadline=None)
def test_nothing_is_worse_than_itself(one, other):
    """Always: a version compared with itself is the same, and of two only one can be better in a metric."""
    assert all(
        change.better is None for change in compare(one, one).metrics if change.same_dataset is not False
    )
    for change in compare(one, other).metrics:
        assert (change.worse_by is None) or change.worse_by >= 0
        assert not (change.better and change.worse_by)
