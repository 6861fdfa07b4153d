"""Comments and reactions."""

from typing import Any

from bot.sandbox.github import events
from bot.sandbox.github.access import Actor, may_write, role_of
from bot.sandbox.github.actions.issues import check_body, may_edit
from bot.sandbox.github.errors import forbidden, invalid, not_found
from bot.sandbox.github.records import Comment, Issue, Reaction, Repository
from bot.sandbox.github.render.issues import REACTIONS
from bot.sandbox.github.render.issues import comment as render_comment
from bot.sandbox.github.render.issues import issue as render_issue
from bot.sandbox.github.world import World

JSON = dict[str, Any]


def find_comment(repo: Repository, number: int) -> Comment:
    if (found := repo.comments.get(number)) is None:
        raise not_found()
    return found


def create_comment(world: World, repo: Repository, actor: Actor, issue: Issue, body: str) -> Comment:
    if issue.locked and not _writes(world, repo, actor):
        raise forbidden("Unable to create comment because issue is locked.")
    _check(body)
    now = world.now()
    comment = Comment(world.new_id(), issue.number, actor.login, body, now, now, app=actor.app_id)
    repo.comments[comment.id] = comment
    issue.updated_at = now
    _emit(world, repo, actor, issue, comment, "created")
    return comment


def edit_comment(world: World, repo: Repository, actor: Actor, comment: Comment, body: str) -> None:
    may_edit(world, repo, actor, comment.login)
    _check(body)
    before, comment.body, comment.updated_at = comment.body, body, world.now()
    issue = repo.issues[comment.issue]
    _emit(world, repo, actor, issue, comment, "edited", {"changes": {"body": {"from": before}}})


def delete_comment(world: World, repo: Repository, actor: Actor, comment: Comment) -> None:
    may_edit(world, repo, actor, comment.login)
    _emit(world, repo, actor, repo.issues[comment.issue], comment, "deleted")
    del repo.comments[comment.id]


def _check(body: str) -> None:
    if not body.strip():
        raise invalid("IssueComment", "body", "custom", "body can't be blank")
    check_body("IssueComment", body)


def _writes(world: World, repo: Repository, actor: Actor) -> bool:
    return may_write(world, repo, actor, "issues") or role_of(world, repo, actor.login) in {
        "maintain",
        "admin",
    }


def _emit(
    world: World,
    repo: Repository,
    actor: Actor,
    issue: Issue,
    comment: Comment,
    action: str,
    more: JSON | None = None,
) -> None:
    payload = {
        "issue": render_issue(world, repo, issue),
        "comment": render_comment(world, repo, comment),
        **(more or {}),
    }
    events.emit(world, repo, actor, "issue_comment", action, payload)


def react(world: World, actor: Actor, subject: Comment | Issue, content: str) -> tuple[Reaction, bool]:
    """The actor's reaction and whether it is new; reacting twice alike is one reaction. No webhook tells of it."""
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
