"""Pins in GitOps repositories: exact edits of any YAML file, text in and text out.

What others use:

    bump, find, bump_bytes, find_bytes          change or read a pin
    Target, Bump, BumpBytes, Pinned, Site, Change
    ImagePin, Pin, image_of, wants_digest, pin_of    from a model version to what is written
    weight_of, weight_place                     from a share of the traffic to what is written
    ImageReference, parse_reference             image references
    BumpError and its kinds                     refusals, each with a stable `code`
"""

from bot.manifests.bump import Bump, BumpBytes, Pinned, Site, Target, bump, bump_bytes, find, find_bytes
from bot.manifests.edits import Change
from bot.manifests.errors import (
    Ambiguous,
    BadReference,
    BumpError,
    NotFound,
    NotParsable,
    SharedAnchor,
    Stale,
    TooLarge,
    UnsupportedScalar,
    VerifyFailed,
)
from bot.manifests.image_reference import ImageReference
from bot.manifests.image_reference import parse as parse_reference
from bot.manifests.pin import ImagePin, Pin, image_of, pin_of, wants_digest, weight_of, weight_place

__all__ = [
    "Ambiguous",
    "BadReference",
    "Bump",
    "BumpBytes",
    "BumpError",
    "Change",
    "ImagePin",
    "ImageReference",
    "NotFound",
    "NotParsable",
    "Pin",
    "Pinned",
    "SharedAnchor",
    "Site",
    "Stale",
    "Target",
    "TooLarge",
    "UnsupportedScalar",
    "VerifyFailed",
    "bump",
    "bump_bytes",
    "find",
    "find_bytes",
    "image_of",
    "parse_reference",
    "pin_of",
    "wants_digest",
    "weight_of",
    "weight_place",
]
