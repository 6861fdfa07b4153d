"""Forms that a person sends; each does what the REST API does, in their name."""

from starlette.responses import Response

from bot.sandbox.github.actions import checks, comments, issues, merging, reviews
from bot.sandbox.github.actions.pulls import edit_pull
from bot.sandbox.github.errors import Problem, not_found
from bot.sandbox.github.pages.reading import REPO, the_issue
from bot.sandbox.github.pages.site import Page, back, page
from bot.sandbox.github.records import Issue
from bot.sandbox.github.render.issues import html_path
from bot.sandbox.github.visit import Visit

EITHER = "issues:write|pull_requests:write"
STATES = {"close": "closed", "reopen": "open"}


@page("POST", REPO + "/issues/{number}/comment")
@page("POST", REPO + "/pull/{number}/comment")
def write(asked: Page) -> Response:
    """Comment, review, close or reopen: the button says which."""
    at = asked.writing(EITHER, "read")
    issue = the_issue(asked, at)
    body, deed = asked.field("body").replace("\r\n", "\n").strip(), asked.field("deed", "comment")
    if deed in reviews.STATES:
        reviews.create_review(at, issue, event=deed, body=body, commit=None)
    elif deed in STATES:
        if body:
            comments.create_comment(at, issue, body)
        _set_state(at, issue, STATES[deed])
    else:
        comments.create_comment(at, issue, body)
    return back(html_path(at.repo, issue))


def _set_state(at: Visit, issue: Issue, state: str) -> None:
    if issue.pull is not None:
        edit_pull(at, issue, title=None, body=None, state=state, base=None)
    else:
        issues.edit_issue(at, issue, state=state)


@page("POST", REPO + "/pull/{number}/merge")
def merge(asked: Page) -> Response:
    at = asked.writing("contents:write", "write")
    issue = the_issue(asked, at)
    if issue.pull is None:
        raise not_found()
    merging.merge_pull(at, issue, merging.MergeWish(sha=issue.pull.head_sha))
    return back(html_path(at.repo, issue))


@page("POST", REPO + "/runs/{check}/rerequest")
def rerequest(asked: Page) -> Response:
    at = asked.writing("checks:write", "write")
    if not asked.params["check"].isdecimal():
        raise Problem(404, "Not Found")
    found = checks.find_check(at, int(asked.params["check"]))
    checks.rerequest(at, found)
    return back(f"/{at.repo.full_name}/runs/{found.id}")
