"""Whoever writes in the registry does not speak through Slipway's pull request."""

import re

import pytest
from markdown_it import MarkdownIt

from bot.domain.evidence import Column, Dataset, Metric, Signature
from tests.fakes import samples

TRIES = {
    "mention": "@octocat and @org/team",
    "html": "<img src=x onerror=y></details><h1>Approved</h1>",
    "image": "![x](https://evil.example/pixel.png)",
    "link": "[click](https://evil.example) <https://evil.example> www.evil.example",
    "table": "a | b\n| --- | --- |\n| c | d |",
    "backticks": "` `` ``` ~~~ `code`",
    "right to left": "safe\u202egpj.exe\u2066\u200f",
    "path": "../../x",
    "not a name": "a/b:c",
    "200 kB": "long @octocat " * 14_000,
    "command": "/promote\n\n/promote",
    "issue": "fixes #1, closes GH-2",
    "template": "{candidate.version} ${{ secrets.TOKEN }} {{ x }}",
}
FOREIGN = re.compile(r"<(?!/?(?:details|summary|sub)>|!-- slipway:[\w.-]+ -->)")
GATES = b'gates:\n  - {id: says, expression: "false", message: "by {candidate.creator}: {candidate.description}"}\n'


def hostile(said):
    """A version that says it everywhere."""
    return samples.evidence(
        "1",
        creator=said,
        description=said,
        tags={said: said},
        metrics=(Metric(said, 0.5, said, said),),
        parameters={said: said},
        signature=Signature((Column(said, said),), (Column(said, said),)),
        datasets=(Dataset(said, said, said),),
        git_commit=said,
        git_branch=said,
        git_repository=said,
        flavors=(said,),
        python_version=said,
        libraries={said: said},
        licence=said,
        prompts=(said,),
        unreadable=(said,),
    )


@pytest.mark.parametrize("said", TRIES.values(), ids=TRIES)
def test_what_a_version_says_of_itself_is_shown_and_does_nothing(world, said):
    """In the body, the status comment, the title, the commit and the branch."""
    world.configure({"policies/quick.yaml": GATES})
    number = world.registry.add_version("fraud", tags={said: said}, evidence=hostile(said))
    world.alias(number)
    pull = world.forge.pulls[world.newest().pull]
    commit = world.forge.commits[pull.head_sha].message

    assert pull.title == f"Promote fraud version {number} to production"
    assert commit.splitlines()[0] == pull.title
    assert re.fullmatch(r"slipway/[\w-]+/[0-9a-f]{12}", pull.branch, re.ASCII)
    for text in (world.forge.bodies[pull.number], world.status(pull.number)):
        assert len(text.encode("utf-16-le")) // 2 <= 65_536
        assert not re.search("[\u202a-\u202e\u2066-\u2069\u200e\u200f]", text)
        assert list(harm(text)) == []
    assert world.newest().armed_by is None


def harm(text):
    """What GitHub would do beyond showing text: foreign HTML, images, links that lead elsewhere, mentions."""
    tokens = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"]).parse(text)
    for token in tokens:
        for node in (token, *(token.children or ())):
            if node.type.startswith("html_") and FOREIGN.search(node.content):
                yield node.content
            if node.type == "image" or "evil.example" in str(node.attrs.get("href", "")):
                yield str(node.attrs)
            if node.type == "text" and re.search(r"@\w|#[0-9]|GH-[0-9]|www\.", node.content):
                yield node.content
