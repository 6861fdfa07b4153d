"""Asks the checks of a live candidate, each once: probes, parity with the logged model, workflows."""

import json
import logging
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from bot.domain import parity
from bot.domain.checks import AnyCheck, Asked, CheckResult, CheckState, Parity, Probe, Workflow, filled
from bot.domain.effects import Checked
from bot.domain.promotion import Promotion
from bot.jobs.outside import Outside
from bot.ports import Forge, HttpAnswer, HttpAsk, OutsideError, Refused, Unavailable, WorkflowRun

logger = logging.getLogger(__name__)

EXAMPLE = "serving_input_example.json"
"""MLflow writes it beside a model that is logged with `input_example`."""
EXPECTED = "slipway/expected_output.json"
"""Logged with the model by whoever trained it: what the model answers to its example."""
_NAMED_WITHIN = timedelta(minutes=3)
"""A run shows up seconds after its dispatch; one that never does has another name."""
_SHOWN = 600


@dataclass(frozen=True, slots=True)
class _Told:
    """How asking went; `again`: what is wrong now may be right in a moment."""

    state: CheckState
    reason: str
    sent: str = ""
    answered: str = ""
    url: str | None = None
    again: bool = False


class _CannotAskError(Exception):
    """What the check needs is missing; the message is for a person."""


