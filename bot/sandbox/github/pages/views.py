"""What the pages show, as plain values for the templates."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import pygit2

from bot.sandbox.github.actions.checks import latest_checks
from bot.sandbox.github.actions.mergeable import GOOD, check_results, latest_reviews, mergeability
from bot.sandbox.github.pages.markdown import render
from bot.sandbox.github.records import CheckRun, Comment, Issue, Reaction, Repository, Review
from bot.sandbox.github.render.commits import diff_entries
from bot.sandbox.github.render.issues import comments_of, html_path, labels
from bot.sandbox.github.render.pulls import pull_of
from bot.sandbox.github.visit import Visit

JSON = dict[str, Any]
EMOJI = {
    "+1": "👍",
    "-1": "👎",
    "laugh": "😄",
    "confused": "😕",
    "heart": "❤️",
    "hooray": "🎉",
    "eyes": "👀",
    "rocket": "🚀",
}
ICONS = {"success": "✓", "failure": "✕", "pending": "●"}
MOST_DIFF_LINES = 5000


def when(moment: datetime) -> str:
    return f"{moment:%d %b %Y, %H:%M:%S} UTC"


def word_of(issue: Issue) -> str:
    if issue.pull is not None and issue.pull.merged_at is not None:
        return "merged"
    return "draft" if issue.pull is not None and issue.pull.draft and issue.state == "open" else issue.state


def outcome(results: list[str]) -> str | None:
    """One word for several conclusions; None for none."""
    if not results:
        return None
    if any(one not in GOOD | {"pending"} for one in results):
        return "failure"
    return "pending" if "pending" in results else "success"


def listed(at: Visit, issue: Issue) -> JSON:
    """A row of a list of issues or pull requests."""
    pull = issue.pull
    results = list(check_results(at.repo, pull.head_sha).values()) if pull is not None else []
    word = word_of(issue)
    return {
        "number": issue.number,
        "title": issue.title,
        "login": issue.login,
        "when": when(issue.created_at),
        "word": word,
        "icon": {"merged": "⮌", "closed": "⊘", "draft": "◌"}.get(word, "⊙" if pull is None else "⇄"),
        "url": html_path(at.repo, issue),
        "labels": labels(at.world, at.repo, issue),
        "comments": len(comments_of(at.repo, issue.number)),
        "head": pull.head if pull is not None else None,
        "checks": outcome(results),
    }


@dataclass(frozen=True)
class _Said:
    moment: datetime
    number: int
    values: JSON


def talk(at: Visit, issue: Issue) -> list[JSON]:
    """The opening text, comments and reviews in the order they were written."""
    opening: JSON = {
        "anchor": "top",
        "login": issue.login,
        "deed": "opened this",
        "when": when(issue.created_at),
    }
    opening |= {"html": render(issue.body), "reactions": _reactions(issue.reactions)}
    rest = [_comment(one) for one in comments_of(at.repo, issue.number)]
    if issue.pull is not None:
        rest += [_review(one, one.submitted_at) for one in issue.pull.reviews if one.submitted_at is not None]
    said = [opening, *(one.values for one in sorted(rest, key=lambda one: (one.moment, one.number)))]
    return [one | {"bot": one["login"].endswith("[bot]")} for one in said]


def _comment(comment: Comment) -> _Said:
    return _Said(
        comment.created_at,
        comment.id,
        {
            "anchor": f"issuecomment-{comment.id}",
            "login": comment.login,
            "deed": "commented",
            "when": when(comment.created_at),
            "edited": comment.updated_at != comment.created_at,
            "html": render(comment.body),
            "reactions": _reactions(comment.reactions),
        },
    )


def _review(review: Review, submitted: datetime) -> _Said:
    return _Said(
        submitted,
        review.id,
        {
            "anchor": f"pullrequestreview-{review.id}",
            "login": review.login,
            "deed": "reviewed",
            "when": when(submitted),
            "state": review.state,
            "html": render(review.body) if review.body else None,
        },
    )


def _reactions(records: list[Reaction]) -> dict[str, list[str]]:
    grouped: dict[str, list[str]] = {}
    for one in records:
        grouped.setdefault(one.content, []).append(one.login)
    return grouped


def check(record: CheckRun) -> JSON:
    word = outcome([record.conclusion or "pending"]) or "pending"
    return {
        "id": record.id,
        "name": record.name,
        "word": word,
        "icon": ICONS[word],
        "title": record.title or record.conclusion or record.status.replace("_", " "),
        "summary": render(record.summary),
        "text": render(record.text),
        "url": record.details_url,
        "rerun": record.conclusion is not None,
    }


def checks(repo: Repository, sha: str) -> list[JSON]:
    runs = [
        check(one) for one in reversed(latest_checks([c for c in repo.checks.values() if c.head_sha == sha]))
    ]
    for one in {one.context: one for one in repo.statuses if one.sha == sha}.values():
        word = outcome([one.state]) or "pending"
        runs.append(
            {
                "id": one.id,
                "name": one.context,
                "word": word,
                "icon": ICONS[word],
                "title": one.description or one.state,
                "summary": "",
                "url": one.target_url,
                "rerun": False,
            }
        )
    return runs


def verdict(at: Visit, issue: Issue) -> JSON:
    """The last line of the merge box."""
    pull = pull_of(issue)
    if pull.merged_at is not None:
        text = f"{pull.merged_by} merged it on {when(pull.merged_at)} as {(pull.merge_commit or '')[:7]}."
        return {"word": "success", "icon": "✓", "title": "Merged", "text": text, "ready": False}
    if issue.state == "closed":
        return {
            "word": "failure",
            "icon": "✕",
            "title": "Closed",
            "text": "It was not merged.",
            "ready": False,
        }
    found = mergeability(at.world, at.repo, issue)
    if found.tree is None:
        text = f"Conflicts with {pull.base} must be resolved."
        return {"word": "failure", "icon": "✕", "title": "Cannot be merged", "text": text, "ready": False}
    if found.refusal is not None:
        return {
            "word": "pending",
            "icon": "●",
            "title": "Merging is blocked",
            "text": found.refusal,
            "ready": False,
        }
    text = f"No conflicts with {pull.base}."
    return {"word": "success", "icon": "✓", "title": "Ready to merge", "text": text, "ready": not pull.draft}


def reviewers(issue: Issue) -> dict[str, str]:
    pull = pull_of(issue)
    asked = dict.fromkeys([*pull.reviewers, *pull.teams], "was asked")
    given = {login: state.replace("_", " ").lower() for login, state in latest_reviews(issue).items()}
    return asked | given


def commit(at: Visit, found: pygit2.Commit) -> JSON:
    title, _, body = found.message.partition("\n")
    return {
        "sha": str(found.id),
        "title": title,
        "body": body.strip(),
        "author": found.author.name,
        "when": when(datetime.fromtimestamp(found.commit_time, UTC)),
        "verified": str(found.id) in at.repo.verified,
    }


def files(at: Visit, base: str | None, head: str) -> list[JSON]:
    entries = diff_entries(at.world, at.repo, at.git.diff(base, head), head)
    return [
        {
            "name": one["filename"],
            "previous": one.get("previous_filename"),
            "status": one["status"],
            "added": one["additions"],
            "removed": one["deletions"],
            "lines": diff_lines(one.get("patch", "")),
        }
        for one in entries
    ]


def diff_lines(patch: str) -> list[JSON]:
    """A patch with line numbers: kind is `hunk`, `add`, `del` or `same`."""
    lines: list[JSON] = []
    old = new = 0
    for text in patch.splitlines()[:MOST_DIFF_LINES]:
        if text.startswith("@@"):
            before, after = text.split(" ")[1:3]
            old, new = int(before[1:].split(",")[0]), int(after[1:].split(",")[0])
            lines.append({"kind": "hunk", "old": None, "new": None, "text": text})
        elif text.startswith("+"):
            lines.append({"kind": "add", "old": None, "new": new, "text": text})
            new += 1
        elif text.startswith("-"):
            lines.append({"kind": "del", "old": old, "new": None, "text": text})
            old += 1
        else:
            lines.append({"kind": "same", "old": old or None, "new": new or None, "text": text})
            old, new = old + 1, new + 1
    return lines


def deployments(repo: Repository) -> dict[str, list[JSON]]:
    """Newest first, by environment."""
    grouped: dict[str, list[JSON]] = {}
    for one in reversed(repo.deployments.values()):
        last = one.statuses[-1] if one.statuses else None
        grouped.setdefault(one.environment, []).append(
            {
                "environment": one.environment,
                "state": last.state if last is not None else "pending",
                "description": (last.description if last is not None else "") or one.description or "",
                "login": one.login,
                "when": when(last.created_at if last is not None else one.created_at),
                "sha": one.sha,
                "url": last.environment_url if last is not None else "",
            }
        )
    return grouped
