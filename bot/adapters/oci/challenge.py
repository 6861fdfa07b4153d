"""What a registry asks for in `WWW-Authenticate`, and whether its answer may be given.

Rule for credentials: they are given to the registry they were configured for, over HTTPS, or over plain HTTP
where the registry itself was configured as plain. A token service (the realm of a Bearer challenge) gets
them only over HTTPS, or on the registry's own host; anywhere else is refused. Redirects are never
followed with credentials.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import urlsplit

_PARAMETER = re.compile(r'([A-Za-z_]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s,"]+))')


@dataclass(frozen=True, slots=True)
class Challenge:
    """One challenge: its scheme in lower case and its parameters."""

    scheme: str
    parameters: Mapping[str, str] = field(default_factory=dict)


def parse_challenge(header: str) -> Challenge:
    """Read a header with one challenge; of several, the first one."""
    scheme, _, rest = header.strip().partition(" ")
    parameters = {name.lower(): quoted or bare for name, quoted, bare in _PARAMETER.findall(rest)}
    return Challenge(scheme.lower(), parameters)


def may_send_to(realm: str, registry: str) -> bool:
    """Whether a token service at `realm` may be asked on behalf of the registry (both absolute URLs)."""
    asked, own = urlsplit(realm), urlsplit(registry)
    if asked.username is not None or asked.fragment or not asked.hostname:
        return False
    if asked.scheme == "https":
        return True
    return asked.scheme == "http" and own.scheme == "http" and asked.hostname == own.hostname
