"""A small GitOps repository on disk."""

from pathlib import Path

import pytest

SLIPWAY = """\
version: 1
models:
  fraud:
    image: {repository: registry.example.com/ml/fraud, tag: "v{version}"}
    storage: "{source}"
    environments:
      staging:
        targets:
        - {helm: fraud/values.yaml, path: image}
      production:
        after: staging
        targets:
        - {helm: fraud/values.yaml, path: image}
        policy: strict
"""


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """Two environments, one file with Windows line ends and no final newline."""
    slipway = SLIPWAY.replace(
        "fraud/values.yaml, path: image}\n        policy",
        "fraud/production.yaml, path: image}\n        policy",
    )
    (tmp_path / "slipway.yaml").write_text(slipway)
    (tmp_path / "fraud").mkdir()
    values = b"# pinned by Slipway\r\nimage:\r\n  repository: registry.example.com/ml/fraud\r\n  tag: v1"
    (tmp_path / "fraud" / "values.yaml").write_bytes(values)
    (tmp_path / "fraud" / "production.yaml").write_bytes(values)
    return tmp_path
