"""Running a GraphQL document."""

import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from graphql import GraphQLError, GraphQLResolveInfo, build_schema, graphql_sync

from bot.sandbox.github.access import Actor
from bot.sandbox.github.errors import Problem, not_found
from bot.sandbox.github.graphql.failure import Failure, from_problem
from bot.sandbox.github.graphql.lookup import Asker
from bot.sandbox.github.graphql.mutations import MUTATIONS
from bot.sandbox.github.graphql.nodes import Person
from bot.sandbox.github.graphql.repository import RefNode, RepositoryNode
from bot.sandbox.github.graphql.subjects import PullNode
from bot.sandbox.github.render.people import timestamp
from bot.sandbox.github.world import World

JSON = dict[str, Any]
SCHEMA = build_schema(Path(__file__).with_name("schema.graphql").read_text(encoding="utf-8"))


def execute(world: World, actor: Actor, body: JSON) -> JSON:
    """The answer to `{"query": …, "variables": …}`; refusals stand in `errors`, with GitHub's `type`."""
    query, variables = body.get("query"), body.get("variables")
    if not isinstance(query, str):
        return {"errors": [{"message": "A query attribute must be specified and must be a string."}]}
    result = graphql_sync(
        SCHEMA,
        query,
        root_value=Root(Asker(world, actor)),
        context_value=Asker(world, actor),
        variable_values=variables if isinstance(variables, dict) else None,
        operation_name=body.get("operationName"),
        field_resolver=_resolve,
        type_resolver=lambda value, *_: value.typename,
    )
    said: JSON = {"data": result.data} if result.data is not None or not result.errors else {}
    if result.errors:
        said["errors"] = [_shown(error) for error in result.errors]
    return said


def _shown(error: GraphQLError) -> JSON:
    shown: JSON = dict(error.formatted)
    original = error.original_error
    if isinstance(original, Problem):
        original = from_problem(original)
    if isinstance(original, Failure):
        return {"type": original.kind, **shown, "message": str(original)}
    if original is not None:
        raise original
    return shown


def snake(name: str) -> str:
    """`headRefOid` → `head_ref_oid`; runs of capitals count as one word (`commitOID` → `commit_oid`)."""
    return re.sub(r"(?<=[a-z0-9])([A-Z]+)", lambda found: "_" + found[0], name).lower()


def _resolve(source: Any, info: GraphQLResolveInfo, **arguments: Any) -> Any:
    name = snake(info.field_name)
    if isinstance(source, dict):
        return source.get(name)
    if name in {"repository", "head_repository", "base_repository"} and not isinstance(source, Root):
        return RepositoryNode(source.at)
    if isinstance(source, PullNode) and name in {"head_ref", "base_ref"}:
        return _ref(source, source.pull.head if name == "head_ref" else source.pull.base)
    value = getattr(source, name)
    return (
        value(**{snake(key): _plain(given) for key, given in arguments.items()}) if callable(value) else value
    )


def _ref(source: PullNode, branch: str) -> RefNode | None:
    name = f"refs/heads/{branch}"
    return RefNode(source.at, name) if source.at.git.ref(name) is not None else None


def _plain(value: Any) -> Any:
    """Input objects with snake_case keys."""
    if isinstance(value, dict):
        return {snake(key): _plain(inner) for key, inner in value.items()}
    return [_plain(one) for one in value] if isinstance(value, list) else value


class Root:
    """Queries, and mutations by name."""

    def __init__(self, ask: Asker) -> None:
        self._ask = ask

    def __getattr__(self, name: str) -> Any:
        mutation = MUTATIONS[name]

        def run(**arguments: Any) -> JSON:
            given = arguments["input"]
            return mutation(self._ask, given) | {"client_mutation_id": given.get("client_mutation_id")}

        return run

    @property
    def viewer(self) -> Person:
        return Person(self._ask.world, self._ask.world.known_account(self._ask.actor.login), as_user=True)

    def repository(self, owner: str, name: str, follow_renames: bool = True) -> RepositoryNode:  # noqa: FBT001, FBT002 - arguments of the query
        del follow_renames
        return self._ask.repository(owner, name)

    def node(self, id: str) -> Any:  # noqa: A002 - the argument's name
        return self._ask.node(id)

    def nodes(self, ids: list[str]) -> list[Any]:
        return [self._ask.node(one) for one in ids]

    def user(self, login: str) -> Person:
        account = self._ask.world.account(login)
        if account is None or account.kind != "User":
            raise not_found(f"Could not resolve to a User with the login of '{login}'.")
        return Person(self._ask.world, account)

    def organization(self, login: str) -> Person:
        account = self._ask.world.account(login)
        if account is None or account.kind != "Organization":
            raise not_found(f"Could not resolve to an Organization with the login of '{login}'.")
        return Person(self._ask.world, account)

    def rate_limit(self, dry_run: bool = False) -> JSON:  # noqa: FBT001, FBT002 - an argument of the query
        del dry_run
        world, key = self._ask.world, self._ask.actor.key
        used, reset = world.limits.used(key)
        ends = timestamp(datetime.fromtimestamp(reset, UTC))
        rest = max(world.rate_limit - used, 0)
        return {
            "cost": 1,
            "limit": world.rate_limit,
            "node_count": 1,
            "remaining": rest,
            "reset_at": ends,
            "used": used,
        }
