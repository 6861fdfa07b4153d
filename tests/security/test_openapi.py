"""schemathesis against Slipway's own description of its API, in this process and bounded."""

import hypothesis
import schemathesis
from hypothesis import HealthCheck, Phase
from hypothesis import strategies as st
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import status_code_conformance

from bot.webhooks.github import _READERS

EXAMPLES = 30
"""Of each route."""
BOUNDED = hypothesis.settings(
    max_examples=EXAMPLES,
    deadline=None,
    derandomize=True,
    database=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)


def operations(running):
    schema = schemathesis.openapi.from_asgi("/openapi.json", running.client.app)
    return {found.ok().path: found.ok() for found in schema.get_all_operations()}


def test_no_input_to_any_route_is_a_server_error(running):
    """Whatever is thrown at it is answered as the description says, and never with a 5xx."""
    tried = operations(running)
    for operation in tried.values():

        @BOUNDED
        @hypothesis.given(case=operation.as_strategy())
        def throw(case):
            case.validate_response(case.call(), checks=[not_a_server_error, status_code_conformance])

        throw()

    assert set(tried) >= {"/metrics", "/healthz", "/readyz", "/webhooks/github", "/webhooks/mlflow"}


def test_no_signed_input_is_a_server_error(running):
    """The same bodies with a right signature, as every event that is read."""
    found = operations(running)
    github, mlflow = found["/webhooks/github"], found["/webhooks/mlflow"]
    acts = running.acts()

    @BOUNDED
    @hypothesis.given(case=github.as_strategy(), event=st.sampled_from(sorted(_READERS)))
    def to_github(case, event):
        assert running.github(event, case.body).status_code in (202, 400)

    @BOUNDED
    @hypothesis.given(case=mlflow.as_strategy())
    def to_mlflow(case):
        assert running.mlflow(case.body).status_code in (202, 400)

    to_github()
    to_mlflow()
    running.world.drain()

    assert running.acts() == acts
