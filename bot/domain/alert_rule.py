"""Which alerts fail a canary: named by the policy, and about this promotion.

An alert is about a promotion unless one of its own labels `model`, `environment`, `namespace` or `version`
says otherwise. What a policy asks of a label takes the place of that, and the alert must carry the label.
"""

import re
from collections.abc import Mapping, Sequence

from pydantic import BaseModel, ConfigDict, Field

_ABOUT = ("model", "environment", "namespace", "version")
_PLACEHOLDER = re.compile(rf"\{{({'|'.join(_ABOUT)})\}}")


class AlertRule(BaseModel):
    """An alert by its name, with labels that it must carry."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = Field(min_length=1, description="The alert's name.", examples=["ModelErrorsHigh"])
    labels: Mapping[str, str] = Field(
        default={},
        description="Labels that it must carry; `{model}`, `{version}`, `{environment}` and `{namespace}` "
        "stand for the promotion's.",
        examples=[{"namespace": "ml-{environment}"}],
    )

    def concerns(self, labels: Mapping[str, str], names: Mapping[str, str]) -> bool:
        """Whether an alert with these labels is about the promotion that `names` are of."""
        own = {label: names[label] for label in _ABOUT if label in labels}
        asked = {label: _filled(value, names) for label, value in self.labels.items()}
        return all(labels.get(label) == value for label, value in {**own, **asked}.items())


def named(rules: Sequence[str | AlertRule], alert: str) -> tuple[AlertRule, ...]:
    """The rules for the alert of this name; a bare name asks for no labels."""
    whole = (AlertRule(name=rule) if isinstance(rule, str) else rule for rule in rules)
    return tuple(rule for rule in whole if rule.name == alert)


def _filled(template: str, names: Mapping[str, str]) -> str:
    return _PLACEHOLDER.sub(lambda found: names[found[1]], template)
