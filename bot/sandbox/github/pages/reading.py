"""Pages to read."""

from typing import Any
from urllib.parse import quote

import pygit2
from starlette.responses import PlainTextResponse, Response

from bot.sandbox.github.actions.checks import find_check
from bot.sandbox.github.errors import not_found
from bot.sandbox.github.git import valid_path
from bot.sandbox.github.pages import views
from bot.sandbox.github.pages.markdown import render
from bot.sandbox.github.pages.site import Page, page
from bot.sandbox.github.records import ROLES, Issue
from bot.sandbox.github.render.issues import labels
from bot.sandbox.github.render.pulls import pull_of
from bot.sandbox.github.visit import Visit

JSON = dict[str, Any]
REPO = "/{owner}/{repo}"
LARGEST_TEXT = 500_000


@page("GET", "/")
def home(asked: Page) -> Response:
    state = asked.world.state
    return asked.show(
        "home.html",
        "Repositories",
        repositories=list(state.repositories.values()),
        apps=list(state.apps.values()),
    )


@page("GET", REPO + "/pulls")
def pulls(asked: Page) -> Response:
    return _list(asked, "pulls", "Pull requests")


@page("GET", REPO + "/issues")
def issues(asked: Page) -> Response:
    return _list(asked, "issues", "Issues")


def _list(asked: Page, tab: str, title: str) -> Response:
    at = asked.repository()
    state = "closed" if asked.query.get("state") == "closed" else "open"
    every = [one for one in at.repo.issues.values() if (one.pull is not None) == (tab == "pulls")]
    counts = {word: sum(one.state == word for one in every) for word in ("open", "closed")}
    rows = [views.listed(at, one) for one in reversed(every) if one.state == state]
    return asked.show(
        "list.html", f"{title} · {at.repo.full_name}", at=at, tab=tab, state=state, counts=counts, items=rows
    )


@page("GET", REPO + "/pull/{number}.diff")
def pull_diff(asked: Page) -> Response:
    at = asked.repository()
    pull = pull_of(the_issue(asked, at))
    diff = at.git.diff(at.git.merge_base(pull.base_sha, pull.head_sha), pull.head_sha)
    return PlainTextResponse(diff.patch or "")


@page("GET", REPO + "/issues/{number}")
@page("GET", REPO + "/pull/{number}")
@page("GET", REPO + "/pull/{number}/{view}")
def issue(asked: Page) -> Response:
    at = asked.repository()
    found = the_issue(asked, at)
    view = asked.params.get("view", "talk")
    if view not in {"talk", "commits", "checks", "files"}:
        raise not_found()
    return asked.show(
        "pull.html", f"{found.title} · #{found.number}", at=at, view=view, **_issue(asked, at, found)
    )


def the_issue(asked: Page, at: Visit) -> Issue:
    number = asked.params["number"]
    if not number.isdecimal():
        raise not_found()
    return at.world.issue(at.repo, int(number))


def _issue(asked: Page, at: Visit, found: Issue) -> JSON:
    shown: JSON = {
        "tab": "pulls" if found.pull is not None else "issues",
        "issue": found,
        "pull": found.pull,
        "word": views.word_of(found),
        "emoji": views.EMOJI,
        "opened": views.when(found.created_at),
        "place": f"/{at.repo.full_name}/{'pull' if found.pull is not None else 'issues'}/{found.number}",
        "talk": views.talk(at, found),
        "labels": labels(at.world, at.repo, found),
        "may_write": bool(asked.me) and ROLES.index(at.role) >= ROLES.index("write"),
    }
    return shown | _pull(at, found) if found.pull is not None else shown


