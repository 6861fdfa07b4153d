"""CODEOWNERS as GitHub reads it."""

import pytest

from bot.sandbox.github.owners import owners

FILE = """\
# everybody's
*            @everybody
*.md         @writers
/models/     @octo/ml @bob   # who knows them
/models/*.md
docs/**/x.py @deep
build        @builders
"""


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("a.yaml", ("everybody",)),
        ("deep/down/a.md", ("writers",)),
        ("models/fraud/pin.yaml", ("octo/ml", "bob")),
        ("models/a.md", ()),
        ("models/fraud/a.md", ("octo/ml", "bob")),
        ("other/models/a.yaml", ("everybody",)),
        ("docs/a/b/x.py", ("deep",)),
        ("src/build/out.o", ("builders",)),
        ("rebuild", ("everybody",)),
    ],
)
def test_the_last_line_that_matches_counts(path, expected):
    """Also where it names nobody."""
    assert owners(FILE, path) == expected