class Checker:
    """Asks checks for one promotion at a time."""

    def __init__(self, outside: Outside) -> None:
        self._outside = outside

    def run(
        self, names: tuple[str, ...], checks: Mapping[str, AnyCheck], promotion: Promotion, forge: Forge
    ) -> Checked:
        """Ask each once. Trouble of others (registry, GitHub) leaves a check pending; nothing is raised."""
        before = {result.name: result for result in promotion.checks}

        def ask(name: str) -> CheckResult:
            return self._ask(name, checks[name], before.get(name), promotion, forge)

        known = [name for name in names if name in checks]
        over_http = [name for name in known if isinstance(checks[name], Asked)]
        # All at once: a command waits for the slowest, not for their sum. A forge belongs to one thread.
        with ThreadPoolExecutor(max(1, len(over_http))) as pool:
            asked = dict(zip(over_http, pool.map(ask, over_http), strict=True))
        return Checked(tuple(asked.get(name) or ask(name) for name in known))

    def _ask(
        self, name: str, check: AnyCheck, before: CheckResult | None, promotion: Promotion, forge: Forge
    ) -> CheckResult:
        now = self._outside.clock.now()
        since = before.since if before is not None else now
        try:
            told = self._told(
                name, check, promotion, forge, since, asked=before is not None and bool(before.sent)
            )
        except _CannotAskError as missing:
            told = _Told(CheckState.UNASKED, str(missing))
        except Unavailable as trouble:
            told = _Told(CheckState.PENDING, f"waiting for {trouble.system}: {trouble.message}")
        except OutsideError as trouble:
            told = _Told(CheckState.UNASKED, str(trouble))
        if told.again and isinstance(check, Asked) and now < since + check.patience:
            told = replace(told, state=CheckState.PENDING)
        return CheckResult(
            name=name,
            state=told.state,
            reason=told.reason,
            since=since,
            asked_at=now,
            sent=told.sent[:_SHOWN],
            answered=told.answered[:_SHOWN],
            url=told.url,
        )

    def _told(
        self,
        name: str,
        check: AnyCheck,
        promotion: Promotion,
        forge: Forge,
        since: datetime,
        *,
        asked: bool,
    ) -> _Told:
        match check:
            case Probe():
                return self._probe(check, promotion)
            case Parity():
                return self._parity(check, promotion)
            case Workflow():
                return self._workflow(name, check, promotion, forge, since, asked=asked)

    def _probe(self, check: Probe, promotion: Promotion) -> _Told:
        url = _address(check.probe, promotion)
        body = json.dumps(check.body).encode() if check.body is not None else None
        ask = HttpAsk(check.method, url, check.within.total_seconds(), body)

        def wrong(answer: HttpAnswer) -> str | None:
            if answer.status != check.status:
                return f"it answered {answer.status} instead of {check.status}"
            if not check.answer:
                return None
            document = _document(answer)
            for pointer, expected in check.answer.items():
                found = parity.difference(expected, parity.at(document, pointer), 0.0)
                if found is not None:
                    return f"{pointer or 'the whole answer'}: {found}"
            return None

        return self._asked(ask, wrong, "it answered as expected")

    def _parity(self, check: Parity, promotion: Promotion) -> _Told:
        example = self._logged(promotion, EXAMPLE, "log the model with `input_example=`")
        logged = self._logged(promotion, EXPECTED, "log what the model answers to its example there")
        expected = parity.predictions(logged)
        try:
            body = json.dumps(parity.body(example, check.sends)).encode()
        except (parity.Unsuitable, ValueError) as error:
            raise _CannotAskError(str(error)) from error
        ask = HttpAsk("POST", _address(check.parity, promotion), check.within.total_seconds(), body)

        def wrong(answer: HttpAnswer) -> str | None:
            if answer.status != 200:  # noqa: PLR2004 - OK
                return f"it answered {answer.status} to the model's own input example"
            found = parity.at(_document(answer), check.answer)
            return parity.difference(expected, found, check.tolerance)

        return self._asked(ask, wrong, "it answers its input example as the logged model does")

    def _asked(self, ask: HttpAsk, wrong: Callable[[HttpAnswer], str | None], right: str) -> _Told:
        sent = f"{ask.method} {ask.url}" + (f"\n{ask.body.decode()}" if ask.body is not None else "")
        try:
            answer = self._outside.prober.ask(ask)
        except Unavailable as trouble:
            return _Told(CheckState.FAILED, trouble.message, sent, again=True)
        answered = f"{answer.status}\n{answer.body[:_SHOWN].decode('utf-8', 'replace')}"
        try:
            found = wrong(answer)
        except parity.Unsuitable as error:
            found = str(error)
        if found is None:
            return _Told(CheckState.PASSED, right, sent, answered)
        return _Told(CheckState.FAILED, found, sent, answered, again=True)

    def _logged(self, promotion: Promotion, path: str, advice: str) -> Any:
        data = self._outside.registry.artifact(promotion.model, promotion.candidate, path)
        if data is None:
            raise _CannotAskError(f"version {promotion.candidate} has no `{path}`: {advice}")
        try:
            return json.loads(data)
        except ValueError as error:
            raise _CannotAskError(f"`{path}` of version {promotion.candidate} is no JSON") from error

    def _workflow(
        self,
        name: str,
        check: Workflow,
        promotion: Promotion,
        forge: Forge,
        since: datetime,
        *,
        asked: bool,
    ) -> _Told:
        began = promotion.live_at or promotion.stage_since
        mark = f"{promotion.id}-{name}-{began:%H%M%S}"
        address = _address(check.address, promotion) if check.address is not None else ""
        inputs = {
            "model": promotion.model,
            "version": promotion.candidate,
            "environment": promotion.environment,
            "address": address,
            "slipway": mark,
        }
        sent = f"{check.workflow} with " + ", ".join(f"{key}={value}" for key, value in inputs.items())
        try:
            # Looked for first: whoever dispatched it may have died before anybody wrote that down.
            run = forge.workflow_run(check.workflow, mark, began)
            if run is None and not asked:
                forge.dispatch_workflow(check.workflow, inputs)
        except Refused as refused:
            raise _CannotAskError(
                f"{check.workflow} cannot be dispatched: {refused.message} (the App needs the right "
                "`actions: write`, and the workflow `on: workflow_dispatch` with its five inputs)"
            ) from refused
        waited = self._outside.clock.now() - since
        if run is not None:
            return replace(_concluded(check, run, waited), sent=sent, url=run.url)
        if waited >= _NAMED_WITHIN:
            raise _CannotAskError(
                f"no run of {check.workflow} carries the input `slipway` in its name: "
                "give the workflow `run-name: ${{ inputs.slipway }}`"
            )
        return _Told(CheckState.PENDING, f"{check.workflow} was asked to run", sent)


def _concluded(check: Workflow, run: WorkflowRun, waited: timedelta) -> _Told:
    match run.conclusion:
        case None if waited >= check.within:
            return _Told(CheckState.FAILED, f"{check.workflow} has not ended in time")
        case None:
            return _Told(CheckState.PENDING, f"{check.workflow} runs")
        case "success" as said:
            return _Told(CheckState.PASSED, f"{check.workflow} succeeded", answered=said)
        case ("failure" | "timed_out") as said:
            return _Told(CheckState.FAILED, f"{check.workflow} failed", answered=said)
        case said:
            return _Told(CheckState.UNASKED, f"{check.workflow} ended as {said}", answered=said)


def _address(address: str, promotion: Promotion) -> str:
    names = {
        "model": promotion.model,
        "version": promotion.candidate,
        "environment": promotion.environment,
        "baseline": promotion.baseline or "",
    }
    return filled(address, names)


def _document(answer: HttpAnswer) -> Any:
    if answer.cut:
        raise parity.Unsuitable("the answer is larger than what is read of one")
    try:
        return json.loads(answer.body)
    except ValueError:
        raise parity.Unsuitable("the answer is no JSON") from None