def _pull(at: Visit, found: Issue) -> JSON:
    pull, git = pull_of(found), at.git
    changed = views.files(at, git.merge_base(pull.base_sha, pull.head_sha), pull.head_sha)
    shas = {pull.head_sha, pull.merge_commit}
    deployed = [one for rows in views.deployments(at.repo).values() for one in rows if one["sha"] in shas]
    results = [one for sha in (pull.head_sha, pull.merge_commit) if sha for one in views.checks(at.repo, sha)]
    return {
        "commits": [views.commit(at, one) for one in git.log(pull.head_sha, hide=pull.base_sha)],
        "files": changed,
        "added": sum(one["added"] for one in changed),
        "removed": sum(one["removed"] for one in changed),
        "checks": results,
        "verdict": views.verdict(at, found),
        "reviewers": views.reviewers(found),
        "deployments": deployed,
    }


@page("GET", REPO + "/deployments")
@page("GET", REPO + "/deployments/{environment:path}")
def deployments(asked: Page) -> Response:
    at = asked.repository()
    rows = views.deployments(at.repo)
    wanted = asked.params.get("environment")
    shown = {name: one for name, one in rows.items() if wanted in {None, name}}
    return asked.show(
        "deployments.html", f"Deployments · {at.repo.full_name}", at=at, tab="deployments", environments=shown
    )


@page("GET", REPO + "/runs/{check}")
def run(asked: Page) -> Response:
    at = asked.repository()
    if not asked.params["check"].isdecimal():
        raise not_found()
    found = find_check(at, int(asked.params["check"]))
    return asked.show(
        "run.html", found.name, at=at, tab="pulls", check=views.check(found), sha=found.head_sha
    )


@page("GET", REPO + "/commit/{sha}")
def commit(asked: Page) -> Response:
    at = asked.repository()
    sha = at.git.resolve(asked.params["sha"])
    found = at.git.commit(sha) if sha is not None else None
    if found is None:
        raise not_found()
    parent = str(found.parent_ids[0]) if found.parent_ids else None
    shown = views.commit(at, found)
    changed = views.files(at, parent, str(found.id))
    return asked.show("code.html", shown["title"], at=at, tab="code", commit=shown, files=changed)


@page("GET", REPO)
@page("GET", REPO + "/tree/{ref}")
@page("GET", REPO + "/tree/{ref}/{path:path}")
@page("GET", REPO + "/blob/{ref}/{path:path}")
def code(asked: Page) -> Response:
    at = asked.repository()
    ref, path = asked.params.get("ref", at.repo.default_branch), asked.params.get("path", "").strip("/")
    found = _object(at, ref, path)
    parts = path.split("/") if path else []
    crumbs = [(name, "/".join(parts[: index + 1])) for index, name in enumerate(parts)]
    shown: JSON = {"ref": ref, "crumbs": crumbs, "entries": None, "readme": None, "commit": None}
    if isinstance(found, pygit2.Tree):
        folder = f"{path}/" if path else ""
        entries = [
            {
                "name": one.name,
                "folder": isinstance(one, pygit2.Tree),
                "url": f"/{at.repo.full_name}/tree/{quote(ref)}/{quote(folder + str(one.name))}",
            }
            for one in found
        ]
        shown["entries"] = sorted(entries, key=lambda one: (not one["folder"], one["name"]))
        readme = next((one for one in found if str(one.name).lower() == "readme.md"), None)
        if isinstance(readme, pygit2.Blob):
            shown["readme"] = render(readme.data.decode("utf-8", "replace"))
    else:
        shown |= {"text": found.data[:LARGEST_TEXT].decode("utf-8", "replace"), "size": found.size}
    return asked.show("code.html", at.repo.full_name, at=at, tab="code", **shown)


def _object(at: Visit, ref: str, path: str) -> pygit2.Tree | pygit2.Blob:
    sha = at.git.resolve(ref)
    if sha is None or (path and not valid_path(path)):
        raise not_found()
    found = at.git.entry(sha, path)
    if not isinstance(found, pygit2.Tree | pygit2.Blob):
        raise not_found()
    return found


@page("GET", REPO + "/raw/{ref}/{path:path}")
def raw(asked: Page) -> Response:
    found = _object(asked.repository(), asked.params["ref"], asked.params["path"])
    if not isinstance(found, pygit2.Blob):
        raise not_found()
    return Response(found.data, media_type="text/plain; charset=utf-8")
