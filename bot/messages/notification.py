"""A notice in the words of a chat, and as JSON for programs."""

import re
from collections.abc import Mapping
from typing import Any

from bot.domain.notification import Happening, Notice
from bot.messages.escape import plain

_SAID = {
    Happening.OPENED: "📬 {what} is proposed",
    Happening.APPROVAL: "🙋 {what} is proposed and waits for approval",
    Happening.MERGED: "🚢 {what} is merged",
    Happening.PASSED: "✅ {what} passed",
    Happening.HELD: "✋ {what} is held: a person must decide",
    Happening.REVERTING: "↩️ {what} is being reverted",
    Happening.REVERTED: "↩️ {what} was reverted",
}
_BREAK = "\u200b"


def sentence(notice: Notice) -> str:
    """Slack's `mrkdwn`, which Mattermost reads too: what happened, why, and where."""
    model, version, place = chat(notice.model, 120), chat(notice.version, 20), chat(notice.environment, 60)
    what = f"*{model}* version {version} for {place}"
    head = _SAID[notice.happenings[-1]].format(what=what)
    where = f" (<{notice.url}|{chat(notice.repository)}#{notice.pull}>)" if notice.url else ""
    return f"{head}{where}\n{chat(notice.reason, 600)}"


def document(notice: Notice) -> Mapping[str, Any]:
    """The body of the signed webhook; a field is added, never changed, while `version` stays 1."""
    return {
        "version": 1,
        "id": notice.id,
        "event": str(notice.happenings[-1]),
        "events": [str(each) for each in notice.happenings],
        "at": notice.at.isoformat(),
        "repository": notice.repository,
        "model": notice.model,
        "model_version": notice.version,
        "baseline": notice.baseline,
        "environment": notice.environment,
        "actor": notice.actor,
        "reason": notice.reason,
        "pull_request": notice.pull,
        "url": notice.url,
    }


def chat(value: str, limit: int = 200) -> str:
    """Hostile text in a chat: nobody is called, nothing is a link, no mark is read."""
    line = plain(value, limit).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return re.sub(r"(@|\bwww(?=\.)|:(?=//|[\w+-]+:)|[*_~`](?=\S))", rf"\1{_BREAK}", line)
