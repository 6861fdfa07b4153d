"""One call to the tracking server: how long it may take, and what its errors mean to us.

MLflow's client takes its limits from the environment of the process. Its defaults (120 s, seven
retries) would hang a job for a quarter of an hour; ours answer within six seconds, because a
promotion that waits is asked again later anyway:

    MLFLOW_HTTP_REQUEST_TIMEOUT=5        seconds to connect, and between two bytes
    MLFLOW_HTTP_REQUEST_MAX_RETRIES=0    the job waits and asks again, not the call
    MLFLOW_ALLOW_HTTP_REDIRECTS=false    a registry cannot send us to another address
    MLFLOW_DISABLE_TELEMETRY=true

A value that the operator has set stays.
"""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import MappingProxyType
from typing import TypeVar

from mlflow.exceptions import MlflowException, RestException

from bot.ports import Conflict, Forbidden, NotFound, OutsideError, Refused, Unavailable

SYSTEM = "MLflow"
LIMITS = MappingProxyType(
    {
        "MLFLOW_HTTP_REQUEST_TIMEOUT": "5",
        "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "0",
        "MLFLOW_ALLOW_HTTP_REDIRECTS": "false",
        "MLFLOW_DISABLE_TELEMETRY": "true",
    }
)

_BY_CODE: dict[str, type[Refused]] = {
    "RESOURCE_DOES_NOT_EXIST": NotFound,
    "NOT_FOUND": NotFound,
    "PERMISSION_DENIED": Forbidden,
    "UNAUTHENTICATED": Forbidden,
    "CUSTOMER_UNAUTHORIZED": Forbidden,
    "RESOURCE_ALREADY_EXISTS": Conflict,
    "RESOURCE_CONFLICT": Conflict,
    "ABORTED": Conflict,
    "INVALID_PARAMETER_VALUE": Refused,
    "BAD_REQUEST": Refused,
    "ENDPOINT_NOT_FOUND": Refused,
    "INVALID_STATE": Refused,
}
_BY_STATUS: dict[int, type[Refused]] = {401: Forbidden, 403: Forbidden, 404: NotFound, 409: Conflict}
_LONGEST_MESSAGE = 300

T = TypeVar("T")


def apply_limits() -> None:
    """Set the limits for this process, where the operator has not."""
    for name, value in LIMITS.items():
        os.environ.setdefault(name, value)


@contextmanager
def translated(what: str) -> Iterator[None]:
    """Raise our own errors instead of MLflow's; `what` names what was asked for.

    The client words its connection errors with the whole address, which may carry a password: they
    are replaced. A server's own sentence is kept, shortened.
    """
    try:
        yield
    except MlflowException as error:
        raise _translated(error, what) from error
    except OSError as error:  # requests' exceptions are OSErrors
        raise Unavailable(SYSTEM, f"no answer when asked for {what}") from error


def absent_as_none(call: Callable[[], T]) -> T | None:
    """The call's answer, None where the server says that it does not exist."""
    try:
        return call()
    except NotFound:
        return None


def refusal(status: int, what: str, message: str) -> OutsideError:
    """The error for a plain HTTP answer that is not 200."""
    if status == 429 or status >= 500:  # noqa: PLR2004 - HTTP's own numbers
        return Unavailable(SYSTEM, f"answered {status} when asked for {what}")
    return _BY_STATUS.get(status, Refused)(SYSTEM, f"{what}: {_short(message) or f'answered {status}'}")


def _translated(error: MlflowException, what: str) -> OutsideError:
    kind = _BY_CODE.get(error.error_code)
    if isinstance(error, RestException):
        status = error.get_http_status_code()
        if kind is None:
            return refusal(status, what, error.message)
        return kind(SYSTEM, f"{what}: {_short(error.message)}")
    if error.error_code == "ENDPOINT_NOT_FOUND" or "was successful" in error.message:
        # A page of something else: not found, or found and no JSON.
        return Refused(SYSTEM, "this address does not answer as an MLflow server")
    if kind is not None:
        return kind(SYSTEM, f"{what}: {_short(error.message)}")
    return Unavailable(SYSTEM, f"no answer when asked for {what}")


def _short(message: str) -> str:
    line = " ".join(str(message).split())
    return line if len(line) <= _LONGEST_MESSAGE else f"{line[:_LONGEST_MESSAGE]}…"
