"""What was sent to the App's webhook, and sending it again."""

from bot.sandbox.github import events
from bot.sandbox.github.errors import Problem, not_found
from bot.sandbox.github.records import Delivery
from bot.sandbox.github.render.apps import delivery, delivery_item
from bot.sandbox.github.rest.apps import the_app
from bot.sandbox.github.routing import MOST_PER_PAGE, PER_PAGE, Answer, Call, route

OK = range(200, 300)


def _own(call: Call) -> list[Delivery]:
    """Newest first; what is still on its way is not listed yet."""
    app = the_app(call)
    return [
        one for one in reversed(call.world.state.deliveries) if one.app == app.id and one.status != "pending"
    ]


def _find(call: Call) -> Delivery:
    number = call.number("delivery")
    found = next((one for one in _own(call) if one.id == number), None)
    if found is None:
        raise not_found()
    return found


@route("GET", "/app/hook/deliveries")
def list_deliveries(call: Call) -> Answer:
    """Pages go by cursor: `next` of the Link header names it."""
    found = _own(call)
    status = call.query.get("status")
    if status is not None:
        if status not in {"success", "failure"}:
            raise Problem(422, "Invalid status parameter")
        found = [one for one in found if (one.status_code in OK) == (status == "success")]
    cursor = call.query.get("cursor")
    if cursor is not None:
        if not cursor.removeprefix("v1_").isdecimal():
            raise Problem(400, "Invalid cursor")
        found = [one for one in found if one.id < int(cursor.removeprefix("v1_"))]
    asked = call.query.get("per_page", "")
    size = min(int(asked), MOST_PER_PAGE) if asked.isdecimal() and asked != "0" else PER_PAGE
    if len(found) > size:
        call.link("next", {"cursor": f"v1_{found[size - 1].id}"})
    return Answer(200, [delivery_item(one) for one in found[:size]])


@route("GET", "/app/hook/deliveries/{delivery}")
def get_delivery(call: Call) -> Answer:
    return Answer(200, delivery(call.world, _find(call)))


@route("POST", "/app/hook/deliveries/{delivery}/attempts")
def redeliver(call: Call) -> Answer:
    events.redeliver(call.world, the_app(call), _find(call))
    return Answer(202, {})
