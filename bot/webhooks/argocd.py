"""Argo CD's notifications: a hint that an Application is worth a look.

The content is whatever the cluster's notification template says; only the Application's name is read:

    service.webhook.slipway: |
      url: https://slipway.example.com/webhooks/argocd
      headers: [{name: Authorization, value: "Bearer $slipway-secret"}]
    template.slipway: |
      webhook: {slipway: {method: POST, body: '{"application": "{{.app.metadata.name}}"}'}}
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from bot.webhooks import signing
from bot.webhooks.reading import json_object, lower_case


@dataclass(frozen=True, slots=True, kw_only=True)
class ApplicationChanged:
    """Argo CD noticed something about an Application; what it is, its API tells."""

    application: str


def parse(headers: Mapping[str, str], body: bytes, secrets: Sequence[str]) -> ApplicationChanged:
    """Check one delivery against any of the valid secrets and read it.

    It has no id and needs none: a hint may come twice. Raises BadSignature or BadRequest, and nothing else.
    """
    signing.verify_bearer(lower_case(headers), secrets)
    return ApplicationChanged(application=json_object(body).name("application"))
