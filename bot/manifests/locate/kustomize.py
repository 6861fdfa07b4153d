"""Entries of `images:` in a kustomization."""

from bot.domain.target import KustomizeImage
from bot.manifests.documents import Documents
from bot.manifests.errors import NotFound
from bot.manifests.forms import Keys, Parts
from bot.manifests.locate.found import Found, one
from bot.manifests.lookup import root

KUSTOMIZE = Keys(name="newName", tag="newTag", digest="digest")


def image(documents: Documents, selector: KustomizeImage) -> Found:
    """The entry whose `name` is literally the selector's, as kustomize compares them."""
    entries = []
    for document in documents.items:
        images = root(document).child("images")
        entries += list(images.items()) if images is not None else []
    if not entries:
        raise NotFound("the kustomization has no `images:`; add an entry with this name there")
    there = ", ".join(entry.text("name") or "one without a name" for entry in entries[:10])
    entry = one(
        [entry for entry in entries if entry.text("name") == selector.image],
        f"the name {selector.image}",
        f"no entry of `images:` is named {selector.image} (names are compared literally); there are {there}",
        "leave only one",
    )
    return Found(
        Parts(documents, entry, KUSTOMIZE, otherwise=selector.image, emptied=False, insert=selector.insert)
    )
