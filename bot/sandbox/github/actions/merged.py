"""Writing down that a pull request was merged."""

from bot.sandbox.github.records import Issue
from bot.sandbox.github.render.pulls import pull_of
from bot.sandbox.github.visit import Visit


def finish_merge(at: Visit, issue: Issue, commit: str) -> None:
    pull = pull_of(issue)
    now = at.world.now()
    pull.merged_at, pull.merged_by, pull.merge_commit = now, at.actor.login, commit
    issue.state, issue.closed_at, issue.closed_by, issue.updated_at = "closed", now, at.actor.login, now
    at.repo.updated_at = now
