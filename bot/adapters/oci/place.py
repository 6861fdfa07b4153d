"""One repository of a registry: its manifests, and its blobs coming and going."""

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO
from urllib.parse import urljoin, urlsplit

import httpx

from bot.adapters.oci.transport import Answer, Call, Transport, unexpected
from bot.ports import Forbidden, NotFound, Refused

_PIECE = 1 << 20

Sent = Callable[[int], object]
"""Told how many bytes more are on their way."""


@dataclass(frozen=True, slots=True)
class Blob:
    """A blob by its digest; `size` in bytes."""

    digest: str
    size: int

    @classmethod
    def of(cls, data: bytes) -> "Blob":
        return cls(f"sha256:{hashlib.sha256(data).hexdigest()}", len(data))


@dataclass(frozen=True, slots=True)
class Place:
    """`path` in the registry `host`, asked at `base`."""

    transport: Transport
    base: str
    host: str
    path: str

    def request(
        self,
        method: str,
        rest: str,
        *,
        headers: Mapping[str, str] | None = None,
        params: Mapping[str, str] | None = None,
        push: bool = False,
        content: Callable[[], Iterable[bytes]] | None = None,
        sink: Callable[[bytes], object] | None = None,
    ) -> Answer:
        """`/v2/{path}/{rest}`, with the right to pull, or to push too."""
        return self.transport.request(
            Call(
                method,
                self.base,
                self.host,
                f"{self.base}/v2/{self.path}/{rest}",
                self.scopes(push=push),
                headers or {},
                params or {},
                content,
                sink,
            )
        )

    # Reading.

    def manifest(self, name: str, accept: str) -> tuple[bytes, str]:
        """(bytes, media type) of a manifest by tag or digest. Raises NotFound.

        Bytes asked for by digest are what the digest says, or refused.
        """
        answer = self.request("GET", f"manifests/{name}", headers={"Accept": accept})
        if answer.status == httpx.codes.NOT_FOUND:
            raise NotFound(self.host, f"there is no image {self.path}:{name}")
        if not answer.ok:
            raise unexpected(self.host, f"{self.path}:{name}", answer)
        if name.startswith("sha256:"):
            self._same(name, hashlib.sha256(answer.body).hexdigest())
        told = str(answer.json().get("mediaType") or answer.headers.get("Content-Type", ""))
        return answer.body, told.partition(";")[0].strip()

    def small(self, digest: str) -> bytes:
        """A blob of a few megabytes at most, such as an image's configuration."""
        answer = self.request("GET", f"blobs/{digest}")
        if not answer.ok:
            raise unexpected(self.host, f"a part of {self.path}", answer)
        self._same(digest, hashlib.sha256(answer.body).hexdigest())
        return answer.body

    def fetch(self, blob: Blob, to: Path) -> None:
        """A blob into a file, never more bytes than it is said to have."""
        digest, left = hashlib.sha256(), blob.size
        with to.open("wb") as file:

            def take(chunk: bytes) -> None:
                nonlocal left
                left -= len(chunk)
                if left < 0:
                    raise Refused(self.host, f"a layer of {self.path} is larger than its manifest says")
                digest.update(chunk)
                file.write(chunk)

            answer = self.request("GET", f"blobs/{blob.digest}", sink=take)
        if not answer.ok:
            raise unexpected(self.host, f"a layer of {self.path}", answer)
        self._same(blob.digest, digest.hexdigest())

    # Writing.

    def has(self, digest: str) -> bool:
        """Whether the repository has this blob already."""
        return self.request("HEAD", f"blobs/{digest}", push=True).ok

    def mount(self, digest: str, source: "Place") -> bool:
        """Take a blob over from another repository of the same registry; False where it has to be sent."""
        if source.host != self.host:
            return False
        call = Call(
            "POST",
            self.base,
            self.host,
            f"{self.base}/v2/{self.path}/blobs/uploads/",
            (*self.scopes(push=True), *source.scopes(push=False)),
            params={"mount": digest, "from": source.path},
        )
        try:
            answer = self.transport.request(call)
        except Forbidden:
            # No right to the other repository; whether there is one to push shows when the blob is sent.
            return False
        if answer.status == httpx.codes.ACCEPTED:
            self._cancel(answer)
        return answer.status == httpx.codes.CREATED

    def send(self, file: Path, blob: Blob, sent: Sent | None = None) -> None:
        """Upload a file as a blob, in one piece, unless it is there."""
        if self.has(blob.digest):
            return

        def content() -> Iterator[bytes]:
            with file.open("rb") as opened:
                yield from _pieces(opened, sent)

        self._upload(blob, content)

    def send_small(self, data: bytes) -> Blob:
        """Upload bytes as a blob, unless it is there."""
        blob = Blob.of(data)
        if not self.has(blob.digest):
            self._upload(blob, lambda: (data,))
        return blob

    def put_manifest(self, name: str, data: bytes, media_type: str) -> str:
        """Write a manifest under a tag or its own digest; returns its digest."""
        digest = Blob.of(data).digest
        answer = self.request(
            "PUT",
            f"manifests/{name or digest}",
            headers={"Content-Type": media_type, "Content-Length": str(len(data))},
            push=True,
            content=lambda: (data,),
        )
        if not answer.ok:
            raise unexpected(self.host, f"writing {self.path}:{name or digest}", answer)
        return digest

    def _upload(self, blob: Blob, content: Callable[[], Iterable[bytes]]) -> None:
        begun = self.request("POST", "blobs/uploads/", headers={"Content-Length": "0"}, push=True)
        if begun.status != httpx.codes.ACCEPTED:
            raise unexpected(self.host, f"uploading to {self.path}", begun)
        url, scopes = self._location(begun)
        headers = {"Content-Type": "application/octet-stream", "Content-Length": str(blob.size)}
        # Where an address carries a query of its own, ours is added to it.
        address = str(httpx.URL(url).copy_merge_params({"digest": blob.digest}))
        call = Call("PUT", self.base, self.host, address, scopes, headers, content=content)
        answer = self.transport.request(call)
        if answer.status != httpx.codes.CREATED:
            raise unexpected(self.host, f"uploading to {self.path}", answer)

    def _cancel(self, answer: Answer) -> None:
        """Give back the upload that was opened where a blob could not be taken over."""
        url, scopes = self._location(answer)
        self.transport.request(Call("DELETE", self.base, self.host, url, scopes))

    def _location(self, answer: Answer) -> tuple[str, tuple[str, ...]]:
        """Where the registry wants an upload, and what of our rights may go there."""
        url = urljoin(f"{self.base}/v2/{self.path}/blobs/uploads/", answer.headers.get("Location", ""))
        asked, own = urlsplit(url), urlsplit(self.base)
        if asked.netloc == own.netloc:
            # Behind a proxy some registries name themselves without TLS.
            return asked._replace(scheme=own.scheme).geturl(), self.scopes(push=True)
        if asked.scheme != "https":
            raise Refused(
                self.host, "the registry wants uploads at a place that is not HTTPS; nothing was sent"
            )
        return url, ()

    def scopes(self, *, push: bool) -> tuple[str, ...]:
        """The rights that a token is asked for."""
        return (f"repository:{self.path}:{'pull,push' if push else 'pull'}",)

    def _same(self, wanted: str, found: str) -> None:
        if wanted != f"sha256:{found}":
            raise Refused(self.host, f"what the registry gave for {wanted} of {self.path} is something else")


def _pieces(file: BinaryIO, sent: Sent | None) -> Iterator[bytes]:
    while piece := file.read(_PIECE):
        if sent is not None:
            sent(len(piece))
        yield piece
