"""Comments and reactions."""

from bot.sandbox.github.actions import comments as actions
from bot.sandbox.github.records import Comment, Issue, Reaction
from bot.sandbox.github.render import issues as render
from bot.sandbox.github.render.people import timestamp
from bot.sandbox.github.rest.issues import ISSUE, READ, WRITE, the_issue
from bot.sandbox.github.rest.repositories import REPO
from bot.sandbox.github.routing import Answer, Call, Form, route

COMMENT = REPO + "/issues/comments/{comment}"


class CommentForm(Form):
    body: str


def the_comment(call: Call) -> Comment:
    return actions.find_comment(call.repo, call.number("comment"))


def _shown(call: Call, comment: Comment) -> Answer:
    return Answer(200, render.comment(call.world, call.repo, comment))


@route("GET", ISSUE + "/comments", app=READ)
def list_comments(call: Call) -> Answer:
    return _listed(call, render.comments_of(call.repo, the_issue(call).number))


@route("GET", REPO + "/issues/comments", app=READ)
def list_all_comments(call: Call) -> Answer:
    return _listed(call, list(call.repo.comments.values()))


def _listed(call: Call, found: list[Comment]) -> Answer:
    if since := call.query.get("since"):
        found = [one for one in found if timestamp(one.updated_at) >= since]
    return Answer(200, [render.comment(call.world, call.repo, one) for one in call.page(found)])


@route("POST", ISSUE + "/comments", app=WRITE, role="read")
def create_comment(call: Call) -> Answer:
    made = actions.create_comment(call.visit, the_issue(call), call.form(CommentForm).body)
    shown = render.comment(call.world, call.repo, made)
    return Answer(201, shown, {"Location": shown["url"]})


@route("GET", COMMENT, app=READ)
def get_comment(call: Call) -> Answer:
    return _shown(call, the_comment(call))


@route("PATCH", COMMENT, app=WRITE, role="read")
def edit_comment(call: Call) -> Answer:
    comment = the_comment(call)
    actions.edit_comment(call.visit, comment, call.form(CommentForm).body)
    return _shown(call, comment)


@route("DELETE", COMMENT, app=WRITE, role="read")
def delete_comment(call: Call) -> Answer:
    actions.delete_comment(call.visit, the_comment(call))
    return Answer(204)


# Reactions to a comment or an issue.
class ReactionForm(Form):
    content: str


def _list(call: Call, subject: Comment | Issue) -> Answer:
    wanted = call.query.get("content")
    found: list[Reaction] = [one for one in subject.reactions if wanted in {None, one.content}]
    return Answer(200, [render.reaction(call.world, one) for one in call.page(found)])


def _react(call: Call, subject: Comment | Issue) -> Answer:
    made, new = actions.react(call.world, call.actor, subject, call.form(ReactionForm).content)
    return Answer(201 if new else 200, render.reaction(call.world, made))


@route("GET", COMMENT + "/reactions", app=READ)
def list_reactions(call: Call) -> Answer:
    return _list(call, the_comment(call))


@route("POST", COMMENT + "/reactions", app=WRITE, role="read")
def react(call: Call) -> Answer:
    return _react(call, the_comment(call))


@route("DELETE", COMMENT + "/reactions/{reaction}", app=WRITE, role="read")
def unreact(call: Call) -> Answer:
    actions.unreact(call.actor, the_comment(call), call.number("reaction"))
    return Answer(204)


@route("GET", ISSUE + "/reactions", app=READ)
def list_issue_reactions(call: Call) -> Answer:
    return _list(call, the_issue(call))


@route("POST", ISSUE + "/reactions", app=WRITE, role="read")
def react_to_issue(call: Call) -> Answer:
    return _react(call, the_issue(call))


@route("DELETE", ISSUE + "/reactions/{reaction}", app=WRITE, role="read")
def unreact_to_issue(call: Call) -> Answer:
    actions.unreact(call.actor, the_issue(call), call.number("reaction"))
    return Answer(204)
