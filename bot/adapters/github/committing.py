"""One commit on one branch by REST, and what is there already."""

import base64
import hashlib
import time
from collections.abc import Mapping, Sequence
from typing import Any

from bot.adapters.github.errors import SYSTEM
from bot.adapters.github.place import Place
from bot.adapters.github.records import Json
from bot.domain.pull import Pull, PullState
from bot.ports import NotFound, Proposal, Refused, Unavailable

ORDINARY, SCRIPT = "100644", "100755"
FOLLOWS_WITHIN = 10.0
"""Seconds that GitHub may take to let a pull request follow its branch."""


def right_tip(place: Place, proposal: Proposal) -> str | None:
    """The branch's commit where it is the only one on the base and holds exactly the edits.

    Whoever pushed it: what says the same is the same.
    """
    try:
        seen = place.client.get_large(place.url("compare", f"{proposal.base_sha}...{proposal.branch}"))
    except NotFound:
        return None
    changed: Sequence[Json] = seen.get("files") or ()
    commits: Sequence[Json] = seen.get("commits") or ()
    there = [file for file in changed if file["status"] in ("added", "modified")]
    files = {file["filename"]: file.get("sha") for file in there}
    wanted = {path: _blob_sha(content) for path, content in proposal.edits.items()}
    right = (
        (len(commits), seen["behind_by"], len(changed)) == (1, 0, len(files))
        and files.items() <= wanted.items()
        and all(_unchanged(place, proposal, path) for path in wanted.keys() - files.keys())
    )
    return str(commits[0]["sha"]) if right else None


def _unchanged(place: Place, proposal: Proposal, path: str) -> bool:
    """Whether an edit says what the base already says, so that no commit can show it."""
    try:
        found = place.client.get(place.url("contents", path), ref=proposal.base_sha)
    except NotFound:
        return False
    return isinstance(found, dict) and found.get("sha") == _blob_sha(proposal.edits[path])


def _blob_sha(content: bytes) -> str:
    """The name that git gives this content."""
    header = f"blob {len(content)}\0".encode()
    return hashlib.sha1(header + content, usedforsecurity=False).hexdigest()


def make_commit(place: Place, proposal: Proposal) -> str:
    parent = place.client.get(place.url("git", "commits", proposal.base_sha))
    modes = _modes(place, parent["tree"]["sha"], tuple(proposal.edits))
    tree = place.client.post(
        place.url("git", "trees"),
        {
            "base_tree": parent["tree"]["sha"],
            "tree": [
                _entry(place, path, content, modes.get(path, ORDINARY))
                for path, content in proposal.edits.items()
            ],
        },
    )
    commit = place.client.post(
        place.url("git", "commits"),
        {"message": proposal.commit_message, "tree": tree["sha"], "parents": [proposal.base_sha]},
    )
    return str(commit["sha"])


def _modes(place: Place, tree: str, paths: Sequence[str]) -> dict[str, str]:
    """The modes of these files as they are: a script stays one. One request, unless the tree is huge."""
    url = place.url("git", "trees", tree)
    listed = place.client.get_large(url, recursive="1")
    if not listed.get("truncated"):
        return {each["path"]: each["mode"] for each in listed["tree"] if each["path"] in paths}
    entries = {each["path"]: each for each in place.client.get_large(url)["tree"]}
    found: dict[str, str] = {}
    for name in dict.fromkeys(path.split("/")[0] for path in paths):
        entry = entries.get(name, {})
        inside_it = [path.removeprefix(f"{name}/") for path in paths if path.startswith(f"{name}/")]
        if entry.get("type") == "tree":
            deeper = _modes(place, entry["sha"], inside_it)
            found |= {f"{name}/{path}": mode for path, mode in deeper.items()}
        elif entry:
            found[name] = entry["mode"]
    return found


def _entry(place: Place, path: str, content: bytes, mode: str) -> Mapping[str, Any]:
    """A file of the tree: text goes along, anything else needs a request of its own."""
    entry = {"path": path, "mode": SCRIPT if mode == SCRIPT else ORDINARY, "type": "blob"}
    try:
        return entry | {"content": content.decode()}
    except UnicodeDecodeError:
        encoded = {"content": base64.b64encode(content).decode(), "encoding": "base64"}
        return entry | {"sha": place.client.post(place.url("git", "blobs"), encoded)["sha"]}


def point(place: Place, proposal: Proposal, commit: str) -> str:
    """Let the branch point to the commit, or to one that says the same and is there; returns which."""
    try:
        place.client.post(place.url("git", "refs"), {"ref": f"refs/heads/{proposal.branch}", "sha": commit})
    except Refused:
        if tip := right_tip(place, proposal):
            return tip
        move = {"sha": commit, "force": True}
        place.client.patch(place.url("git", "refs", "heads", proposal.branch), move)
    _expect_tip(place, proposal.branch, commit)
    return commit


def await_tip(place: Place, pull: Pull) -> None:
    """Raises Unavailable while a pull request does not show the commit that was just put on its branch."""
    key = ("tip", place.repository, pull.branch)
    wanted = place.written.get(key)
    if wanted is None:
        return
    tip, until = wanted
    if pull.state is PullState.OPEN and pull.head_sha != tip and time.monotonic() < until:
        raise Unavailable(SYSTEM, f"#{pull.number} does not show its new commit yet", retry_after=1)
    place.written.forget(key)


def _expect_tip(place: Place, branch: str, tip: str) -> None:
    place.written.keep(("tip", place.repository, branch), (tip, time.monotonic() + FOLLOWS_WITHIN))
