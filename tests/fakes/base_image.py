"""Tiny base images for tests, pushed by hand: one platform or several, of OCI's or Docker's media types."""

import gzip
import hashlib
import io
import json
import tarfile
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import httpx

OCI = (
    "application/vnd.oci.image.index.v1+json",
    "application/vnd.oci.image.manifest.v1+json",
    "application/vnd.oci.image.config.v1+json",
    "application/vnd.oci.image.layer.v1.tar+gzip",
)
DOCKER = (
    "application/vnd.docker.distribution.manifest.list.v2+json",
    "application/vnd.docker.distribution.manifest.v2+json",
    "application/vnd.docker.container.image.v1+json",
    "application/vnd.docker.image.rootfs.diff.tar.gzip",
)


@dataclass
class Pushing:
    """One repository of a registry, written to with plain requests."""

    client: httpx.Client
    repository: str

    def blob(self, data: bytes) -> dict[str, Any]:
        digest = f"sha256:{hashlib.sha256(data).hexdigest()}"
        begun = self.client.post(f"/v2/{self.repository}/blobs/uploads/")
        begun.raise_for_status()
        place = httpx.URL(begun.headers["Location"]).copy_merge_params({"digest": digest})
        self.client.put(place, content=data).raise_for_status()
        return {"digest": digest, "size": len(data)}

    def manifest(self, name: str | None, data: dict[str, Any]) -> dict[str, Any]:
        raw = json.dumps(data).encode()
        digest = f"sha256:{hashlib.sha256(raw).hexdigest()}"
        self.client.put(
            f"/v2/{self.repository}/manifests/{name or digest}",
            content=raw,
            headers={"Content-Type": data["mediaType"]},
        ).raise_for_status()
        return {"mediaType": data["mediaType"], "digest": digest, "size": len(raw)}

    def image(
        self, platform: str, types: Sequence[str], tag: str | None = None, size: int = 1000
    ) -> dict[str, Any]:
        """Push the image of one platform; returns its descriptor."""
        _, manifest, config, layer = types
        tar = _tar({"etc/platform": platform.encode() * (size // len(platform) + 1)})
        system, architecture, *variant = platform.split("/")
        told = {
            "os": system,
            "architecture": architecture,
            **({"variant": variant[0]} if variant else {}),
            "created": "2020-01-01T00:00:00Z",
            "config": {"Env": ["PATH=/usr/bin", "MODEL_VERSION=none"], "Labels": {"base": "yes"}},
            "rootfs": {"type": "layers", "diff_ids": [f"sha256:{hashlib.sha256(tar).hexdigest()}"]},
            "history": [{"created": "2020-01-01T00:00:00Z", "created_by": "test"}],
        }
        return self.manifest(
            tag,
            {
                "schemaVersion": 2,
                "mediaType": manifest,
                "config": {"mediaType": config, **self.blob(json.dumps(told).encode())},
                "layers": [{"mediaType": layer, **self.blob(gzip.compress(tar, mtime=0))}],
            },
        )

    def index(
        self, platforms: Sequence[str], types: Sequence[str], tag: str, *, attested: bool = False
    ) -> dict[str, Any]:
        """Push an image of several platforms, with attestations as Docker's builder leaves them."""
        entries = []
        for platform in platforms:
            system, architecture, *variant = platform.split("/")
            place = {
                "os": system,
                "architecture": architecture,
                **({"variant": variant[0]} if variant else {}),
            }
            entries.append({**self.image(platform, types), "platform": place})
        attestations = [
            {
                **self.image("unknown/unknown", types, size=10),
                "platform": {"os": "unknown", "architecture": "unknown"},
                "annotations": {
                    "vnd.docker.reference.type": "attestation-manifest",
                    "vnd.docker.reference.digest": entry["digest"],
                },
            }
            for entry in entries
            if attested
        ]
        told = {"schemaVersion": 2, "mediaType": types[0], "manifests": [*entries, *attestations]}
        return self.manifest(tag, told)


def _tar(files: dict[str, bytes]) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as tar:
        for name, data in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(data)
            tar.addfile(member, io.BytesIO(data))
    return out.getvalue()
