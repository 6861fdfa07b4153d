"""Pull requests and reviews."""

from collections.abc import Sequence
from typing import Any, Literal

from bot.sandbox.github.actions import merging, reviews
from bot.sandbox.github.actions import pulls as actions
from bot.sandbox.github.actions.branches import moved
from bot.sandbox.github.actions.committing import commit
from bot.sandbox.github.actions.mergeable import render_pull
from bot.sandbox.github.errors import Problem, custom, invalid, not_found, unprocessable
from bot.sandbox.github.records import Issue
from bot.sandbox.github.render import pulls as render
from bot.sandbox.github.render.commits import commit_simple, diff_entries
from bot.sandbox.github.rest.repositories import REPO
from bot.sandbox.github.routing import Answer, Call, Form, route

PULL = REPO + "/pulls/{number}"
READ = "pull_requests:read"
WRITE = "pull_requests:write"
MOST_COMMITS = 250
MOST_FILES = 3000


def the_pull(call: Call) -> Issue:
    issue = call.world.issue(call.repo, call.number("number"))
    if issue.pull is None:
        raise not_found()
    return issue


def _full(call: Call, issue: Issue, status: int = 200) -> Answer:
    return Answer(status, render_pull(call.world, call.repo, issue))


class NewPull(Form):
    head: str
    base: str
    title: str | None = None
    body: str | None = None
    draft: bool = False
    maintainer_can_modify: bool = True
    issue: int | None = None


@route("POST", REPO + "/pulls", app=WRITE, role="read")
def create_pull(call: Call) -> Answer:
    form = call.form(NewPull)
    if form.issue is not None:
        raise custom("PullRequest", "an issue cannot be turned into a pull request here")
    if form.title is None:
        raise invalid("PullRequest", "title", "missing_field")
    made = actions.create_pull(
        call.visit,
        title=form.title,
        head=form.head,
        base=form.base,
        body=form.body,
        draft=form.draft,
    )
    shown = _full(call, made, 201)
    return Answer(201, shown.body, {"Location": shown.body["url"]})


@route("GET", REPO + "/pulls", app=READ)
def list_pulls(call: Call) -> Answer:
    query = call.query
    state = query.get("state", "open")
    if state not in {"open", "closed", "all"}:
        raise unprocessable("Validation Failed")
    found = [one for one in call.repo.issues.values() if one.pull is not None and state in {one.state, "all"}]
    if head := query.get("head"):
        owner, _, name = head.rpartition(":")
        mine = owner.casefold() == call.repo.owner.casefold()
        # GitHub ignores a head without an owner.
        found = [one for one in found if not owner or (mine and render.pull_of(one).head == name)]
    if base := query.get("base"):
        found = [one for one in found if render.pull_of(one).base == base]
    sort = query.get("sort", "created")
    by_update = sort == "updated"
    found.sort(key=lambda one: (one.updated_at if by_update else one.created_at, one.number))
    default = "desc" if "sort" not in query or sort == "created" else "asc"
    if query.get("direction", default) == "desc":
        found.reverse()
    return Answer(200, [render.pull_simple(call.world, call.repo, one) for one in call.page(found)])


@route("GET", PULL, app=READ)
def get_pull(call: Call) -> Answer:
    return _full(call, the_pull(call))


class PullForm(Form):
    title: str | None = None
    body: str | None = None
    state: str | None = None
    base: str | None = None


@route("PATCH", PULL, app=WRITE, role="read")
def edit_pull(call: Call) -> Answer:
    form, issue = call.form(PullForm), the_pull(call)
    actions.edit_pull(
        call.visit,
        issue,
        title=form.title,
        body=form.body,
        state=form.state,
        base=form.base,
    )
    return _full(call, issue)


@route("GET", PULL + "/commits", app=READ)
def list_commits(call: Call) -> Answer:
    pull = render.pull_of(the_pull(call))
    own = list(call.git.log(pull.head_sha, hide=pull.base_sha))[::-1][:MOST_COMMITS]
    return Answer(200, [commit_simple(call.world, call.repo, one) for one in call.page(own)])


@route("GET", PULL + "/files", app=READ)
def list_files(call: Call) -> Answer:
    pull = render.pull_of(the_pull(call))
    start = call.git.merge_base(pull.base_sha, pull.head_sha)
    files = diff_entries(call.world, call.repo, call.git.diff(start, pull.head_sha), pull.head_sha)
    return Answer(200, call.page(files[:MOST_FILES]))


@route("GET", PULL + "/comments", app=READ)
def list_line_comments(call: Call) -> Answer:
    """Reviews are whole here; nobody can comment on a line."""
    the_pull(call)
    return Answer(200, [])


# Merging.
@route("GET", PULL + "/merge", app=READ)
def is_merged(call: Call) -> Answer:
    if render.pull_of(the_pull(call)).merged_at is None:
        raise not_found()
    return Answer(204)


