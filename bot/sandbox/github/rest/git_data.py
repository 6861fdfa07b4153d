"""Git's own objects: blobs, trees, commits, references."""

import base64
import binascii
from collections.abc import Sequence
from datetime import datetime
from typing import Any, Literal

import pygit2
from pygit2.enums import FileMode

from bot.sandbox.github.actions import branches
from bot.sandbox.github.actions.committing import commit as make_commit
from bot.sandbox.github.actions.committing import person_of
from bot.sandbox.github.errors import Problem, invalid, not_found, unprocessable
from bot.sandbox.github.git import GitError, Person, TreeEdit, valid_path
from bot.sandbox.github.render.commits import git_commit, git_ref
from bot.sandbox.github.render.repositories import path_of
from bot.sandbox.github.rest.repositories import REPO
from bot.sandbox.github.routing import Answer, Call, Form, route

GIT = REPO + "/git"
MODES = {"100644": "blob", "100755": "blob", "120000": "blob", "040000": "tree", "160000": "commit"}
MOST_ENTRIES = 100_000
EMPTY = "Git Repository is empty."


class BlobForm(Form):
    content: str
    encoding: Literal["utf-8", "base64"] = "utf-8"


@route("POST", GIT + "/blobs", app="contents:write")
def create_blob(call: Call) -> Answer:
    form = call.form(BlobForm)
    sha = call.git.add_blob(decode(form.content, form.encoding))
    return Answer(201, {"sha": sha, "url": _url(call, "blobs", sha)})


def decode(text: str, encoding: str) -> bytes:
    if encoding == "utf-8":
        return text.encode()
    try:
        return base64.b64decode("".join(text.split()), validate=True)
    except (binascii.Error, ValueError):
        raise unprocessable("content is not valid Base64") from None


def _url(call: Call, kind: str, sha: str) -> str:
    return call.world.api(f"{path_of(call.repo)}/git/{kind}/{sha}")


@route("GET", GIT + "/blobs/{sha}", app="contents:read")
def get_blob(call: Call) -> Answer:
    sha = call.params["sha"]
    data = call.git.blob(sha)
    if data is None:
        raise not_found()
    return Answer(
        200,
        {
            "sha": sha,
            "node_id": f"B_{sha}",
            "size": len(data),
            "url": _url(call, "blobs", sha),
            "content": base64.encodebytes(data).decode(),
            "encoding": "base64",
        },
    )


# Trees.
class EntryForm(Form):
    path: str
    mode: str = "100644"
    type: str | None = None
    sha: str | None = None
    content: str | None = None


class TreeForm(Form):
    tree: list[EntryForm]
    base_tree: str | None = None


@route("POST", GIT + "/trees", app="contents:write")
def create_tree(call: Call) -> Answer:
    form = call.form(TreeForm)
    base = None
    if form.base_tree is not None:
        tree = call.git.tree(form.base_tree)
        if tree is None:
            raise unprocessable("base_tree is not a valid tree oid")
        base = str(tree.id)
    if not form.tree:
        raise unprocessable("Invalid tree info")
    edits = {entry.path: _edit(call, entry) for entry in form.tree}
    try:
        sha = call.git.add_tree(base, edits)
    except (GitError, ValueError, pygit2.GitError):
        raise unprocessable("GitRPC::BadObjectState") from None
    return Answer(201, _tree(call, sha))


def _edit(call: Call, entry: EntryForm) -> TreeEdit:
    if not valid_path(entry.path):
        raise unprocessable("tree.path contains a malformed path component")
    if entry.mode not in MODES:
        raise unprocessable(f"tree.mode {entry.mode} is not a file mode")
    mode = int(entry.mode, 8)
    if entry.content is not None:
        if entry.sha is not None:
            raise unprocessable("Must supply either tree.sha or tree.content, not both")
        return TreeEdit(mode, call.git.add_blob(entry.content.encode()))
    wanted = MODES[entry.mode]
    if entry.sha is not None and wanted != "commit" and call.git.kind(entry.sha) != wanted:
        raise unprocessable(f"tree.sha {entry.sha} is not a valid {wanted}")
    return TreeEdit(mode, entry.sha)


def _tree(call: Call, sha: str, *, recursive: bool = False) -> dict[str, Any]:
    tree = call.git.tree(sha)
    assert tree is not None
    entries = list(_entries(call, tree, "", recursive=recursive))
    return {
        "sha": str(tree.id),
        "url": _url(call, "trees", str(tree.id)),
        "tree": entries[:MOST_ENTRIES],
        "truncated": len(entries) > MOST_ENTRIES,
    }


