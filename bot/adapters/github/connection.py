"""One thread's connection to GitHub's server. It follows the redirects that GitHub documents and no others.

A renamed or moved repository is answered with 301, 302 or 307: the same request belongs at the new address.
PyGithub would follow a 301 without its query and return the others as if they were answers. A redirect to
another server is never followed, since the token would go with it.
"""

from typing import Any
from urllib.parse import SplitResult, urljoin, urlsplit

from github.Requester import HTTPRequestsConnectionClass, HTTPSRequestsConnectionClass, RequestsResponse

MOST_REDIRECTS = 3
REDIRECTS = frozenset({301, 302, 307, 308})


class Connection:
    """What PyGithub's requester takes for a connection, around its own one."""

    def __init__(self, base_url: str, **options: Any) -> None:
        server = urlsplit(base_url)
        kind = HTTPSRequestsConnectionClass if server.scheme == "https" else HTTPRequestsConnectionClass
        self._base_url = base_url
        self._inner = kind(server.hostname or "", server.port, **options)

    def request(self, verb: str, url: str, body: Any, headers: dict[str, str], stream: bool = False) -> None:  # noqa: FBT001, FBT002  # PyGithub's call
        self._asked = (verb, url, body, headers, stream)

    def getresponse(self) -> RequestsResponse:
        verb, url, body, headers, stream = self._asked
        for _ in range(MOST_REDIRECTS + 1):
            self._inner.request(verb, url, body, headers, stream)
            answer = self._inner.getresponse()
            target = self._redirect(answer, url)
            if target is None:
                break
            url = target
        return answer

    def close(self) -> None:
        self._inner.close()

    def _redirect(self, answer: RequestsResponse, url: str) -> str | None:
        location = answer.headers.get("location") if answer.status in REDIRECTS else None
        if location is None:
            return None
        target = urlsplit(urljoin(urljoin(self._base_url, url), location))
        if _server(target) != _server(urlsplit(self._base_url)):
            return None
        return f"{target.path}?{target.query}" if target.query else target.path


def _server(address: SplitResult) -> tuple[str, str | None, int]:
    return address.scheme, address.hostname, address.port or (443 if address.scheme == "https" else 80)
