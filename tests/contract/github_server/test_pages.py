"""The pages: what a person reads, what they may send, and the App manifest flow."""

import html
import json
import re
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

REPO = "acme/gitops"


def visit(hub: Any, path: str, login: str = "", form: dict[str, Any] | None = None, **headers: str) -> Any:
    cookies = {"cookie": f"sandbox_login={login}"} if login else {}
    method = "GET" if form is None else "POST"
    hub.wire.cookies.clear()
    return hub.wire.request(method, hub.server.url + path, data=form, headers=cookies | headers)


def open_pull(hub: Any, body: str = "Body") -> int:
    repo = hub.bot().get_repo(REPO)
    repo.create_git_ref("refs/heads/topic", repo.get_branch("main").commit.sha)
    repo.update_file(
        "README.md", "Say more", "# GitOps\n\nmore\n", repo.get_contents("README.md").sha, branch="topic"
    )
    return repo.create_pull(base="main", head="topic", title="Say <more>", body=body).number


def test_a_pull_request_can_be_read(hub: Any) -> None:
    """Title, text, commits, checks and diff are on the page; text is escaped, hidden comments are hidden."""
    number = open_pull(hub, "A **bold** word<!-- marker --><script>alert(1)</script>")
    page = visit(hub, f"/{REPO}/pull/{number}").text

    assert "Say &lt;more&gt;" in page
    assert "<strong>bold</strong>" in page
    assert "marker" not in page
    assert "<script" not in page
    assert "more" in visit(hub, f"/{REPO}/pull/{number}/files").text
    for view in ("commits", "checks"):
        assert visit(hub, f"/{REPO}/pull/{number}/{view}").status_code == 200


@pytest.mark.parametrize(
    "path",
    [
        "/",
        f"/{REPO}",
        f"/{REPO}/pulls",
        f"/{REPO}/pulls?state=closed",
        f"/{REPO}/issues",
        f"/{REPO}/deployments",
        f"/{REPO}/tree/main/models",
        f"/{REPO}/blob/main/README.md",
        f"/{REPO}/raw/main/README.md",
        f"/{REPO}/commit/main",
        "/apps/slipway",
        "/apps/slipway/installations/new",
        "/assets/style.css",
        "/avatars/boss",
    ],
)
def test_every_page_can_be_opened(town: Any, path: str) -> None:
    """No page needs a script or anything from outside."""
    answer = visit(town, path)

    assert answer.status_code == 200
    assert not re.search(r"<script|(src|href)=\"(?:https?:)?//", answer.text)
    assert "default-src 'none'" in answer.headers["content-security-policy"]


@pytest.mark.parametrize(
    "path", [f"/{REPO}/pull/99", f"/{REPO}/pull/x", "/acme/none", f"/{REPO}/blob/main/../../x", "/a/b/c/d"]
)
def test_what_is_not_there_is_not_found(town: Any, path: str) -> None:
    """404 with a page, never a failure."""
    assert visit(town, path).status_code == 404


def test_a_person_comments_reviews_and_merges(hub: Any) -> None:
    """The forms do what REST does, in the name of the chosen person, and fire the same events."""
    number = open_pull(hub)
    place = f"/{REPO}/pull/{number}"
    chosen = visit(hub, "/session", form={"login": "writer", "back": place})

    assert (chosen.status_code, chosen.headers["location"]) == (303, place)
    assert (
        visit(hub, f"{place}/comment", "writer", {"body": "/promote", "deed": "comment"}).status_code == 303
    )
    assert visit(hub, f"{place}/comment", "writer", {"body": "", "deed": "APPROVE"}).status_code == 303
    assert visit(hub, f"{place}/merge", "reader", {}).status_code == 403
    assert visit(hub, f"{place}/comment", "", {"body": "x"}).status_code == 403
    assert visit(hub, f"{place}/merge", "writer", {}).status_code == 303
    hub.settle()
    page = visit(hub, place).text
    assert "Merged" in page
    assert "/promote" in page
    assert hub.inbox.one("issue_comment.created")["comment"]["user"]["login"] == "writer"


