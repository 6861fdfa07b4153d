"""Writing down that a pull request was merged."""

from bot.sandbox.github.access import Actor
from bot.sandbox.github.records import Issue, Repository
from bot.sandbox.github.render.pulls import pull_of
from bot.sandbox.github.world import World


def finish_merge(world: World, repo: Repository, actor: Actor, issue: Issue, commit: str) -> None:
    pull = pull_of(issue)
    now = world.now()
    pull.merged_at, pull.merged_by, pull.merge_commit = now, actor.login, commit
    issue.state, issue.closed_at, issue.closed_by, issue.updated_at = "closed", now, actor.login, now
    repo.updated_at = now
