"""Relay connections: pages of a list by cursor."""

import base64
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from bot.sandbox.github.graphql.failure import Failure

MOST = 100


@dataclass(frozen=True, slots=True)
class Page:
    first: int | None = None
    last: int | None = None
    after: str | None = None
    before: str | None = None


def connection(name: str, items: Sequence[Any], page: Page) -> dict[str, Any]:
    """Raises GitHub's refusal where neither `first` nor `last` bounds the page."""
    if page.first is None and page.last is None:
        message = f"You must provide a `first` or `last` value to properly paginate the `{name}` connection."
        raise Failure("MISSING_PAGINATION_BOUNDARIES", message)
    for size in (page.first, page.last):
        if size is not None and not 0 <= size <= MOST:
            message = (
                f"Requesting {size} records on the `{name}` connection exceeds the limit of {MOST} records."
            )
            raise Failure("EXCESSIVE_PAGINATION", message)
    start = _position(page.after) + 1 if page.after is not None else 0
    end = _position(page.before) if page.before is not None else len(items)
    if page.first is not None:
        end = min(end, start + page.first)
    elif page.last is not None:
        start = max(start, end - page.last)
    chosen = list(enumerate(items))[start:end]
    edges = [{"cursor": _cursor(index), "node": item} for index, item in chosen]
    return {
        "nodes": [item for _, item in chosen],
        "edges": edges,
        "total_count": len(items),
        "page_info": {
            "start_cursor": edges[0]["cursor"] if edges else None,
            "end_cursor": edges[-1]["cursor"] if edges else None,
            "has_next_page": end < len(items),
            "has_previous_page": start > 0,
        },
    }


def _cursor(index: int) -> str:
    return base64.b64encode(f"cursor:{index}".encode()).decode()


def _position(cursor: str) -> int:
    try:
        return int(base64.b64decode(cursor, validate=True).decode().removeprefix("cursor:"))
    except ValueError:
        raise Failure(
            "INVALID_CURSOR_ARGUMENTS", f"`{cursor}` does not appear to be a valid cursor."
        ) from None
