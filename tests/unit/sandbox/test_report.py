"""The JSON report of a run."""

import json

from bot.sandbox.report import Report, Step

SEEN = Step("one", "expected", "observed", 1.5, ok=True)
MISSED = Step("two", "expected", "nothing of it", 30, ok=False)


def test_a_whole_story_is_ok(tmp_path):
    """Only a story that was played to its end with every step observed is ok."""
    assert Report(steps=[SEEN], ended=True).ok
    assert not Report(steps=[SEEN]).ok
    assert not Report(steps=[SEEN, MISSED], ended=True).ok
    assert not Report(steps=[SEEN], ended=True, error="stopped").ok


def test_the_file_holds_everything(tmp_path):
    """The file tells each step, the versions and the numbers."""
    file = tmp_path / "deep" / "report.json"
    report = Report(
        steps=[SEEN], versions={"mlflow": "3"}, numbers={"alias to pull request": 1.2}, ended=True
    )

    report.write(file)
    written = json.loads(file.read_text())

    assert written["ok"] is True
    assert written["steps"] == [
        {"name": "one", "expected": "expected", "observed": "observed", "seconds": 1.5, "ok": True}
    ]
    assert (written["versions"], written["numbers"]) == ({"mlflow": "3"}, {"alias to pull request": 1.2})