def test_other_sites_cannot_send_the_forms(hub: Any) -> None:
    """A form from another origin or under another host name is refused."""
    place = f"/{REPO}/pull/{open_pull(hub)}/comment"

    assert visit(hub, place, "writer", {"body": "x"}, origin="http://evil.example").status_code == 403
    assert visit(hub, place, "writer", {"body": "x"}, **{"sec-fetch-site": "cross-site"}).status_code == 403
    assert visit(hub, "/", host="evil.example:80").status_code == 403
    assert visit(hub, "/", host="localhost:8000").status_code == 200
    assert visit(hub, "/session", form={"login": "x", "back": "//evil.example"}).headers["location"] == "/"


def test_a_check_is_run_again_by_its_button(hub: Any) -> None:
    """The re-run button tells the App that made the check."""
    repo = hub.bot().get_repo(REPO)
    sha = repo.get_branch("main").commit.sha
    check = repo.create_check_run(
        "canary", sha, conclusion="failure", output={"title": "Slow", "summary": "*why*"}
    )
    page = visit(hub, f"/{REPO}/runs/{check.id}", "writer")
    again = visit(hub, f"/{REPO}/runs/{check.id}/rerequest", "writer", {})
    hub.settle()

    assert "<em>why</em>" in page.text
    assert again.status_code == 303
    assert hub.inbox.one("check_run.rerequested")["sender"]["login"] == "writer"


def test_an_app_is_made_from_a_manifest(hub: Any) -> None:
    """Manifest, confirmation, code, conversion, installation: as GitHub leads a person through it."""
    manifest = {
        "name": "My Slipway",
        "url": "http://127.0.0.1:1/",
        "hook_attributes": {"url": hub.inbox.url},
        "redirect_url": "http://127.0.0.1:1/setup/done",
        "setup_url": "http://127.0.0.1:1/setup/installed",
        "default_permissions": {"contents": "write", "issues": "read"},
        "default_events": ["push"],
    }
    asked = visit(
        hub,
        "/settings/apps/new?state=abc",
        form={"manifest": json.dumps(manifest)},
        origin="http://127.0.0.1:1",
    )
    raw = html.unescape(re.search(r'name="manifest" value="([^"]*)"', asked.text)[1])
    made = visit(
        hub, "/settings/apps/confirm", "boss", {"manifest": raw, "state": "abc", "name": "My Slipway"}
    )
    back = urlsplit(made.headers["location"])
    given = parse_qs(back.query)
    converted = hub.call("POST", f"/app-manifests/{given['code'][0]}/conversions", login=None)
    again = hub.call("POST", f"/app-manifests/{given['code'][0]}/conversions", login=None)
    installed = visit(hub, "/apps/my-slipway/installations", "boss", {"repository": REPO, "state": "s"})
    hub.settle()

    assert (back.path, given["state"]) == ("/setup/done", ["abc"])
    app = converted.json()
    assert (converted.status_code, again.status_code, app["slug"]) == (201, 404, "my-slipway")
    assert app["pem"].startswith("-----BEGIN RSA PRIVATE KEY-----")
    assert app["webhook_secret"]
    assert "installation_id=" in installed.headers["location"]
    assert {"ping", "installation.created"} <= set(hub.inbox.names())


@pytest.mark.parametrize(
    "manifest",
    [
        "{",
        "[]",
        "{}",
        '{"url": "javascript:x"}',
        '{"url": "http://a", "default_permissions": {"contents": "all"}}',
        '{"url": "http://a", "redirect_url": "file:///x"}',
        '{"url": "http://a", "default_events": "push"}',
    ],
)
def test_a_bad_manifest_is_refused(town: Any, manifest: str) -> None:
    """422 that says what is wrong with it."""
    assert visit(town, "/settings/apps/new", form={"manifest": manifest}).status_code == 422