class MergeForm(Form):
    commit_title: str | None = None
    commit_message: str | None = None
    sha: str | None = None
    merge_method: Literal["merge", "squash", "rebase"] = "merge"


@route("PUT", PULL + "/merge", app="contents:write")
def merge(call: Call) -> Answer:
    form = call.form(MergeForm)
    wish = merging.MergeWish(form.sha, form.merge_method, form.commit_title, form.commit_message)
    made = merging.merge_pull(call.visit, the_pull(call), wish)
    return Answer(200, {"sha": made, "merged": True, "message": "Pull Request successfully merged"})


class UpdateForm(Form):
    expected_head_sha: str | None = None


@route("PUT", PULL + "/update-branch", app=WRITE)
def update_branch(call: Call) -> Answer:
    """Merge the base branch into the head branch."""
    issue, form, git = the_pull(call), call.form(UpdateForm), call.git
    pull = render.pull_of(issue)
    if form.expected_head_sha not in {None, pull.head_sha}:
        raise unprocessable("expected head sha didn't match current head ref.")
    base = git.branch(pull.base)
    if issue.state == "closed" or base is None:
        raise Problem(422, "Pull request is closed")
    if git.is_ancestor(base, pull.head_sha):
        raise unprocessable("There are no new commits on the base branch.")
    tree = call.world.merge_tree(call.repo, pull.head_sha, base)
    if tree is None:
        raise unprocessable("merge conflict between base and head")
    made = commit(
        call.visit,
        tree=tree,
        parents=[pull.head_sha, base],
        message=f"Merge branch '{pull.base}' into {pull.head}",
    )
    before, name = pull.head_sha, f"refs/heads/{pull.head}"
    git.set_ref(name, made, expected=before)
    moved(call.visit, name, before, made)
    return Answer(
        202, {"message": "Updating pull request branch.", "url": call.world.html(f"/{call.repo.full_name}")}
    )


# Reviewers.
class ReviewersForm(Form):
    reviewers: Sequence[str] = ()
    team_reviewers: Sequence[str] = ()


@route("GET", PULL + "/requested_reviewers", app=READ)
def list_reviewers(call: Call) -> Answer:
    shown = render.pull_simple(call.world, call.repo, the_pull(call))
    return Answer(200, {"users": shown["requested_reviewers"], "teams": shown["requested_teams"]})


@route("POST", PULL + "/requested_reviewers", app=WRITE)
def request_reviewers(call: Call) -> Answer:
    form, issue = call.form(ReviewersForm), the_pull(call)
    actions.request_reviewers(call.visit, issue, form.reviewers, form.team_reviewers)
    return Answer(201, render.pull_simple(call.world, call.repo, issue))


@route("DELETE", PULL + "/requested_reviewers", app=WRITE)
def remove_reviewers(call: Call) -> Answer:
    form, issue = call.form(ReviewersForm), the_pull(call)
    actions.remove_reviewers(call.visit, issue, form.reviewers, form.team_reviewers)
    return Answer(200, render.pull_simple(call.world, call.repo, issue))


# Reviews.
class NewReview(Form):
    body: str | None = None
    event: str | None = None
    commit_id: str | None = None


class SubmitForm(Form):
    event: str
    body: str | None = None


def _review(call: Call, issue: Issue, given: Any) -> Answer:
    return Answer(200, render.review(call.world, call.repo, issue, given))


@route("GET", PULL + "/reviews", app=READ)
def list_reviews(call: Call) -> Answer:
    """A pending review is shown to its author only."""
    issue = the_pull(call)
    seen = [
        one
        for one in render.pull_of(issue).reviews
        if one.state != "PENDING" or one.login == call.actor.login
    ]
    return Answer(200, [render.review(call.world, call.repo, issue, one) for one in call.page(seen)])


@route("POST", PULL + "/reviews", app=WRITE, role="read")
def create_review(call: Call) -> Answer:
    form, issue = call.form(NewReview), the_pull(call)
    made = reviews.create_review(
        call.visit,
        issue,
        event=form.event,
        body=form.body or "",
        commit=form.commit_id,
    )
    return _review(call, issue, made)


@route("GET", PULL + "/reviews/{review}", app=READ)
def get_review(call: Call) -> Answer:
    issue = the_pull(call)
    return _review(call, issue, reviews.find_review(issue, call.number("review")))


@route("POST", PULL + "/reviews/{review}/events", app=WRITE, role="read")
def submit_review(call: Call) -> Answer:
    form, issue = call.form(SubmitForm), the_pull(call)
    given = reviews.find_review(issue, call.number("review"))
    reviews.submit_review(call.visit, issue, given, event=form.event, body=form.body)
    return _review(call, issue, given)


@route("PUT", PULL + "/reviews/{review}/dismissals", app=WRITE)
def dismiss_review(call: Call) -> Answer:
    issue = the_pull(call)
    given = reviews.find_review(issue, call.number("review"))
    reviews.dismiss_review(call.visit, issue, given)
    return _review(call, issue, given)
