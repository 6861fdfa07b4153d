"""Repositories, branches and the rules of branches."""

from typing import Any
from urllib.parse import quote

from bot.sandbox.github.access import sees
from bot.sandbox.github.errors import not_found
from bot.sandbox.github.records import Protection
from bot.sandbox.github.render import repositories as render
from bot.sandbox.github.render.commits import commit_full
from bot.sandbox.github.routing import Answer, Call, Form, route

REPO = "/repos/{owner}/{repo}"


@route("GET", REPO, app="metadata:read")
def get_repository(call: Call) -> Answer:
    return Answer(200, render.full_repository(call.world, call.repo, call.actor))


class RepositoryForm(Form):
    description: str | None = None
    default_branch: str | None = None
    delete_branch_on_merge: bool | None = None
    allow_merge_commit: bool | None = None
    allow_squash_merge: bool | None = None
    allow_rebase_merge: bool | None = None


@route("PATCH", REPO, app="administration:write", role="admin")
def edit_repository(call: Call) -> Answer:
    form, repo = call.form(RepositoryForm), call.repo
    if form.default_branch is not None:
        if call.git.branch(form.default_branch) is None:
            raise not_found()
        repo.default_branch = form.default_branch
    if form.description is not None:
        repo.description = form.description
    if form.delete_branch_on_merge is not None:
        repo.delete_branch_on_merge = form.delete_branch_on_merge
    asked = {
        "merge": form.allow_merge_commit,
        "squash": form.allow_squash_merge,
        "rebase": form.allow_rebase_merge,
    }
    repo.merge_methods = [
        name for name, wish in asked.items() if wish or (wish is None and name in repo.merge_methods)
    ]
    return get_repository(call)


@route("GET", "/user/repos")
def list_own(call: Call) -> Answer:
    mine = [one for one in call.world.state.repositories.values() if sees(call.world, call.actor, one)]
    return Answer(200, [render.repository_for(call.world, one, call.actor) for one in call.page(mine)])


@route("GET", REPO + "/branches", app="contents:read")
def list_branches(call: Call) -> Answer:
    branches = call.page(list(call.git.branches().items()))
    return Answer(
        200,
        [
            {
                "name": name,
                "commit": {"sha": sha, "url": call.world.api(f"{render.path_of(call.repo)}/commits/{sha}")},
                "protected": name in call.repo.protections,
            }
            for name, sha in branches
        ],
    )


def _rules(call: Call) -> tuple[str, Protection | None]:
    branch = call.params["branch"]
    if call.git.branch(branch) is None:
        raise not_found("Branch not found")
    return branch, call.repo.protections.get(branch)


@route("GET", REPO + "/rules/branches/{branch:path}", app="metadata:read")
def list_branch_rules(call: Call) -> Answer:
    """Rules of rulesets, of which there are none here; classic protection is not told in this place."""
    return Answer(200, call.page([]))


@route("GET", REPO + "/branches/{branch:path}/protection", app="administration:read", role="admin")
def get_protection(call: Call) -> Answer:
    branch, rules = _rules(call)
    if rules is None:
        raise not_found("Branch not protected")
    return Answer(200, render.protection(call.world, call.repo, branch, rules))


def _guard(call: Call) -> None:
    """Let git itself refuse pushes that the rules forbid."""
    rules = call.repo.protections.items()
    call.git.guard({name: "straight" if rule.approvals is None else "closed" for name, rule in rules})


class ChecksForm(Form):
    strict: bool = False
    contexts: list[str] | None = None
    checks: list[dict[str, Any]] | None = None


class ReviewsForm(Form):
    required_approving_review_count: int = 1
    dismiss_stale_reviews: bool = False
    require_code_owner_reviews: bool = False


class ProtectionForm(Form):
    required_status_checks: ChecksForm | None
    required_pull_request_reviews: ReviewsForm | None
    enforce_admins: bool | None
    restrictions: dict[str, Any] | None
    required_linear_history: bool | None = None


@route("PUT", REPO + "/branches/{branch:path}/protection", app="administration:write", role="admin")
def set_protection(call: Call) -> Answer:
    branch, _ = _rules(call)
    form = call.form(ProtectionForm)
    checks, reviews = form.required_status_checks, form.required_pull_request_reviews
    named = [str(check.get("context")) for check in (checks.checks or [])] if checks is not None else []
    rules = Protection(
        approvals=reviews.required_approving_review_count if reviews is not None else None,
        contexts=sorted({*(checks.contexts or []), *named}) if checks is not None else None,
        strict=checks is not None and checks.strict,
        dismiss_stale=reviews is not None and reviews.dismiss_stale_reviews,
        code_owners=reviews is not None and reviews.require_code_owner_reviews,
        enforce_admins=bool(form.enforce_admins),
        linear_history=bool(form.required_linear_history),
    )
    call.repo.protections[branch] = rules
    _guard(call)
    return Answer(200, render.protection(call.world, call.repo, branch, rules))


@route("DELETE", REPO + "/branches/{branch:path}/protection", app="administration:write", role="admin")
def drop_protection(call: Call) -> Answer:
    branch, rules = _rules(call)
    if rules is None:
        raise not_found("Branch not protected")
    del call.repo.protections[branch]
    _guard(call)
    return Answer(204)


@route("GET", REPO + "/branches/{branch:path}", app="contents:read")
def get_branch(call: Call) -> Answer:
    branch, rules = _rules(call)
    sha = call.git.branch(branch) or ""
    commit = call.git.commit(sha)
    assert commit is not None
    url = call.world.api(f"{render.path_of(call.repo)}/branches/{quote(branch)}")
    shown: dict[str, Any] = {"enabled": False, "required_status_checks": {"contexts": [], "checks": []}}
    if rules is not None:
        checks = [{"context": context, "app_id": None} for context in rules.contexts or []]
        wanted = {"enforcement_level": "non_admins", "contexts": rules.contexts or [], "checks": checks}
        shown = {"enabled": True, "required_status_checks": wanted}
    return Answer(
        200,
        {
            "name": branch,
            "commit": commit_full(call.world, call.repo, commit),
            "_links": {"self": url, "html": call.world.html(f"/{call.repo.full_name}/tree/{branch}")},
            "protected": rules is not None,
            "protection": shown,
            "protection_url": f"{url}/protection",
        },
    )
