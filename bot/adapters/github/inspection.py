"""Looking at the App, its installations and the rules of branches: reading only, nothing remembered."""

from collections.abc import Mapping, Sequence
from typing import Any

from github import Auth
from jwt import PyJWTError

from bot.adapters.github.app import JWT_SECONDS
from bot.adapters.github.client import Client, Shared
from bot.adapters.github.errors import SYSTEM
from bot.adapters.github.place import Place
from bot.domain.inspection import AppSeen, BranchSeen, InstallationSeen
from bot.ports import NotFound, Refused

_DELIVERIES = 30


class GitHubInspection:
    """Reads what `slipway doctor` asks. May be used by any thread: each question has a client of its own."""

    def __init__(self, app_id: int | str, private_key: str, base_url: str) -> None:
        auth = Auth.AppAuth(app_id, private_key, jwt_expiry=JWT_SECONDS)
        try:
            auth.create_jwt()
        except (PyJWTError, ValueError, TypeError):
            raise Refused(SYSTEM, "the App's private key is no key in PEM format") from None
        self._shared = Shared(base_url=base_url, app_auth=auth)

    def app(self) -> AppSeen:
        client = Client(self._shared, None)
        found = client.get("/app")
        return AppSeen(
            slug=str(found["slug"]),
            page=str(found.get("html_url") or ""),
            permissions=dict(found.get("permissions") or {}),
            events=tuple(found.get("events") or ()),
            webhook_url=_webhook(client),
            answers=_answers(client),
        )

    def installations(self) -> Sequence[InstallationSeen]:
        return [self._seen(each) for each in Client(self._shared, None).pages("/app/installations")]

    def _seen(self, installation: Mapping[str, Any]) -> InstallationSeen:
        suspended = installation.get("suspended_at") is not None
        names: tuple[str, ...] = ()
        if not suspended:
            client = Client(self._shared, (int(installation["id"]), None))
            listing = client.pages("/installation/repositories", "repositories")
            names = tuple(str(each["full_name"]) for each in listing)
        return InstallationSeen(
            id=int(installation["id"]),
            account=str((installation.get("account") or {}).get("login") or "?"),
            page=str(installation.get("html_url") or ""),
            permissions=dict(installation.get("permissions") or {}),
            repositories=names,
            suspended=suspended,
        )

    def default_branch(self, installation: int, repository: str) -> BranchSeen:
        """The rules of the branch that promotions are merged into."""
        owner, _, name = repository.partition("/")
        client = Client(self._shared, (installation, repository))
        place = Place(client=client, owner=owner, name=name, bot_login="")
        branch = str(client.get(place.url())["default_branch"])
        classic = client.get(place.url("branches", branch))
        return _branch(branch, classic, _rules(place, branch))


def _webhook(client: Client) -> str | None:
    try:
        return client.get("/app/hook/config").get("url") or None
    except NotFound:
        return None


def _answers(client: Client) -> tuple[int, ...] | None:
    try:
        listed = client.get("/app/hook/deliveries", per_page=_DELIVERIES)
    except NotFound:
        return None
    return tuple(int(each.get("status_code") or 0) for each in listed)


def _rules(place: Place, branch: str) -> Sequence[Mapping[str, Any]]:
    """The rulesets' rules; none where the server has no rulesets."""
    try:
        found = place.client.get(place.url("rules", "branches", branch))
    except NotFound:
        return ()
    return found if isinstance(found, list) else ()


def _branch(name: str, classic: Mapping[str, Any], rules: Sequence[Mapping[str, Any]]) -> BranchSeen:
    kinds = {str(rule.get("type")): dict(rule.get("parameters") or {}) for rule in rules}
    required = (classic.get("protection") or {}).get("required_status_checks") or {}
    listed = kinds.get("required_status_checks", {}).get("required_status_checks") or ()
    return BranchSeen(
        name=name,
        protected=bool(classic.get("protected")) or bool(kinds),
        checks=frozenset(required.get("contexts") or ()) | {str(check["context"]) for check in listed},
        approvals=int(kinds.get("pull_request", {}).get("required_approving_review_count") or 0),
        merge_queue="merge_queue" in kinds,
        restricted="update" in kinds,
    )
