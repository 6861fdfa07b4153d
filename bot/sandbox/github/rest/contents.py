"""Files and folders."""

import base64
from typing import Any
from urllib.parse import quote

import pygit2

from bot.sandbox.github.actions import branches
from bot.sandbox.github.actions.committing import commit, tree_with
from bot.sandbox.github.errors import Problem, not_found
from bot.sandbox.github.git import valid_path
from bot.sandbox.github.render.commits import git_commit
from bot.sandbox.github.render.repositories import path_of
from bot.sandbox.github.rest.git_data import PersonForm, decode
from bot.sandbox.github.rest.repositories import REPO
from bot.sandbox.github.routing import Answer, Call, Form, route

CONTENTS = REPO + "/contents/{path:path}"
LARGEST_INLINE = 1_000_000
LARGEST = 100_000_000
LINK_MODE = 0o120000


@route("GET", REPO + "/contents", app="contents:read")
def get_root(call: Call) -> Answer:
    return _get(call, "")


@route("GET", CONTENTS, app="contents:read")
def get_contents(call: Call) -> Answer:
    return _get(call, call.params["path"].strip("/"))


def _get(call: Call, path: str) -> Answer:
    ref = call.query.get("ref") or call.repo.default_branch
    sha = call.git.resolve(ref)
    if sha is None:
        raise not_found(
            f"No commit found for the ref {ref}" if call.query.get("ref") else "This repository is empty."
        )
    if path and not valid_path(path):
        raise not_found()
    found = call.git.entry(sha, path)
    if found is None:
        raise not_found()
    if isinstance(found, pygit2.Tree):
        listed = [_entry(call, f"{path}/{item.name}".lstrip("/"), item, ref) for item in found]
        return Answer(200, listed)
    if isinstance(found, pygit2.Blob) and found.size > LARGEST:
        raise Problem(403, "This API returns blobs up to 100 MB in size.")
    return Answer(200, _file(call, path, found, ref))


def _entry(call: Call, path: str, item: pygit2.Object, ref: str) -> dict[str, Any]:
    folder, module = isinstance(item, pygit2.Tree), not isinstance(item, pygit2.Tree | pygit2.Blob)
    kind = "dir" if folder else "submodule" if module else "symlink" if item.filemode == LINK_MODE else "file"
    place = f"{quote(ref)}/{quote(path)}"
    url = call.world.api(f"{path_of(call.repo)}/contents/{quote(path)}?ref={quote(ref)}")
    sha = str(item.id)
    git_url = call.world.api(f"{path_of(call.repo)}/git/{'trees' if folder else 'blobs'}/{sha}")
    html = call.world.html(f"/{call.repo.full_name}/{'tree' if folder else 'blob'}/{place}")
    return {
        "name": path.rsplit("/", 1)[-1],
        "path": path,
        "sha": sha,
        "size": item.size if isinstance(item, pygit2.Blob) else 0,
        "url": url,
        "html_url": html,
        "git_url": git_url,
        "download_url": None if folder or module else call.world.html(f"/{call.repo.full_name}/raw/{place}"),
        "type": kind,
        "_links": {"self": url, "git": git_url, "html": html},
    }


def _file(call: Call, path: str, found: pygit2.Object, ref: str) -> dict[str, Any]:
    said = _entry(call, path, found, ref)
    if not isinstance(found, pygit2.Blob):
        return said | {"submodule_git_url": None}
    if said["type"] == "symlink":
        return said | {"target": found.data.decode("utf-8", "replace")}
    if found.size > LARGEST_INLINE:
        return said | {"content": "", "encoding": "none"}
    return said | {"content": base64.encodebytes(found.data).decode(), "encoding": "base64"}


class ChangeForm(Form):
    """`sha` is the blob that is replaced or removed."""

    message: str
    sha: str | None = None
    branch: str | None = None
    author: PersonForm | None = None
    committer: PersonForm | None = None


class FileForm(ChangeForm):
    content: str


@route("PUT", CONTENTS, app="contents:write")
def put_file(call: Call) -> Answer:
    form = call.form(FileForm)
    new, made = _change(call, form, decode(form.content, "base64"))
    found = call.git.entry(made, _path(call))
    assert found is not None
    content = _entry(call, _path(call), found, form.branch or call.repo.default_branch)
    return Answer(201 if new else 200, {"content": content, "commit": _shown(call, made)})


@route("DELETE", CONTENTS, app="contents:write")
def delete_file(call: Call) -> Answer:
    _, made = _change(call, call.form(ChangeForm), None)
    return Answer(200, {"content": None, "commit": _shown(call, made)})


def _path(call: Call) -> str:
    path = str(call.params["path"])
    if not valid_path(path):
        raise Problem(422, "path contains a malformed path component")
    return path


def _shown(call: Call, sha: str) -> dict[str, Any]:
    made = call.git.commit(sha)
    assert made is not None
    return git_commit(call.world, call.repo, made)


def _change(call: Call, form: ChangeForm, data: bytes | None) -> tuple[bool, str]:
    """One commit on the tip of a branch; whether the file is new, and the commit."""
    path, git = _path(call), call.git
    name = form.branch or call.repo.default_branch
    tip = git.branch(name)
    if tip is None:
        raise not_found(f"Branch {name} not found")
    there, known = git.entry(tip, path), form.sha
    author = form.author or form.committer
    if isinstance(there, pygit2.Tree):
        raise Problem(422, f"{path} is a folder")
    if there is None and data is None:
        raise not_found()
    if there is not None and known is None:
        raise Problem(422, 'Invalid request.\n\n"sha" wasn\'t supplied.')
    if known is not None and (there is None or str(there.id) != known):
        raise Problem(409, f"{path} does not match {known}")
    branches.guard_direct_push(call.repo, f"refs/heads/{name}", tip, "new")
    made = commit(
        call.visit,
        tree=tree_with(call.world, call.repo, tip, {path: data}),
        parents=[tip],
        message=form.message,
        author=author.person(call) if author is not None else None,
    )
    git.set_ref(f"refs/heads/{name}", made, expected=tip)
    branches.moved(call.visit, f"refs/heads/{name}", tip, made)
    return there is None, made
