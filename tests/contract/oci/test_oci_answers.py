"""The OCI adapter against what known registries answer, played by respx: nothing leaves the machine."""

import base64

import httpx
import pytest
import respx
from pydantic import SecretStr

from bot.adapters.oci import Credentials, OciRegistry
from bot.ports import Forbidden, Refused, Unavailable

DIGEST = "sha256:" + "ab" * 32
FOUND = httpx.Response(200, headers={"Docker-Content-Digest": DIGEST})


@pytest.fixture
def registry():
    """An adapter with credentials for three hosts."""
    known = {
        "docker.io": Credentials("hub-user", SecretStr("hub-secret")),
        "ghcr.io": Credentials("user", SecretStr("github-token")),
        "1.dkr.ecr.eu-west-1.amazonaws.com": Credentials("AWS", SecretStr("ecr-token")),
    }
    adapter = OciRegistry(known)
    yield adapter
    adapter.close()


def basic(user, password):
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()


def bearer(token, realm, service):
    """A route's answers: a challenge without the token, the digest with it."""

    def answer(request):
        if request.headers.get("Authorization") == f"Bearer {token}":
            return FOUND
        return httpx.Response(
            401, headers={"WWW-Authenticate": f'Bearer realm="{realm}",service="{service}"'}
        )

    return answer


@respx.mock
def test_docker_hub_is_asked_at_its_api(registry):
    """A name without registry is asked at Docker Hub's API, its credentials go to Docker Hub's token service."""
    respx.head("https://registry-1.docker.io/v2/library/redis/manifests/7").mock(
        side_effect=bearer("t1", "https://auth.docker.io/token", "registry.docker.io")
    )
    token = respx.get(
        "https://auth.docker.io/token",
        params={"service": "registry.docker.io", "scope": "repository:library/redis:pull"},
    ).respond(json={"token": "t1", "expires_in": 300})

    assert registry.digest("redis:7") == DIGEST
    assert token.calls.last.request.headers["Authorization"] == basic("hub-user", "hub-secret")


@respx.mock
def test_a_host_without_credentials_gets_an_anonymous_token(registry):
    """Public images need no credentials, and no other host's are sent."""
    respx.head("https://quay.io/v2/a/b/manifests/v1").mock(
        side_effect=bearer("t2", "https://quay.io/v2/auth", "quay.io")
    )
    token = respx.get("https://quay.io/v2/auth").respond(json={"access_token": "t2"})

    assert registry.digest("quay.io/a/b:v1") == DIGEST
    assert "Authorization" not in token.calls.last.request.headers


@respx.mock
def test_ecr_takes_basic(registry):
    """ECR's challenge is Basic, answered with `AWS` and the token of its own command line."""
    host = "1.dkr.ecr.eu-west-1.amazonaws.com"
    route = respx.head(f"https://{host}/v2/ml/fraud/manifests/v1")
    route.side_effect = [httpx.Response(401, headers={"WWW-Authenticate": 'Basic realm="https://x/"'}), FOUND]

    assert registry.digest(f"{host}/ml/fraud:v1") == DIGEST
    assert route.calls.last.request.headers["Authorization"] == basic("AWS", "ecr-token")


@respx.mock
def test_credentials_never_go_to_a_plain_realm(registry):
    """A registry over HTTPS that names a plain token service gets nothing and is told apart."""
    respx.head("https://ghcr.io/v2/a/b/manifests/v1").mock(
        side_effect=bearer("t3", "http://ghcr.io/token", "ghcr.io")
    )
    with pytest.raises(Forbidden, match="neither HTTPS"):
        registry.digest("ghcr.io/a/b:v1")

    assert [call.request.url.scheme for call in respx.calls] == ["https"]


@respx.mock
def test_a_redirect_is_followed_without_credentials(registry):
    """A redirected request carries no Authorization, and never leaves HTTPS."""
    first = respx.head("https://ghcr.io/v2/a/b/manifests/v1")
    first.side_effect = [
        httpx.Response(401, headers={"WWW-Authenticate": "Basic realm=x"}),
        httpx.Response(307, headers={"Location": "https://elsewhere.example/m"}),
    ]
    second = respx.head("https://elsewhere.example/m").mock(return_value=FOUND)

    assert registry.digest("ghcr.io/a/b:v1") == DIGEST
    assert "Authorization" in first.calls.last.request.headers
    assert "Authorization" not in second.calls.last.request.headers

    first.side_effect = [httpx.Response(307, headers={"Location": "http://elsewhere.example/m"})]
    with pytest.raises(Refused, match="not HTTPS"):
        registry.digest("ghcr.io/a/b:v1")


@respx.mock
def test_told_to_wait_is_unavailable(registry):
    """429 and 5xx mean "later", with the seconds that the registry told."""
    route = respx.head("https://ghcr.io/v2/a/b/manifests/v1")
    route.respond(429, headers={"Retry-After": "17"})
    with pytest.raises(Unavailable) as caught:
        registry.digest("ghcr.io/a/b:v1")

    assert caught.value.retry_after == 17
    route.respond(503, headers={"Retry-After": "Wed, 21 Oct 2026 07:28:00 GMT"})
    with pytest.raises(Unavailable) as caught:
        registry.digest("ghcr.io/a/b:v1")

    assert caught.value.retry_after is None


@respx.mock
def test_a_digest_only_on_get_is_found(registry):
    """Registries that leave the digest out of HEAD are asked by GET."""
    respx.head("https://ghcr.io/v2/a/b/manifests/v1").respond(200)
    respx.get("https://ghcr.io/v2/a/b/manifests/v1").mock(return_value=FOUND)

    assert registry.digest("ghcr.io/a/b:v1") == DIGEST


@respx.mock
@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (httpx.Response(200), "does not tell the digest"),
        (httpx.Response(200, headers={"Docker-Content-Digest": "sha256:1\r\nx"}), "is not a digest"),
        (httpx.Response(418), "answered 418"),
        (httpx.Response(200, content=b"x" * 4_100_000), "over 4000000 bytes"),
    ],
)
def test_senseless_answers_are_refused(registry, answer, words):
    """An answer that no registry gives is refused with what was odd about it."""
    respx.route(host="ghcr.io").mock(return_value=answer)
    with pytest.raises(Refused, match=words):
        registry.digest("ghcr.io/a/b:v1")


@respx.mock
@pytest.mark.parametrize("told", [{}, {"token": 5}, {"token": "a\nb"}, [], None])
def test_a_token_service_without_token_is_refused(registry, told):
    """What is no token never becomes a header."""
    respx.head("https://ghcr.io/v2/a/b/manifests/v1").mock(
        side_effect=bearer("t", "https://ghcr.io/token", "ghcr.io")
    )
    respx.get("https://ghcr.io/token").respond(json=told)
    with pytest.raises(Refused, match="holds no token"):
        registry.digest("ghcr.io/a/b:v1")


def test_secrets_are_not_printed():
    """Credentials never show their password."""
    assert "secret" not in repr(Credentials("user", SecretStr("secret")))
