"""The wire of PyGithub: what went out and came back, held against GitHub's own description of its API."""

import json
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

import graphql
import jsonschema
import pytest
import requests

from bot.sandbox.github.graphql.execute import SCHEMA

NOT_IN_THE_SLICE = {
    ("GET", "/repos/{owner}/{repo}/issues"),
    ("POST", "/repos/{owner}/{repo}/issues"),
    ("GET", "/repos/{owner}/{repo}/issues/comments"),
    ("GET", "/repos/{owner}/{repo}/rules/branches/main"),
    ("POST", "/repos/{owner}/{repo}/dispatches"),
    ("GET", "/repos/{owner}/{repo}/actions/workflows/integration.yml/runs"),
    ("POST", "/repos/{owner}/{repo}/actions/workflows/integration.yml/dispatches"),
    ("GET", "/repos/{owner}/{repo}/actions/workflows/absent.yml/runs"),
    ("POST", "/repos/{owner}/{repo}/actions/workflows/absent.yml/dispatches"),
    ("GET", "/app/hook/config"),
    ("GET", "/repos/{owner}/{repo}/rules/branches/{branch}"),
}
"""Real operations of GitHub that the recorded description leaves out."""


@dataclass(frozen=True)
class Exchange:
    method: str
    path: str
    query: Mapping[str, str]
    body: Any
    status: int
    answer: Any = None
    host: str = ""

    def __str__(self) -> str:
        return f"{self.method} {self.path} {self.status}"


@dataclass
class Wire:
    """What went out, in order; a test may let calls fail.

    `denied`: the status that any path with such an end is answered with, without asking the server.
    `cut_after`: how many more answers arrive; the next request is carried out and its answer is lost.
    """

    exchanges: list[Exchange] = field(default_factory=list)
    denied: dict[str, int] = field(default_factory=dict)
    cut_after: int | None = None

    @property
    def calls(self) -> list[str]:
        """All but the fetching of tokens and of the App's own name, which happen once."""
        return [
            f"{each.method} {re.sub('/api/v3|/repos/[^/]+/[^/]+', '', each.path)}"
            for each in self.exchanges
            if "/app" not in each.path
        ]

    def denial(self, request: requests.PreparedRequest) -> requests.Response | None:
        path = urlsplit(request.url).path
        for end, status in self.denied.items():
            if path.endswith(end):
                response = requests.Response()
                response.status_code = status
                response.url = request.url
                response._content = json.dumps({"message": f"denied with {status}"}).encode()
                return response
        return None

    def deliver(self, response: requests.Response) -> requests.Response:
        if self.cut_after is not None:
            self.cut_after -= 1
            if self.cut_after < 0:
                raise requests.ConnectionError("the connection was lost before the answer came")
        return response


@contextmanager
def recorded() -> Iterator[Wire]:
    """Records each request of PyGithub's sessions and its answer, in every thread, while it is open."""
    wire = Wire()
    send = requests.adapters.HTTPAdapter.send

    def recording(self, request, **options):
        denied = wire.denial(request)  # a refusal is falsy
        response = send(self, request, **options) if denied is None else denied
        parts = urlsplit(request.url)
        wire.exchanges.append(
            Exchange(
                method=request.method,
                path=parts.path,
                query=dict(parse_qsl(parts.query)),
                body=_json(request.body),
                status=response.status_code,
                answer=_json(response.content),
                host=parts.netloc,
            )
        )
        return wire.deliver(response)

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(requests.adapters.HTTPAdapter, "send", recording)
        yield wire


@pytest.fixture
def wire() -> Iterator[Wire]:
    with recorded() as wire:
        yield wire


def _json(body: bytes | str | None) -> Any:
    """What a body holds; None for none, and for what is no JSON."""
    try:
        return json.loads(body) if body else None
    except ValueError:
        return None


def pattern(template: str) -> re.Pattern[str]:
    """A path of the description as a pattern; paths, refs and comparisons may hold slashes."""
    slashes = re.sub(r"\{(?:path|ref|basehead)\}", "(.+)", template)
    return re.compile(re.sub(r"\{[^/.]+\}", "([^/]+)", slashes))


def check_graphql(exchange: Exchange) -> None:
    """Fail for a document or variables that do not fit the schema.

    The recorded description has none of GraphQL: the schema is the part of GitHub's that the server speaks.
    """
    assert set(exchange.body) == {"query", "variables"}
    document = graphql.parse(exchange.body["query"])
    assert graphql.validate(SCHEMA, document) == []
    (operation,) = document.definitions
    values = graphql.execution.get_variable_values(
        SCHEMA, operation.variable_definitions, exchange.body["variables"]
    )
    assert isinstance(values, dict), values
    assert set(values) == set(exchange.body["variables"]), "a variable that the document does not have"


class Operations:
    """GitHub's own description of its API, cut down: what may be sent where, and what is answered."""

    def __init__(self, document: Mapping[str, Any]) -> None:
        self._schemas = {"components": {"schemas": document["schemas"]}}
        self._validators: dict[tuple[str, str], jsonschema.Draft202012Validator] = {}
        self._operations = [
            (operation["method"], pattern(operation["path"]), operation)
            # The longest first: a ref may hold slashes and would take what follows it.
            for operation in sorted(document["ops"], key=lambda each: -len(each["path"]))
        ]

    def check(self, exchange: Exchange) -> None:
        """Fail for an unknown operation, an unknown query parameter or field, a body or an answer that does
        not fit.
        """
        path = unquote(exchange.path).removeprefix("/api/v3")
        if exchange.path.endswith("/graphql"):
            check_graphql(exchange)
            return
        if any(
            method == exchange.method and pattern(template).fullmatch(path)
            for method, template in NOT_IN_THE_SLICE
        ):
            return
        found = [
            operation
            for method, shape, operation in self._operations
            if method == exchange.method and shape.fullmatch(path)
        ]
        assert found, f"GitHub describes no {exchange.method} {path}"
        self._check_request(exchange, found[0])
        self._check_answer(exchange, found[0])

    def _check_request(self, exchange: Exchange, operation: Mapping[str, Any]) -> None:
        assert set(exchange.query) <= set(operation["query"]), f"{exchange}: {dict(exchange.query)}"
        schema = operation["request"]
        if exchange.body is not None:
            assert schema is not None, f"{exchange} takes no body"
            self._validator(operation, "request", schema).validate(exchange.body)
            known = schema.get("properties")
            assert known is None or set(exchange.body) <= set(known), f"{exchange}: {sorted(exchange.body)}"

    def _check_answer(self, exchange: Exchange, operation: Mapping[str, Any]) -> None:
        schema = operation["responses"].get(str(exchange.status))
        if exchange.status < 400 and schema is not None and exchange.answer is not None:
            self._validator(operation, str(exchange.status), schema).validate(exchange.answer)

    def _validator(
        self, operation: Mapping[str, Any], part: str, schema: Mapping[str, Any]
    ) -> jsonschema.Draft202012Validator:
        key = (operation["id"], part)
        if key not in self._validators:
            self._validators[key] = jsonschema.Draft202012Validator({**schema, **self._schemas})
        return self._validators[key]


@pytest.fixture(scope="session")
def operations(shared_data) -> Operations:
    return Operations(json.loads((shared_data / "github-openapi-slice.json").read_bytes()))
