"""What the App, its installations and a branch's rules mean for Slipway. Pure."""

from collections.abc import Iterator, Sequence

from bot.domain import app_rights
from bot.domain.checks import Workflow
from bot.domain.config import Config
from bot.domain.finding import Finding, ok, problem, warning
from bot.domain.inspection import AppSeen, BranchSeen, InstallationSeen
from bot.domain.mistake import Mistake
from bot.domain.policy import Policy

AREA = "GitHub"
GATES = "slipway / gates"
CANARY = "slipway / canary"
_SECRET = "SLIPWAY_GITHUB_WEBHOOK_SECRET"  # noqa: S105  a setting's name
_UNAUTHORIZED = 401
_SUCCESS = range(200, 300)


def app(seen: AppSeen, public_url: str | None) -> Iterator[Finding]:
    """The App's rights, events and webhook."""
    subject = f"App {seen.slug}"
    lacking = app_rights.missing_permissions(seen.permissions, teams=False)
    deaf = app_rights.missing_events(seen.events)
    if not lacking and not deaf:
        yield ok(AREA, subject, "It answers, and has every right and event that Slipway needs.")
    place = f"the App's settings ({seen.page})" if seen.page else "the App's settings"
    for right in lacking:
        why = app_rights.WHY[right.partition(":")[0]]
        todo = f"Grant `{right}` under Permissions in {place}, and accept it in each installation."
        yield problem(AREA, subject, f"The App lacks `{right}`, which is there {why}.", todo)
    for event in deaf:
        yield problem(
            AREA,
            subject,
            f"GitHub does not tell of `{event}`; Slipway then learns of it minutes later.",
            f"Subscribe to `{event}` in {place}.",
        )
    if more := app_rights.unused_permissions(seen.permissions):
        yield warning(
            AREA,
            subject,
            f"The App holds more rights than Slipway ever uses: {_listed(more)}.",
            f"Take them away in {place}; Slipway's own tokens leave them out already.",
        )
    yield from _webhook(seen, subject, public_url, place)


def _webhook(seen: AppSeen, subject: str, public_url: str | None, place: str) -> Iterator[Finding]:
    if seen.webhook_url is None:
        yield warning(
            AREA,
            subject,
            "No address of a webhook is known, so nothing wakes Slipway but its own look every two minutes.",
            f"Set the webhook's address in {place} to that of Slipway, with `/webhooks/github` at its end.",
        )
        return
    if public_url is None:
        yield warning(
            AREA,
            subject,
            f"Webhooks go to {seen.webhook_url}; whether that is this Slipway is not known.",
            "Set SLIPWAY_PUBLIC_URL to the address under which GitHub reaches Slipway.",
        )
    elif seen.webhook_url.rstrip("/") != app_rights.webhook_url(public_url):
        yield problem(
            AREA,
            subject,
            f"Webhooks go to {seen.webhook_url}, not to {app_rights.webhook_url(public_url)}.",
            f"Correct the webhook's address in {place}, or SLIPWAY_PUBLIC_URL.",
        )
    yield from _answers(seen.answers, subject, place)


def _answers(answers: Sequence[int] | None, subject: str, place: str) -> Iterator[Finding]:
    """What the newest deliveries tell: the newest one counts, for older trouble may be over."""
    if not answers:
        return
    newest = answers[0]
    if newest in _SUCCESS:
        yield ok(AREA, subject, "Its newest webhook delivery arrived.")
        return
    failed = sum(status not in _SUCCESS for status in answers)
    told = f"{failed} of its {len(answers)} newest webhook deliveries failed, the last one with"
    if newest == _UNAUTHORIZED:
        todo = f"Make {_SECRET} and the webhook secret in {place} the same."
        yield problem(AREA, subject, f"{told} 401: the secrets differ.", todo)
    else:
        todo = "Look at Recent Deliveries there: the address must be reachable from GitHub."
        yield problem(AREA, subject, f"{told} {newest or 'no answer'}.", todo)


def installations(found: Sequence[InstallationSeen], slug: str) -> Iterator[Finding]:
    """Where the App is installed, and whether its new rights were accepted there."""
    if not any(each.repositories for each in found):
        todo = "Install it in the repository that holds slipway.yaml."
        yield problem(AREA, f"App {slug}", "It is installed in no repository.", todo)
    for each in found:
        subject = f"installation on {each.account}"
        if each.suspended:
            todo = f"Unsuspend it ({each.page})."
            yield problem(AREA, subject, "It is suspended, so that Slipway may do nothing there.", todo)
            continue
        lacking = app_rights.missing_permissions(each.permissions, teams=False)
        if lacking:
            yield problem(
                AREA,
                subject,
                f"It grants less than Slipway needs: {_listed(lacking)} is missing.",
                f"The owner of {each.account} accepts the App's new rights ({each.page}).",
            )
        elif each.repositories:
            names = _listed(sorted(each.repositories)[:5])
            more = f" and {len(each.repositories) - 5} more" if len(each.repositories) > 5 else ""  # noqa: PLR2004
            yield ok(AREA, subject, f"It covers {names}{more}.")


