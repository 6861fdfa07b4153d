"""Which repositories may name which models: one registry serves several teams, and none reaches another's.

A rule maps a repository (`owner/name`, with `*` and `?`) to names of models and prompts (the same). Without
any rule every repository may name every model; with rules, what no rule allows is not there for it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase


@dataclass(frozen=True, slots=True)
class Scopes:
    """The rules of whoever runs Slipway; no repository can change them."""

    rules: Mapping[str, Sequence[str]] = field(default_factory=dict)

    def allow(self, repository: str, model: str) -> bool:
        """Whether this repository may promote this model; GitHub's names ignore upper and lower case."""
        if not self.rules:
            return True
        return any(
            fnmatchcase(repository.lower(), place.lower()) and any(fnmatchcase(model, name) for name in names)
            for place, names in self.rules.items()
        )


EVERYTHING = Scopes()
"""No rules."""
