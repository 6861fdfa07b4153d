"""Why a delivery is not taken.

    WebhookError        `status` is what the sender is answered
      BadSignature      401: nobody who knows the secret sent this, or it is too old
      BadRequest        400: signed, yet not what its sender documents

The sentences never quote the body, a signature or a secret: they end up in logs.
"""


class WebhookError(Exception):
    """A delivery that is answered with `status` and forgotten."""

    status = 400


class BadSignature(WebhookError):
    """The signature is missing, wrong or too old."""

    status = 401


class BadRequest(WebhookError):
    """The signature is right; the content is not what its sender documents."""