def branch(repository: str, seen: BranchSeen) -> Iterator[Finding]:
    """Whether only good bumps get into the branch, and whether Slipway itself can merge them."""
    todo = f"Protect `{seen.name}` of {repository}: require the check `{GATES}` before merging."
    if not seen.protected:
        sentence = f"`{seen.name}` is not protected: anybody who may write can merge past the gates."
        yield warning(AREA, repository, sentence, todo)
    elif GATES not in seen.checks:
        sentence = f"`{seen.name}` does not require `{GATES}`: a bump can be merged before its gates hold."
        yield warning(AREA, repository, sentence, todo)
    else:
        yield ok(AREA, repository, f"`{seen.name}` is protected and requires `{GATES}`.")
    if CANARY in seen.checks:
        yield problem(
            AREA,
            repository,
            f"`{seen.name}` requires `{CANARY}`, which exists only after the merge: nothing can be merged.",
            f"Take `{CANARY}` off the required checks.",
        )
    if seen.merge_queue:
        yield problem(
            AREA,
            repository,
            f"`{seen.name}` has a merge queue; Slipway merges exactly the commit that it made, without one.",
            "Let Slipway's App bypass the merge queue's ruleset.",
        )
    if seen.restricted:
        yield warning(
            AREA,
            repository,
            f"A ruleset lets only its bypass list update `{seen.name}`; who is on it cannot be seen.",
            "Put Slipway's App on the ruleset's bypass list.",
        )
    if seen.approvals:
        people = "1 person" if seen.approvals == 1 else f"{seen.approvals} people"
        yield ok(AREA, repository, f"{people} must approve a pull request before Slipway can merge it.")


def configuration(
    repository: str, commit: str, mistakes: Sequence[Mistake], config: Config | None
) -> Finding:
    """The file of the default branch."""
    if not mistakes and config is not None:
        count = len(config.promoted)
        what = "1 model" if count == 1 else f"{count} models"
        return ok(AREA, repository, f"slipway.yaml is right at {commit[:7]}: {what}.")
    first = mistakes[0]
    more = f", and {len(mistakes) - 1} more" if len(mistakes) > 1 else ""
    return problem(
        AREA,
        repository,
        f"slipway.yaml is wrong at {commit[:7]}: {first.file}:{first.line}: {first.message}{more}.",
        "Run `slipway check` in a checkout to see every mistake at its line.",
    )


def no_configuration(repositories: Sequence[str]) -> Finding:
    names = _listed(sorted(repositories)[:5])
    todo = "Add slipway.yaml to the default branch of your GitOps repository."
    return problem(AREA, "slipway.yaml", f"None of the repositories ({names}) has a slipway.yaml.", todo)


def teams(repository: str, policies: Sequence[Policy], granted: InstallationSeen) -> Iterator[Finding]:
    """Membership in teams can be asked for only with a right of its own."""
    named = {team for policy in policies for team in policy.approvals.teams}
    named |= {team for policy in policies for right in policy.commands.values() for team in right.teams}
    if named and app_rights.missing_permissions(granted.permissions, teams=True):
        yield problem(
            AREA,
            repository,
            f"Policies name teams ({_listed(sorted(named))}), whose members the App may not read.",
            "Grant `members: read` to the App, and accept it in the installation.",
        )


def workflows(repository: str, config: Config, granted: InstallationSeen) -> Iterator[Finding]:
    """Workflows can be dispatched only with a right of its own."""
    places = [place for model in config.promoted.values() for place in model.environments.values()]
    named = {
        check.workflow for place in places for check in place.checks.values() if isinstance(check, Workflow)
    }
    named |= {place.retrain.workflow for place in places if place.retrain and place.retrain.workflow}
    if named and not app_rights.may_start_workflows(granted.permissions):
        yield problem(
            AREA,
            repository,
            f"slipway.yaml names workflows ({_listed(sorted(named))}), which the App may not dispatch.",
            "Grant `actions: write` to the App, and accept it in the installation.",
        )


def _listed(names: Sequence[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)
