"""Comparing signatures and secrets so that the time it takes tells nothing."""

import hashlib
import hmac
from collections.abc import Mapping, Sequence

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


def verify_bearer(headers: Mapping[str, str], secrets: Sequence[str]) -> None:
    """Accept `Authorization: Bearer <secret>`, of senders that do not sign. Names of headers in lower case.

    Digests are compared, so that not even a secret's length shows. Raises BadSignature.
    """
    scheme, _, given = headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer":
        raise BadSignature("the delivery carries no bearer secret")
    expected = [hashlib.sha256(secret.encode()).digest() for secret in secrets if secret]
    verify(hashlib.sha256(given.strip().encode("utf-8", "replace")).digest(), expected)


def content_id(body: bytes) -> str:
    """An id for a delivery that has none."""
    return hashlib.sha256(body).hexdigest()
