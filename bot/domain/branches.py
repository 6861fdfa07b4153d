"""The names of Slipway's branches: the same for the same promotion, so that what is there is found again."""

import hashlib
import re

from bot.domain.policy import Policy
from bot.domain.promotion import Promotion

_OF_ONE = re.compile(r"slipway/[^/]*/([0-9a-f]{12})(?:-|$)")


def bump_branch(promotion: Promotion, policy: Policy) -> str:
    """One for each promotion; one for the place where newer candidates update the open pull request."""
    if promotion.branch is not None:
        return promotion.branch
    return place_branch(promotion) if policy.supersede == "update" else own_branch(promotion)


def own_branch(promotion: Promotion) -> str:
    """The branch of no other promotion."""
    return f"{_prefix(promotion)}/{promotion.id}"


def place_branch(promotion: Promotion) -> str:
    """The branch that promotions of one place share, one after the other."""
    place = f"{promotion.model}\0{promotion.environment}".encode()
    words = _words(f"{promotion.model}-{promotion.environment}")
    return f"slipway/{words}/{hashlib.sha256(place).hexdigest()[:12]}"


def step_branch(promotion: Promotion, weight: int) -> str:
    return f"{_prefix(promotion)}/{promotion.id}-{weight}-percent"


def revert_branch(promotion: Promotion) -> str:
    return f"{_prefix(promotion)}/{promotion.id}-revert"


def named_in(branch: str) -> str | None:
    """The id of the promotion whose own branch has such a name; None where the name is of another make."""
    found = _OF_ONE.match(branch)
    return found[1] if found else None


def _prefix(promotion: Promotion) -> str:
    return "slipway/" + _words(f"{promotion.model}-{promotion.candidate}-{promotion.environment}")


def _words(text: str) -> str:
    """For people who list branches; names in the registry may hold anything, branch names may not."""
    return re.sub(r"[^A-Za-z0-9]+", "-", text).strip("-")[:80].rstrip("-")
