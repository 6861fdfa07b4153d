"""`slipway replay` for a person: the table, the heading, and one sentence where there is nothing to replay."""

from dataclasses import replace

import pytest
from typer.testing import CliRunner

from bot.cli import app
from bot.cli.replay import heading, told
from bot.domain.verdict import Outcome
from tests.fakes import samples


def test_the_table_shows_each_slo_beside_what_fails_it():
    """Numbers stand right, and the last evidence stands beside its limit."""
    assert list(told(samples.verdict().slos)) == [
        "  SLO      objective          requests  bad  share  evidence  fails at",
        "  errors   99% without error     1,210  150  12.4%  1.18e+06     2,000  failed",
        "  latency  95% under 500 ms      1,210   21  1.74%       0.2     2,000  passed",
    ]


def test_what_only_warns_and_what_has_no_data_say_so():
    """A gauge has no share and no limit of evidence."""
    errors, latency = samples.verdict().slos
    shown = replace(
        latency, slo="drift", decides=False, ratio=None, evidence=(), threshold=0.0, total=9, bad=0
    )
    missing = replace(errors, outcome=Outcome.NO_DATA, ratio=None, evidence=(), total=0, bad=0)

    assert [line.split()[-1] for line in told([shown, missing])] == ["at", "shown", "no_data"]
    assert "-" in list(told([shown]))[1]


def test_without_a_verdict_there_is_no_table():
    """Nothing is shown where nothing was computed."""
    assert list(told(())) == []


def test_the_heading_says_which_promotion_it_is():
    """Nobody remembers an id."""
    promotion = samples.promotion()

    assert heading(promotion, None, None) == "fraud-detector version 3 in production, not judged yet."
    assert heading(promotion, 10, samples.verdict()) == (
        "fraud-detector version 3 in production with 10% of the traffic, judged 2026-11-18 09:34 UTC after "
        "4 minutes."
    )


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (["--database", "nonsense"], "--database is no address like postgresql://user@host/name"),
        (["--database", "postgresql://x@127.0.0.1:9/x"], "the database does not answer: "),
        (["--data-dir", "absent"], "there is no database in "),
    ],
)
def test_a_database_that_is_not_there_is_one_sentence(options, sentence, tmp_path, monkeypatch):
    """And none is made for the question."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("SLIPWAY_DATABASE_URL", raising=False)
    result = CliRunner().invoke(app, ["replay", "p1", *options])

    assert result.exit_code == 2
    assert result.output.startswith(sentence)
    assert result.output.count("\n") == 1
    assert list(tmp_path.iterdir()) == []