def _entries(call: Call, tree: pygit2.Tree, prefix: str, *, recursive: bool) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    for item in tree:
        kind = {FileMode.TREE: "tree", FileMode.COMMIT: "commit"}.get(FileMode(item.filemode), "blob")
        sha = str(item.id)
        entry: dict[str, Any] = {
            "path": f"{prefix}{item.name}",
            "mode": f"{int(item.filemode):06o}",
            "type": kind,
        }
        entry["sha"] = sha
        if kind != "commit":
            entry["url"] = _url(call, f"{kind}s", sha)
        if isinstance(item, pygit2.Blob):
            entry["size"] = item.size
        found.append(entry)
        if recursive and isinstance(item, pygit2.Tree):
            found += _entries(call, item, f"{prefix}{item.name}/", recursive=True)
    return found


@route("GET", GIT + "/trees/{sha:path}", app="contents:read")
def get_tree(call: Call) -> Answer:
    asked = call.params["sha"]
    sha = asked if call.git.tree(asked) is not None else call.git.resolve(asked)
    if sha is None:
        raise not_found()
    return Answer(200, _tree(call, sha, recursive="recursive" in call.query))


# Commits.
class PersonForm(Form):
    name: str
    email: str
    date: str | None = None

    def person(self, call: Call) -> Person:
        when = call.world.now()
        if self.date is not None:
            try:
                when = datetime.fromisoformat(self.date)
            except ValueError:
                raise invalid("Commit", "date") from None
            if when.tzinfo is None:
                raise invalid("Commit", "date")
        return Person(self.name, self.email, when)


class CommitForm(Form):
    message: str
    tree: str
    parents: Sequence[str] = ()
    author: PersonForm | None = None
    committer: PersonForm | None = None


@route("POST", GIT + "/commits", app="contents:write")
def create_commit(call: Call) -> Answer:
    """Signed by GitHub only for an App that names neither author nor committer."""
    form, git = call.form(CommitForm), call.git
    if git.kind(form.tree) != "tree":
        raise unprocessable("Tree SHA does not exist")
    for parent in form.parents:
        if git.commit(parent) is None:
            raise unprocessable("Parent SHA does not exist or is not a commit object")
    world, actor = call.world, call.actor
    if actor.installation is not None and form.author is None and form.committer is None:
        sha = make_commit(call.visit, tree=form.tree, parents=form.parents, message=form.message)
    else:
        author = form.author.person(call) if form.author is not None else person_of(world, actor.login)
        committer = form.committer.person(call) if form.committer is not None else author
        sha = git.add_commit(form.tree, form.parents, form.message, author, committer)
    return Answer(201, _commit(call, sha))


def _commit(call: Call, sha: str) -> dict[str, Any]:
    commit = call.git.commit(sha)
    if commit is None:
        raise not_found()
    return git_commit(call.world, call.repo, commit)


@route("GET", GIT + "/commits/{sha}", app="contents:read")
def get_commit(call: Call) -> Answer:
    return Answer(200, _commit(call, call.params["sha"]))


# References.
def _ref(call: Call) -> str:
    return f"refs/{call.params.get('ref', '').removeprefix('refs/')}"


def _shown(call: Call, name: str) -> dict[str, Any]:
    sha = call.git.ref(name)
    if sha is None:
        raise not_found()
    return git_ref(call.world, call.repo, name, sha)


@route("GET", GIT + "/ref/{ref:path}", app="contents:read")
def get_ref(call: Call) -> Answer:
    if not call.git.refs():
        raise Problem(409, EMPTY)
    return Answer(200, _shown(call, _ref(call)))


@route("GET", GIT + "/refs", app="contents:read")
@route("GET", GIT + "/matching-refs/{ref:path}", app="contents:read")
def list_refs(call: Call) -> Answer:
    if not call.git.refs():
        raise Problem(409, EMPTY)
    found = call.git.refs(_ref(call))
    return Answer(
        200, [git_ref(call.world, call.repo, name, sha) for name, sha in call.page(list(found.items()))]
    )


class NewRefForm(Form):
    ref: str
    sha: str


@route("POST", GIT + "/refs", app="contents:write")
def create_ref(call: Call) -> Answer:
    form = call.form(NewRefForm)
    branches.create_ref(call.visit, form.ref, form.sha)
    shown = _shown(call, form.ref)
    return Answer(201, shown, {"Location": shown["url"]})


class RefForm(Form):
    sha: str
    force: bool = False


@route("PATCH", GIT + "/refs/{ref:path}", app="contents:write")
def update_ref(call: Call) -> Answer:
    form, name = call.form(RefForm), _ref(call)
    branches.update_ref(call.visit, name, form.sha, force=form.force)
    return Answer(200, _shown(call, name))


@route("DELETE", GIT + "/refs/{ref:path}", app="contents:write")
def delete_ref(call: Call) -> Answer:
    branches.delete_ref(call.visit, _ref(call))
    return Answer(204)
