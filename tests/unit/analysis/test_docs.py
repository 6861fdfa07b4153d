"""docs/canary.md: what people copy works, and every preset is told."""

import re
from pathlib import Path

from bot.domain.document import read
from bot.domain.slo import Preset, Slo
from bot.domain.validation import validate

TEXT = (Path(__file__).parents[3] / "docs" / "canary.md").read_text(encoding="utf-8")


def test_the_python_example_runs():
    """The entry point that others build on is as documented."""
    (example,) = re.findall(r"```python\n(.*?)```", TEXT, re.DOTALL)
    told: list[tuple] = []
    window = "Window(at=15.0 * k, candidate={'errors': Count(300, 1), 'latency': Count(300, 3)})"
    names = {"print": lambda *said: told.append(said)}
    exec(
        example.replace("in windows:", f"in [{window} for k in range(1, 300)]:"), names
    )  # the page's own text

    assert str(told[0][0]) == "passed"


def test_the_yaml_example_is_an_slo():
    """Every key of it is one."""
    (example,) = re.findall(r"```yaml\nslo:\n(.*?)```", TEXT, re.DOTALL)
    slo = validate(read(re.sub(r"(?m)^  ", "", example), "slipway.yaml"), Slo)

    assert slo.preset is Preset.FASTAPI
    assert set(slo.ratios) == {"abstained"}


def test_every_preset_has_its_row():
    """A preset without documentation fails the suite."""
    rows = set(re.findall(r"(?m)^\| `([a-z-]+)`", TEXT))

    assert {preset.value for preset in Preset} <= rows
