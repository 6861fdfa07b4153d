"""Digests and signatures of images, from any registry that speaks the OCI distribution API."""

import re
from collections.abc import Mapping

import httpx

from bot.adapters.oci import image as images
from bot.adapters.oci.place import Place
from bot.adapters.oci.transport import Answer, Credentials, Transport
from bot.manifests.errors import BadReference
from bot.manifests.image_reference import DOCKER_HUB, check_digest, parse
from bot.ports import Attestations, Refused

INDEX_TYPE = "application/vnd.oci.image.index.v1+json"
# With Docker's types alone a registry answers 404 for an OCI image, and the other way round.
MANIFEST_TYPES = (
    f"{INDEX_TYPE}, application/vnd.oci.image.manifest.v1+json, "
    "application/vnd.docker.distribution.manifest.list.v2+json, "
    "application/vnd.docker.distribution.manifest.v2+json"
)
DOCKER_HUB_API = "registry-1.docker.io"
_LOOPBACK = re.compile(r"(?:localhost|127(?:\.\d{1,3}){3}|\[::1\])(?::\d+)?")
# What artifact types say about themselves; the suffixes are cosign's tags.
_SIGNATURES = ("cosign.artifact.sig", "sigstore.bundle", "notary", "signature", ".sig")
_ATTESTATIONS = ("in-toto", "attestation", "dsse", "provenance", ".att")
_SBOMS = ("spdx", "cyclonedx", "sbom", "syft")


class OciRegistry:
    """All registries, by the host that a reference names; implements `bot.ports.ImageRegistry`.

    `credentials` maps a host (`docker.io`, `ghcr.io`, `registry.example.com:5000`) to what it takes. Hosts in
    `plain_http`, and loopback, are spoken to without TLS. Safe to use from several threads.
    """

    def __init__(
        self,
        credentials: Mapping[str, Credentials] | None = None,
        *,
        plain_http: frozenset[str] = frozenset(),
        timeout: float = 10.0,
    ) -> None:
        self._client = httpx.Client(timeout=timeout, headers={"User-Agent": "slipway"})
        self._transport = Transport(self._client, credentials or {})
        self._plain_http = plain_http

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def digest(self, reference: str) -> str | None:
        """The digest of what a reference points to now (`latest` without a tag); None where it is absent.

        Raises Unavailable, Forbidden, and Refused for what is no reference or no sensible answer.
        """
        host, path, name = self._split(reference)
        return self._digest(host, path, name)

    def attested(self, reference: str) -> Attestations | None:
        """What is attached to the image, by the referrers API and by the tags that cosign writes; None where
        the image is absent. Whether a signature is *valid* is for the cluster's admission to say.

        Raises as `digest`.
        """
        host, path, name = self._split(reference)
        digest = self._digest(host, path, name)
        if digest is None:
            return None
        artifacts = (*self._referrers(host, path, digest), *self._tagged(host, path, digest))
        kinds = " ".join(artifacts).lower()
        return Attestations(
            digest=digest,
            signed=any(word in kinds for word in _SIGNATURES),
            attested=any(word in kinds for word in _ATTESTATIONS),
            sbom=any(word in kinds for word in _SBOMS),
            artifacts=artifacts,
        )

    def labels(self, reference: str) -> Mapping[str, str]:
        """The labels of an image, of its first platform where it has several; none of what is no image.

        Raises NotFound, and as `digest`.
        """
        host, path, name = self._split(reference)
        place = self.place(host, path)
        manifest, media_type = place.manifest(name, MANIFEST_TYPES)
        if media_type in images.INDEX_TYPES:
            first = images.entries(manifest)[:1]
            if not first:
                return {}
            manifest, media_type = place.manifest(first[0].digest, MANIFEST_TYPES)
        try:
            config = images.config_of(manifest, media_type)
        except Refused:
            return {}
        return images.labels(place.small(config))

    @staticmethod
    def _split(reference: str) -> tuple[str, str, str]:
        """(host, path, digest or tag)."""
        try:
            parsed = parse(reference)
        except BadReference as error:
            raise Refused("registry", error.message) from None
        return parsed.registry, parsed.path, parsed.digest or parsed.tag or "latest"

    def _digest(self, host: str, path: str, name: str) -> str | None:
        # Some registries tell the digest on GET only.
        for method in ("HEAD", "GET"):
            answer = self._request(method, host, path, f"manifests/{name}")
            if answer.status == httpx.codes.NOT_FOUND:
                return None
            if not answer.ok:
                raise Refused(host, f"the registry answered {answer.status} for {path}:{name}")
            if told := answer.headers.get("Docker-Content-Digest"):
                try:
                    return check_digest(told)
                except BadReference as error:
                    raise Refused(host, f"the registry's digest for {path}: {error.message}") from None
        raise Refused(host, f"the registry does not tell the digest of {path}:{name}")

    def _referrers(self, host: str, path: str, digest: str) -> tuple[str, ...]:
        answer = self._request("GET", host, path, f"referrers/{digest}")
        if not answer.ok:
            # Registries without the referrers API keep the same index under a tag.
            answer = self._request("GET", host, path, f"manifests/{digest.replace(':', '-')}")
        manifests = answer.json().get("manifests") if answer.ok else None
        entries = (
            [entry for entry in manifests if isinstance(entry, dict)] if isinstance(manifests, list) else []
        )
        types = (entry.get("artifactType") or entry.get("mediaType") for entry in entries)
        return tuple(told for told in types if isinstance(told, str))

    def _tagged(self, host: str, path: str, digest: str) -> tuple[str, ...]:
        tags = (digest.replace(":", "-") + suffix for suffix in (".sig", ".att", ".sbom"))
        return tuple(tag for tag in tags if self._digest(host, path, tag) is not None)

    def place(self, host: str, path: str) -> Place:
        """A repository, by the host and the path that a reference names."""
        api = DOCKER_HUB_API if host == DOCKER_HUB else host
        plain = host in self._plain_http or _LOOPBACK.fullmatch(host)
        return Place(self._transport, f"{'http' if plain else 'https'}://{api}", host, path)

    def _request(self, method: str, host: str, path: str, rest: str) -> Answer:
        accept = INDEX_TYPE if rest.startswith("referrers/") else MANIFEST_TYPES
        place = self.place(host, path)
        return place.request(method, rest, headers={"Accept": accept})
