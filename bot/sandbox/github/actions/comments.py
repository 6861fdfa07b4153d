"""Comments and reactions."""

from typing import Any

from bot.sandbox.github import events
from bot.sandbox.github.access import Actor
from bot.sandbox.github.actions.issues import check_body, may_edit
from bot.sandbox.github.errors import forbidden, invalid, not_found
from bot.sandbox.github.records import Comment, Issue, Reaction, Repository
from bot.sandbox.github.render.issues import REACTIONS
from bot.sandbox.github.render.issues import comment as render_comment
from bot.sandbox.github.render.issues import issue as render_issue
from bot.sandbox.github.visit import Visit
from bot.sandbox.github.world import World

JSON = dict[str, Any]


def find_comment(repo: Repository, number: int) -> Comment:
    if (found := repo.comments.get(number)) is None:
        raise not_found()
    return found


def create_comment(at: Visit, issue: Issue, body: str) -> Comment:
    if issue.locked and not _writes(at):
        raise forbidden("Unable to create comment because issue is locked.")
    _check(body)
    now = at.world.now()
    comment = Comment(at.world.new_id(), issue.number, at.actor.login, body, now, now, app=at.actor.app_id)
    at.repo.comments[comment.id] = comment
    issue.updated_at = now
    _emit(at, issue, comment, "created")
    return comment


def edit_comment(at: Visit, comment: Comment, body: str) -> None:
    may_edit(at, comment.login)
    _check(body)
    before, comment.body, comment.updated_at = comment.body, body, at.world.now()
    issue = at.repo.issues[comment.issue]
    _emit(at, issue, comment, "edited", {"changes": {"body": {"from": before}}})


def delete_comment(at: Visit, comment: Comment) -> None:
    may_edit(at, comment.login)
    _emit(at, at.repo.issues[comment.issue], comment, "deleted")
    del at.repo.comments[comment.id]


def _check(body: str) -> None:
    if not body.strip():
        raise invalid("IssueComment", "body", "custom", "body can't be blank")
    check_body("IssueComment", body)


def _writes(at: Visit) -> bool:
    return at.writes("issues") or at.role in {
        "maintain",
        "admin",
    }


def _emit(
    at: Visit,
    issue: Issue,
    comment: Comment,
    action: str,
    more: JSON | None = None,
) -> None:
    payload = {
        "issue": render_issue(at.world, at.repo, issue),
        "comment": render_comment(at.world, at.repo, comment),
        **(more or {}),
    }
    events.emit(at, "issue_comment", action, payload)


def react(world: World, actor: Actor, subject: Comment | Issue, content: str) -> tuple[Reaction, bool]:
    """The actor's reaction and whether it is new; the same twice is one. No webhook tells of it."""
    if content not in REACTIONS:
        raise invalid("Reaction", "content")
    for there in subject.reactions:
        if there.login == actor.login and there.content == content:
            return there, False
    made = Reaction(world.new_id(), actor.login, content, world.now())
    subject.reactions.append(made)
    return made, True


def unreact(actor: Actor, subject: Comment | Issue, number: int) -> None:
    found = next((r for r in subject.reactions if r.id == number), None)
    if found is None:
        raise not_found()
    if found.login != actor.login:
        raise forbidden("You may only delete your own reactions.")
    subject.reactions.remove(found)
