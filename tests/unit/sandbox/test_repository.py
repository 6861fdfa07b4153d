"""The sandbox's GitOps repository."""

import yaml

from bot.adapters import shipped
from bot.cli.checkout import Checkout
from bot.domain.config import FILE
from bot.domain.loading import load
from bot.manifests.check import check
from bot.sandbox import repository

CLONE_URL = "http://127.0.0.1:1/demo/models.git"


def test_the_configuration_has_no_mistake(tmp_path):
    """`slipway check` finds nothing wrong with the repository that the sandbox starts with."""
    for path, data in repository.contents(CLONE_URL).items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_bytes(data)

    checkout = Checkout(tmp_path)

    assert check(checkout.read, checkout.policies(), shipped.policies(), FILE) == ()


def test_it_deploys_itself():
    """The one Application follows the repository's own address, and its folder holds the pin."""
    contents = repository.contents(CLONE_URL)
    applications = [yaml.safe_load(data) for path, data in contents.items() if path.startswith("apps/")]
    source = applications[0]["spec"]["source"]

    assert [one["metadata"]["name"] for one in applications] == [repository.APPLICATION]
    assert source["repoURL"] == CLONE_URL
    assert repository.PIN_FILE.startswith(source["path"] + "/")
    assert repository.PIN_FILE in contents


def test_the_template_is_a_good_configuration_too():
    """The `slipway.yaml` that a user copies is valid."""
    text = shipped.template()["slipway.yaml"].decode()

    assert repository.MODEL in load(text).models
