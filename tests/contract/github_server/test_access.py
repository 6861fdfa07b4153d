"""Who is let in, and what they may do: answers as GitHub gives them."""

import time
from typing import Any

import github
import jwt
import pytest

REPO = "/repos/acme/gitops"


def signed(hub: Any, key: str | None = None, algorithm: str = "RS256", **claims: Any) -> dict[str, str]:
    now = int(time.time())
    given = {"iat": now - 30, "exp": now + 300, "iss": str(hub.app.id)} | claims
    return {
        "authorization": "Bearer " + jwt.encode(given, key or hub.app.private_key_pem, algorithm=algorithm)
    }


def test_an_app_is_known_by_its_id_or_client_id(town: Any) -> None:
    """Both names of the App are accepted as the issuer."""
    known = town.call("GET", "/app", login=None, **signed(town)).json()

    assert town.call("GET", "/app", login=None, **signed(town, iss=known["client_id"])).status_code == 200


def test_a_forged_or_stale_jwt_is_refused(town: Any) -> None:
    """Expired, too far in the future, of another key, unsigned, of nobody: none of them is let in."""
    now = int(time.time())
    other = town.server.create_app("other", permissions={}, events=[])

    def status(headers: dict[str, str]) -> int:
        return town.call("GET", "/app", login=None, **headers).status_code

    assert status(signed(town, exp=now - 200, iat=now - 500)) == 401
    assert status(signed(town, exp=now + 3600)) == 401
    assert status(signed(town, iat=now + 3600)) == 401
    assert status(signed(town, key=other.private_key_pem)) == 401
    assert status(signed(town, key="x" * 32, algorithm="HS256")) == 401
    assert status(signed(town, iss="999999")) == 404
    assert status({"authorization": "Bearer a.b.c"}) == 401
    assert status({"authorization": "Bearer nonsense"}) == 401
    assert status({"authorization": f"token {town.tokens['boss']}"}) == 401


def test_a_token_reaches_only_its_installation(hub: Any) -> None:
    """A repository outside the installation does not exist for its token."""
    hub.server.create_repository("acme/secret", {"a": b"a"})
    bot = hub.bot()

    with pytest.raises(github.UnknownObjectException):
        bot.get_repo("acme/secret")


def test_a_token_carries_only_its_permissions(hub: Any) -> None:
    """What the token was not given is refused with 403, what the App does not have cannot be asked for."""
    narrow = hub.bot(contents="read")

    with pytest.raises(github.GithubException) as caught:
        narrow.get_repo("acme/gitops").create_git_ref("refs/heads/x", "0" * 40)
    assert (caught.value.status, caught.value.data["message"]) == (
        403,
        "Resource not accessible by integration",
    )
    with pytest.raises(github.GithubException) as caught:
        hub.bot(administration="write").get_repo("acme/gitops")
    assert caught.value.status == 422


def test_an_expired_token_is_refused(hub: Any) -> None:
    """After its hour a token is bad credentials."""
    bot = hub.bot()
    bot.get_repo("acme/gitops")
    for token in hub.server.world.state.tokens.values():
        token.expires_at = hub.server.world.now()

    secret = next(value for value in hub.server.world.state.tokens if value.startswith("ghs_"))
    answer = hub.call("GET", REPO, login=None, authorization=f"token {secret}")
    assert (answer.status_code, answer.json()["message"]) == (401, "Bad credentials")


def test_an_uninstalled_app_loses_its_tokens(hub: Any) -> None:
    """Uninstalling ends every token and tells the App."""
    bot = hub.bot()
    bot.get_repo("acme/gitops")
    hub.server.uninstall(hub.installation)
    hub.settle()

    with pytest.raises(github.BadCredentialsException):
        bot.get_repo("acme/gitops")
    assert hub.inbox.names()[-1] == "installation.deleted"


@pytest.mark.parametrize(
    "row",
    [
        (None, "GET", REPO, None, 404),
        ("stranger", "GET", REPO, None, 404),
        ("stranger", "POST", f"{REPO}/issues", {"title": "x"}, 404),
        ("reader", "POST", f"{REPO}/issues", {"title": "x"}, 201),
        ("reader", "POST", f"{REPO}/git/refs", {"ref": "refs/heads/x", "sha": "0" * 40}, 403),
        ("reader", "PUT", f"{REPO}/contents/x", {"message": "m", "content": "eA=="}, 403),
        ("writer", "PUT", f"{REPO}/contents/x", {"message": "m", "content": "eA=="}, 201),
        ("writer", "PUT", f"{REPO}/branches/main/protection", {}, 403),
        ("writer", "POST", f"{REPO}/check-runs", {"name": "x", "head_sha": "0" * 40}, 403),
        (None, "GET", "/user", None, 401),
        ("reader", "GET", "/user", None, 200),
    ],
)
def test_people_do_what_their_role_allows(town: Any, row: tuple[Any, ...]) -> None:
    """Strangers see nothing, readers talk, writers write, administrators set rules, Apps check."""
    login, method, path, body, expected = row

    assert town.call(method, path, login=login, body=body).status_code == expected


