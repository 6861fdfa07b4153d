"""Both evaluators give the same answers; the limited one also ends what goes too far."""

import os
import signal
import threading

import pytest

from bot.adapters.cel import LimitedEvaluator
from bot.domain import expression
from bot.domain.facts import for_expressions
from bot.domain.gates import evaluate
from bot.domain.policies import resolve
from bot.domain.policy import Policy
from tests.fakes import samples

FACTS = for_expressions(samples.facts(), Policy())
LARGE = {"candidate": {"flavors": [str(n) for n in range(500)], "description": "a" * 4_000_000}}
SLOW = f"candidate.flavors.all(x, size({'+'.join(['candidate.flavors'] * 40)}) > 0)"
HUNGRY = "size(candidate.flavors.map(x, candidate.description + candidate.description)) > 0"


@pytest.fixture(scope="module")
def limited():
    with LimitedEvaluator() as evaluator:
        yield evaluator


@pytest.fixture(params=["here", "limited"])
def evaluator(request):
    return expression.evaluate if request.param == "here" else request.getfixturevalue("limited")


@pytest.mark.parametrize(
    ("text", "holds", "error"),
    [
        ("candidate.metrics.auc > 0.9", True, None),
        ("candidate.metrics.auc > 0.99", False, None),
        ("candidate.metrics.f1 > 0.9", None, "the candidate has no metric `f1`"),
        ("1 +", None, "it does not compile"),
        ("candidate.age > duration('24h') && now > candidate.created", True, None),
        ("baseline == null", False, None),
        ("candidate.version", None, "it answers with str"),
    ],
)
def test_answers_are_the_same_in_both(evaluator, text, holds, error):
    """Dates, lengths of time, null and errors cross the border of the process unharmed."""
    (answer,) = evaluator([text], FACTS)

    assert answer.holds is holds
    assert (error is None) is (answer.error is None)
    assert (error or "") in (answer.error or "")


def test_answers_come_in_the_order_of_the_expressions(evaluator):
    """One answer for each, none for none."""
    assert [answer.holds for answer in evaluator(["true", "false", "true"], FACTS)] == [True, False, True]
    assert list(evaluator([], FACTS)) == []


@pytest.mark.parametrize(
    ("text", "said"), [(SLOW, "longer than 50 ms"), (HUNGRY, "more than 32 MB")], ids=["slow", "hungry"]
)
def test_an_expression_that_goes_too_far_is_stopped_and_the_others_are_answered(limited, text, said):
    """The kernel ends the child; the expressions after it are asked again of a new one."""
    before, stopped, after = limited(["true", text, "false"], LARGE)

    assert (before.holds, after.holds) == (True, False)
    assert stopped.holds is None
    assert said in stopped.error


def test_a_child_that_is_gone_is_replaced(limited):
    """Whoever kills it, the next question is answered."""
    limited(["true"], FACTS)
    os.kill(limited._child._process.pid, signal.SIGKILL)
    answers = [limited(["true"], FACTS)[0] for _ in range(2)]

    assert answers[-1].holds is True


def test_threads_take_turns(limited):
    """Each thread gets its own answers."""
    wrong = []

    def ask(number: int) -> None:
        for _ in range(20):
            (answer,) = limited([f"environment.name == 'e{number}'"], {"environment": {"name": f"e{number}"}})
            if answer.holds is not True:
                wrong.append(answer)

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert wrong == []


def test_closing_ends_the_child():
    """No process is left behind."""
    evaluator = LimitedEvaluator()
    evaluator(["true"], FACTS)
    process = evaluator._child._process
    evaluator.close()

    assert process.poll() is not None


def test_gates_are_the_same_with_the_limited_evaluator(limited):
    """All shipped policies, both ways."""
    policies = resolve({}, samples.shipped_policies())
    for name in policies.names:
        policy = policies.get(name)

        assert evaluate(policy, samples.facts(), limited) == evaluate(policy, samples.facts())
