"""`retrain:` of an environment: every mistake with its line."""

import pytest

from bot.domain.loading import load, load_partly

SLIPWAY = """\
version: 1
models:
  fraud:
    environments:
      production:
        targets: [{file: a.yaml, pointer: /uri}]
        retrain:
          signals:
            drift: {query: drift, above: 0.3, for: 6h}
          every: 7d
          event: slipway-retrain
"""


def test_what_is_left_out_has_a_sensible_value():
    """A week of peace for a new version."""
    retrain = load(SLIPWAY).models["fraud"].environments["production"].retrain

    assert retrain.after.days == 7
    assert retrain.signals["drift"].limit == "above 0.3 for 6h"


@pytest.mark.parametrize(
    ("right", "wrong", "line", "said"),
    [
        ("above: 0.3, ", "", 9, "give either `above` or `below`"),
        ("above: 0.3", "above: 0.3, below: 0.1", 9, "give either `above` or `below`"),
        ("for: 6h", "for: 6", 9, "a duration needs a unit"),
        ("          event: slipway-retrain\n", "", 7, "whom is asked is said by none"),
        ("event: slipway-retrain", "event: a\n          tag: b", 7, "said by `event` and `tag`"),
        ("every: 7d", "every: 5m", 10, ""),
        ("every: 7d", "evry: 7d", 10, "unknown key `evry`"),
    ],
)
def test_a_mistake_is_told_with_its_line(right, wrong, line, said):
    """One sentence each."""
    mistakes = load_partly(SLIPWAY.replace(right, wrong, 1)).mistakes

    assert [mistake.line for mistake in mistakes] in ([line], [line + 1])
    assert said in mistakes[0].message