def test_permission_levels_are_told(town: Any) -> None:
    """The old four levels and the role's own name."""
    town.server.create_user("keeper")
    town.server.add_collaborator("acme/gitops", "keeper", "maintain")

    def told(login: str) -> tuple[str, str]:
        said = town.call("GET", f"{REPO}/collaborators/{login}/permission").json()
        return said["permission"], said["role_name"]

    assert [told(login) for login in ("boss", "keeper", "writer", "reader")] == [
        ("admin", "admin"),
        ("write", "maintain"),
        ("write", "write"),
        ("read", "read"),
    ]
    assert town.call("GET", f"{REPO}/collaborators/nobody-here/permission").status_code == 404


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({"ref": "refs/heads/../x", "sha": "HEAD"}, 422),
        ({"ref": "refs/heads/-x", "sha": "HEAD"}, 422),
        ({"ref": "refs/heads/a b", "sha": "HEAD"}, 422),
        ({"ref": "refs/heads/x.lock", "sha": "HEAD"}, 422),
        ({"ref": "heads/x", "sha": "HEAD"}, 422),
        ({"ref": "refs/heads/x", "sha": "0" * 40}, 422),
        ({"ref": "refs/heads/main", "sha": "HEAD"}, 422),
        ({"ref": "refs/heads/main/below", "sha": "HEAD"}, 422),
        ({"ref": "refs/heads/x"}, 422),
        ({"ref": ["refs/heads/x"], "sha": "HEAD"}, 422),
        ({"ref": "refs/heads/x", "sha": "HEAD"}, 201),
    ],
)
def test_only_good_reference_names_are_taken(town: Any, body: dict[str, Any], expected: int) -> None:
    """What `git check-ref-format` refuses, what exists and what points nowhere is refused."""
    head = town.call("GET", f"{REPO}/commits/main").json()["sha"]
    given = {key: head if value == "HEAD" else value for key, value in body.items()}

    assert town.call("POST", f"{REPO}/git/refs", login="writer", body=given).status_code == expected


@pytest.mark.parametrize(
    "path", ["../outside", "a/../../b", ".git/config", "a//b", "a/.GIT/hooks/x", "/etc/passwd"]
)
def test_no_path_leaves_the_repository(town: Any, path: str) -> None:
    """A tree takes no entry that could be written outside of a checkout or into `.git`."""
    body = {"tree": [{"path": path, "mode": "100644", "type": "blob", "content": "x"}]}

    assert town.call("POST", f"{REPO}/git/trees", login="writer", body=body).status_code == 422


def test_a_body_that_is_no_json_is_refused(town: Any) -> None:
    """400, as GitHub says it."""
    answer = town.wire.post(
        f"{town.server.api_url}{REPO}/issues",
        content=b"{not json",
        headers={"authorization": f"token {town.tokens['reader']}"},
    )

    assert (answer.status_code, answer.json()["message"]) == (400, "Problems parsing JSON")


def test_an_author_cannot_approve_their_own_pull_request(hub: Any) -> None:
    """422 for the author's own approval and for asking the author to review."""
    hub.call(
        "PUT",
        f"{REPO}/contents/x",
        login="writer",
        body={"message": "m", "content": "eA==", "branch": "main"},
    )
    head = hub.call("GET", f"{REPO}/commits/main").json()["sha"]
    hub.call("POST", f"{REPO}/git/refs", login="writer", body={"ref": "refs/heads/t", "sha": head})
    change = {"message": "m", "content": "eQ==", "branch": "t"}
    hub.call("PUT", f"{REPO}/contents/y", login="writer", body=change)
    pull = hub.call(
        "POST", f"{REPO}/pulls", login="writer", body={"title": "t", "head": "t", "base": "main"}
    ).json()
    place = f"{REPO}/pulls/{pull['number']}"

    assert hub.call("POST", f"{place}/reviews", login="writer", body={"event": "APPROVE"}).status_code == 422
    asked = hub.call("POST", f"{place}/requested_reviewers", login="writer", body={"reviewers": ["writer"]})
    assert asked.status_code == 422
    again = hub.call(
        "POST", f"{REPO}/pulls", login="writer", body={"title": "t", "head": "t", "base": "main"}
    )
    assert (again.status_code, "already exists" in again.json()["errors"][0]["message"]) == (422, True)
