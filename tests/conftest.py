"""What all tests share: the folder of real data, and the rule for real components."""

import os
import shutil
import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

pytest_plugins = ["tests.fakes.docker_registry", "tests.fakes.postgres", "tests.fakes.wire"]

PROJECT = Path(__file__).parent.parent

# `make test` puts programs beside Python that the machine lacks (helm); what the machine has comes first.
os.environ["PATH"] = os.pathsep.join((os.environ.get("PATH", os.defpath), str(Path(sys.executable).parent)))


# How fast an example is says something about the machine only. `make test` tries the same examples each time;
# pytest by itself tries others in each run.
settings.register_profile("unhurried", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("unhurried")


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of real payloads and manifests; a test that needs it is skipped where it is absent."""
    folder = Path(os.environ.get("SLIPWAY_SHARED_DATA", PROJECT.parent / "shared" / "data"))
    if not folder.is_dir():
        pytest.skip(f"the shared test data is absent: {folder} (set SLIPWAY_SHARED_DATA)")
    return folder


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Skip what needs a program that is not on PATH; where real parts are required, fail instead."""
    for marker in item.iter_markers("real"):
        for program in marker.args:
            if shutil.which(program) is None:
                message = f"{program} is not on PATH"
                if os.environ.get("SLIPWAY_REQUIRE_REAL") == "1":
                    pytest.fail(f"{message}, and SLIPWAY_REQUIRE_REAL=1 forbids to skip")
                pytest.skip(message)
