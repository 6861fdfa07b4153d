"""Comparing signatures so that the time it takes tells nothing."""

import hashlib
import hmac
from collections.abc import Sequence

from bot.webhooks.errors import BadSignature


def digests(secrets: Sequence[str], message: bytes) -> list[bytes]:
    """HMAC-SHA256 of a message under each secret; an empty secret would let anybody sign and is left out."""
    return [hmac.digest(secret.encode(), message, hashlib.sha256) for secret in secrets if secret]


def verify(given: bytes, expected: Sequence[bytes]) -> None:
    """Accept one of several right signatures, as while a secret is being rotated.

    Every one is compared, in constant time. Raises BadSignature.
    """
    if not any([hmac.compare_digest(given, digest) for digest in expected]):  # noqa: C419  # no early exit
        raise BadSignature("the signature is not made with a secret of ours")
