"""Where Slipway speaks in GitHub: comments, reactions, checks, deployments, issues.

A server or an App's rights may lack any of them. What is lacking is left out; a pull request that cannot get
a reaction is still a pull request.
"""

from collections.abc import Callable, Mapping
from typing import Any

from bot.adapters.github.place import Place, is_by, marked
from bot.adapters.github.records import Json
from bot.ports import CheckRun, Conflict, NotFound, Refused

LONGEST_DESCRIPTION = 140
"""GitHub's limit on the description of a deployment's status."""
NO_ISSUE = 0
RUNNING = frozenset({"success", "in_progress", "pending", "queued"})
LATEST_DEPLOYMENTS = 5
"""So many of an environment's deployments are looked at when a newer one runs."""


def where_there_is(act: Callable[[], None]) -> None:
    """Do what GitHub may not offer here."""
    try:
        act()
    except Refused:
        return


def upsert_comment(place: Place, number: int, marker: str, body: str) -> int:
    text, made = marked(marker, body), ("comment", place.repository, number, marker)
    for said in place.client.pages(place.url("issues", number, "comments")):
        if is_by(place, said.get("user")) and marker in (said.get("body") or ""):
            if said["body"] != text:
                place.client.patch(place.url("issues", "comments", said["id"]), {"body": text})
            return int(said["id"])
    ident = place.written.get(made)
    if ident is not None:
        try:
            return int(place.client.patch(place.url("issues", "comments", ident), {"body": text})["id"])
        except NotFound:
            place.written.forget(made)
    ident = int(place.client.post(place.url("issues", number, "comments"), {"body": text})["id"])
    place.written.keep(made, ident)
    return ident


def react(place: Place, comment: int, reaction: str) -> None:
    url = place.url("issues", "comments", comment, "reactions")
    where_there_is(lambda: place.client.post(url, {"content": reaction}))


def check(place: Place, wanted: CheckRun) -> None:
    """The newest check run of this name by this App, made or edited."""
    where_there_is(lambda: _check(place, wanted))


def _check(place: Place, wanted: CheckRun) -> None:
    body: dict[str, Any] = {
        "name": wanted.name,
        "status": "in_progress" if wanted.conclusion is None else "completed",
        "output": {"title": wanted.title, "summary": wanted.summary},
    }
    if wanted.conclusion is not None:
        body["conclusion"] = wanted.conclusion
    if wanted.details_url is not None:
        body["details_url"] = wanted.details_url
    found = _our_run(place, wanted.head_sha, wanted.name)
    made = ("check", place.repository, wanted.head_sha, wanted.name)
    # A finished run stays finished: what runs again is a new run, as the re-run button expects.
    if found is None or (found["status"] == "completed" and wanted.conclusion is None):
        run = place.client.post(place.url("check-runs"), {**body, "head_sha": wanted.head_sha})
    else:
        run = place.client.patch(place.url("check-runs", found["id"]), body)
    place.written.keep(made, {"id": run["id"], "status": body["status"]})


def _our_run(place: Place, sha: str, name: str) -> Json | None:
    """The newest, also where the listing does not show it yet."""
    query = {"check_name": name, "filter": "latest"}
    listing = place.client.get(place.url("commits", sha, "check-runs"), **query)
    slug = place.bot_login.removesuffix("[bot]")
    ours = [run for run in listing["check_runs"] if (run.get("app") or {}).get("slug") == slug]
    just_made: Json | None = place.written.get(("check", place.repository, sha, name))
    if just_made is not None and all(run["id"] < just_made["id"] for run in ours):
        return just_made
    return max(ours, key=lambda run: int(run["id"]), default=None)


def has_check(place: Place, sha: str, name: str) -> bool:
    try:
        return _our_run(place, sha, name) is not None
    except Refused:
        return True


def deployment(
    place: Place,
    environment: str,
    sha: str,
    *,
    state: str,
    description: str,
    url: str | None,
    production: bool,
) -> None:
    """The status of this environment's deployment of a commit, so that the Environments page is right."""
    status = {"state": state, "description": description[:LONGEST_DESCRIPTION], "environment": environment}
    if url is not None:
        status["log_url"] = url
    where_there_is(lambda: _deployment(place, environment, sha, status, production=production))


def _deployment(
    place: Place, environment: str, sha: str, status: Mapping[str, str], *, production: bool
) -> None:
    made = ("deployment", place.repository, environment, sha)
    listing = place.client.get(place.url("deployments"), sha=sha, environment=environment)
    ident = max((int(each["id"]) for each in listing), default=None) or place.written.get(made)
    fresh = ident is None
    if ident is None:
        ident = _new_deployment(place, environment, sha, production=production)
        place.written.keep(made, ident)
    latest = {} if fresh else _latest_status(place, ident)
    if any(latest.get(key) != status[key] for key in ("state", "description")):
        place.client.post(place.url("deployments", ident, "statuses"), status)
    if status["state"] == "success":
        _retire_others(place, environment, ident)


def _latest_status(place: Place, ident: int) -> Json:
    statuses = place.client.get(place.url("deployments", ident, "statuses"))
    return max(statuses, key=lambda each: int(each["id"]), default={})


def _retire_others(place: Place, environment: str, ident: int) -> None:
    """One deployment runs in an environment: GitHub retires the others by itself, but not in production."""
    listing = place.client.get(place.url("deployments"), environment=environment, per_page=LATEST_DEPLOYMENTS)
    for other in listing:
        if int(other["id"]) < ident and _latest_status(place, other["id"]).get("state") in RUNNING:
            retired = {"state": "inactive", "description": "Another version runs now."}
            place.client.post(place.url("deployments", other["id"], "statuses"), retired)


def _new_deployment(place: Place, environment: str, sha: str, *, production: bool) -> int:
    made = place.client.post(
        place.url("deployments"),
        {
            "ref": sha,
            "environment": environment,
            # Slipway's own gates have decided; GitHub must neither merge nor wait for other checks.
            "auto_merge": False,
            "required_contexts": [],
            "production_environment": production,
        },
    )
    if "id" not in made:  # 202 with a message only
        raise Conflict("GitHub", str(made.get("message")))
    return int(made["id"])


def upsert_issue(place: Place, marker: str, title: str, body: str) -> int:
    """The number of the issue; 0 where the repository has no issues or the App may not write them."""
    text = marked(marker, body)
    try:
        found = _issue(place, marker)
        if found is None:
            return int(place.client.post(place.url("issues"), {"title": title, "body": text})["number"])
        if (found["title"], found["body"]) != (title, text):
            place.client.patch(place.url("issues", found["number"]), {"title": title, "body": text})
        return int(found["number"])
    except Refused:
        return NO_ISSUE


def close_issue(place: Place, marker: str) -> None:
    def close() -> None:
        found = _issue(place, marker)
        if found is not None:
            place.client.patch(place.url("issues", found["number"]), {"state": "closed"})

    where_there_is(close)


def _issue(place: Place, marker: str) -> Json | None:
    for issue in place.client.pages(place.url("issues"), state="open", creator=place.bot_login):
        ours = is_by(place, issue.get("user")) and "pull_request" not in issue
        if ours and marker in (issue.get("body") or ""):
            return issue
    return None
