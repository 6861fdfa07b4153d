"""CODEOWNERS: who must approve a change of which files. Pure."""

import re

PLACES = (".github/CODEOWNERS", "CODEOWNERS", "docs/CODEOWNERS")
"""Where GitHub looks for the file, on the base branch; the first one counts."""


def owners(text: str, path: str) -> tuple[str, ...]:
    """The owners of a file: those of the last line that matches it. `login` or `organisation/team`."""
    found: tuple[str, ...] = ()
    for line in text.splitlines():
        pattern, *names = line.partition("#")[0].split() or [""]
        if pattern and _pattern(pattern).fullmatch(path):
            found = tuple(name.removeprefix("@") for name in names)
    return found


def _pattern(written: str) -> re.Pattern[str]:
    """As in .gitignore: a slash inside ties it to the root, one at the end means all that is in a folder."""
    anchored = "/" in written.rstrip("/")
    body = re.escape(written.strip("/"))
    body = body.replace(r"\*\*", ".*").replace(r"\*", "[^/]*").replace(r"\?", "[^/]")
    below = "/.*" if written.endswith("/") else "(?:/.*)?"
    return re.compile(("" if anchored else "(?:.*/)?") + body + below)
