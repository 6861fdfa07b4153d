"""The OCI adapter against a real docker-registry."""

import json

import httpx
import pytest
from pydantic import SecretStr

from bot.adapters.oci import Credentials, OciRegistry
from bot.adapters.oci.challenge import may_send_to, parse_challenge
from bot.ports import Forbidden, Refused, Unavailable

pytestmark = pytest.mark.real("docker-registry")


@pytest.fixture
def connect():
    """Make adapters, with these credentials for a host; all are closed after the test."""
    made = []

    def connect(registry=None, password=None, timeout=10):
        known = {}
        if registry is not None and registry.user is not None:
            known = {registry.host: Credentials(registry.user, SecretStr(password or registry.password))}
        made.append(OciRegistry(known, timeout=timeout))
        return made[-1]

    yield connect
    for adapter in made:
        adapter.close()


@pytest.mark.parametrize("kind", ["open_registry", "basic_registry", "token_registry"])
@pytest.mark.parametrize(
    "media_type",
    ["application/vnd.oci.image.manifest.v1+json", "application/vnd.docker.distribution.manifest.v2+json"],
)
def test_tells_the_digest_that_was_pushed(kind, media_type, request, connect):
    """The digest of a tag is the one the registry told when the tag was pushed, whatever it asks for."""
    registry = request.getfixturevalue(kind)
    pushed = registry.push("ml/fraud-detector", "v7", media_type=media_type)

    assert connect(registry).digest(f"{registry.host}/ml/fraud-detector:v7") == pushed


@pytest.mark.parametrize("kind", ["open_registry", "basic_registry", "token_registry"])
def test_an_absent_tag_is_none(kind, request, connect):
    """An image that was not pushed yet is None: the promotion waits for it."""
    registry = request.getfixturevalue(kind)
    registry.push("ml/fraud-detector", "v7")

    assert connect(registry).digest(f"{registry.host}/ml/fraud-detector:v8") is None
    assert connect(registry).digest(f"{registry.host}/ml/never-pushed:v1") is None
    assert connect(registry).attested(f"{registry.host}/ml/fraud-detector:v8") is None


@pytest.mark.parametrize("kind", ["basic_registry", "token_registry"])
@pytest.mark.parametrize("password", ["wrong", None])
def test_wrong_or_missing_credentials_are_forbidden(kind, password, request, connect):
    """Without the right password the answer names the registry whose credentials to look at."""
    registry = request.getfixturevalue(kind)
    asked = connect(registry, password) if password else connect()

    with pytest.raises(Forbidden, match=registry.host):
        asked.digest(f"{registry.host}/ml/fraud-detector:v7")


def test_a_token_is_asked_for_once(token_registry, connect):
    """One token serves all requests for a repository while it is valid, and is asked for pull only."""
    token_registry.push("ml/once", "v1")
    token_registry.tokens.asked.clear()
    asked = connect(token_registry)
    for _ in range(3):
        asked.digest(f"{token_registry.host}/ml/once:v1")

    assert [query["scope"] for query in token_registry.tokens.asked] == ["repository:ml/once:pull"]


def test_a_moved_tag_is_seen(open_registry, connect):
    """A tag that is pushed again tells its new digest; the old one is still there by digest."""
    old = open_registry.push("ml/moves", "v1", content=b"{}")
    new = open_registry.push("ml/moves", "v1", content=b'{"a": 1}')
    asked = connect(open_registry)

    assert old != new
    assert asked.digest(f"{open_registry.host}/ml/moves:v1") == new
    assert asked.digest(f"{open_registry.host}/ml/moves@{old}") == old


def test_tells_what_is_attached(open_registry, connect):
    """Signatures, attestations and SBOMs are seen by cosign's tags and by the index of referrers."""
    digest = open_registry.push("ml/signed", "v1")
    prefix = digest.replace(":", "-")
    open_registry.push("ml/signed", f"{prefix}.sig")
    entry = {
        "mediaType": "application/vnd.oci.image.manifest.v1+json",
        "digest": digest,
        "size": len(httpx.get(f"http://{open_registry.host}/v2/ml/signed/manifests/{digest}").content),
        "artifactType": "application/spdx+json",
    }
    index = {
        "schemaVersion": 2,
        "mediaType": "application/vnd.oci.image.index.v1+json",
        "manifests": [entry],
    }
    httpx.put(
        f"http://{open_registry.host}/v2/ml/signed/manifests/{prefix}",
        content=json.dumps(index).encode(),
        headers={"Content-Type": index["mediaType"]},
    ).raise_for_status()
    found = connect(open_registry).attested(f"{open_registry.host}/ml/signed:v1")

    assert found is not None
    assert (found.digest, found.signed, found.attested, found.sbom) == (digest, True, False, True)
    assert found.artifacts == ("application/spdx+json", f"{prefix}.sig")


def test_a_registry_that_is_away_is_unavailable(open_registry, connect):
    """Nobody answering is Unavailable (try later), never "absent"."""
    with pytest.raises(Unavailable):
        connect(timeout=1).digest("127.0.0.1:1/ml/fraud-detector:v7")


def test_no_reference_is_refused(connect):
    """Text that is no image reference never becomes a request."""
    with pytest.raises(Refused, match="not an image reference"):
        connect().digest("127.0.0.1:1/UPPER:v1")


@pytest.mark.parametrize(
    ("realm", "registry", "allowed"),
    [
        ("https://auth.docker.io/token", "https://registry-1.docker.io", True),
        ("https://ghcr.io/token", "https://ghcr.io", True),
        ("http://127.0.0.1:5001/token", "http://127.0.0.1:5000", True),
        ("http://evil.example.com/token", "https://registry.example.com", False),
        ("http://registry.example.com/token", "https://registry.example.com", False),
        ("http://evil.example.com/token", "http://registry.example.com", False),
        ("https://user@evil.example.com/token", "https://registry.example.com", False),
        ("ftp://registry.example.com/token", "http://registry.example.com", False),
        ("/token", "https://registry.example.com", False),
    ],
)
def test_credentials_go_nowhere_careless(realm, registry, allowed):
    """A token service gets credentials only over HTTPS, or on the plain registry's own host."""
    assert may_send_to(realm, registry) is allowed


def test_reads_a_challenge():
    """Quoted and bare parameters of a challenge are read alike."""
    found = parse_challenge('Bearer realm="https://a.example/t",service=x, scope="repository:a/b:pull,push"')

    assert found.scheme == "bearer"
    assert found.parameters == {
        "realm": "https://a.example/t",
        "service": "x",
        "scope": "repository:a/b:pull,push",
    }
