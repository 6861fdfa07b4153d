"""The endpoints whose paths would swallow others; registered last."""

from bot.sandbox.github.render.commits import commit_full
from bot.sandbox.github.rest.history import the_commit
from bot.sandbox.github.rest.repositories import REPO
from bot.sandbox.github.routing import Answer, Call, route


@route("GET", REPO + "/commits/{ref:path}", app="contents:read")
def get_commit(call: Call) -> Answer:
    return Answer(200, commit_full(call.world, call.repo, the_commit(call, call.params["ref"])))
