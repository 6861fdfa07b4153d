"""A real registry for tests: open, with passwords, and with a token service of our own."""

import base64
import ctypes
import ctypes.util
import datetime as dt
import hashlib
import json
import secrets
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import httpx
import jwt
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import NameOID

MANIFEST = "application/vnd.oci.image.manifest.v1+json"


@dataclass
class Registry:
    """A running registry; `push` writes a small image and tells its digest."""

    host: str
    user: str | None = None
    password: str | None = None
    tokens: "TokenService | None" = None

    def headers(self, repository: str) -> dict[str, str]:
        if self.tokens is not None:
            return {"Authorization": f"Bearer {self.tokens.issue(repository, ['pull', 'push'])}"}
        if self.user is not None:
            pair = base64.b64encode(f"{self.user}:{self.password}".encode()).decode()
            return {"Authorization": f"Basic {pair}"}
        return {}

    def push(self, repository: str, tag: str, *, content: bytes = b"{}", media_type: str = MANIFEST) -> str:
        headers = self.headers(repository)
        with httpx.Client(base_url=f"http://{self.host}", headers=headers, timeout=10) as client:
            blob = f"sha256:{hashlib.sha256(content).hexdigest()}"
            started = client.post(f"/v2/{repository}/blobs/uploads/")
            started.raise_for_status()
            upload = httpx.URL(started.headers["Location"]).copy_merge_params({"digest": blob})
            client.put(upload, content=content).raise_for_status()
            descriptor = {"digest": blob, "size": len(content)}
            manifest = {
                "schemaVersion": 2,
                "mediaType": media_type,
                "config": {"mediaType": "application/vnd.oci.image.config.v1+json", **descriptor},
                "layers": [{"mediaType": "application/vnd.oci.image.layer.v1.tar", **descriptor}],
            }
            put = client.put(
                f"/v2/{repository}/manifests/{tag}",
                content=json.dumps(manifest).encode(),
                headers={"Content-Type": media_type},
            )
            put.raise_for_status()
            return put.headers["Docker-Content-Digest"]


@dataclass
class TokenService:
    """Signs tokens for whoever gives the right password, and remembers who asked for what."""

    user: str = "puller"
    password: str = field(default_factory=lambda: secrets.token_urlsafe(12))
    service: str = "test-registry"
    issuer: str = "test-issuer"
    asked: list[dict[str, str]] = field(default_factory=list)
    url: str = ""
    rights: frozenset[str] = frozenset({"pull", "push"})

    def __post_init__(self) -> None:
        self.key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "test token service")])
        now = dt.datetime.now(dt.UTC)
        self.certificate = (
            x509.CertificateBuilder()
            .subject_name(name)
            .issuer_name(name)
            .public_key(self.key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - dt.timedelta(hours=1))
            .not_valid_after(now + dt.timedelta(days=1))
            .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
            .sign(self.key, hashes.SHA256())
        )

    def issue(self, repository: str, actions: list[str]) -> str:
        return self.grant([(repository, actions)])

    def grant(self, granted: list[tuple[str, list[str]]]) -> str:
        now = int(time.time())
        der = self.certificate.public_bytes(serialization.Encoding.DER)
        claims = {
            "iss": self.issuer,
            "sub": self.user,
            "aud": self.service,
            "iat": now - 10,
            "nbf": now - 10,
            "exp": now + 300,
            "jti": secrets.token_hex(8),
            "access": [
                {"type": "repository", "name": repository, "actions": actions}
                for repository, actions in granted
            ],
        }
        return jwt.encode(
            claims, self.key, algorithm="RS256", headers={"x5c": [base64.b64encode(der).decode()]}
        )

    def answer(self, path: str, authorization: str | None) -> tuple[int, dict[str, object]]:
        asked = parse_qs(urlsplit(path).query)
        query = {key: values[0] for key, values in asked.items()}
        self.asked.append(query | {"authorization": authorization or ""})
        right = "Basic " + base64.b64encode(f"{self.user}:{self.password}".encode()).decode()
        if authorization != right:
            return 401, {}
        scopes = [scope.split(":") for scope in asked["scope"]]
        granted = [
            (repository, sorted(self.rights & set(actions.split(",")))) for _, repository, actions in scopes
        ]
        return 200, {"token": self.grant(granted), "expires_in": 300}


@pytest.fixture(scope="module")
def token_service() -> Iterator[TokenService]:
    """The token service, listening on loopback."""
    service = TokenService()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            status, told = service.answer(self.path, self.headers.get("Authorization"))
            body = json.dumps(told).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *arguments: object) -> None:  # noqa: A002 - the base class's name
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        service.url = f"http://127.0.0.1:{server.server_address[1]}/token"
        yield service
        server.shutdown()
        thread.join()


@pytest.fixture(scope="module")
def open_registry(start_registry: Callable[[str], str]) -> Registry:
    """A registry that asks for nothing."""
    return Registry(start_registry(""))


@pytest.fixture(scope="module")
def basic_registry(
    start_registry: Callable[[str], str], tmp_path_factory: pytest.TempPathFactory
) -> Registry:
    """A registry that asks for a user name and a password."""
    password = secrets.token_urlsafe(12)
    passwords = tmp_path_factory.mktemp("passwords") / "htpasswd"
    passwords.write_text(f"puller:{bcrypt(password)}\n")
    host = start_registry(f"auth: {{htpasswd: {{realm: test, path: {passwords}}}}}\n")
    return Registry(host, "puller", password)


@pytest.fixture(scope="module")
def token_registry(
    start_registry: Callable[[str], str],
    token_service: TokenService,
    tmp_path_factory: pytest.TempPathFactory,
) -> Registry:
    """A registry that sends its callers to the token service."""
    bundle: Path = tmp_path_factory.mktemp("certificates") / "root.pem"
    bundle.write_bytes(token_service.certificate.public_bytes(serialization.Encoding.PEM))
    host = start_registry(
        f"auth: {{token: {{realm: '{token_service.url}', service: {token_service.service}, "
        f"issuer: {token_service.issuer}, rootcertbundle: {bundle}}}}}\n"
    )
    return Registry(host, token_service.user, token_service.password, token_service)


def bcrypt(password: str) -> str:
    """The password's bcrypt hash, by the C library's own crypt: docker-registry takes no other kind."""
    library = ctypes.util.find_library("crypt")
    if library is None:
        pytest.skip("no libcrypt to make a bcrypt hash with")
    crypt = ctypes.CDLL(library).crypt
    crypt.restype = ctypes.c_char_p
    salt = "".join(secrets.choice("abcdefghijklmnopqrstuvwxyz0123456789") for _ in range(21))
    hashed = crypt(password.encode(), f"$2b$05${salt}u".encode())
    if hashed is None or not hashed.startswith(b"$2b$"):
        pytest.skip("this libcrypt knows no bcrypt")
    return hashed.decode()
