"""How long `slipway check` takes for a repository of 200 models: `make bench-check`.

Two environments a model, a Kustomize and an environment-variable target each: 400 environments, 800
targets in 800 files. The process's own start is told apart, because each run of the command pays for it.
"""

import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from bot.adapters import shipped
from bot.cli.checkout import Checkout
from bot.domain.loading import load
from bot.manifests.check import check

MODELS = 200
ROUNDS = 7

KUSTOMIZATION = """\
apiVersion: kustomize.config.k8s.io/v1beta1
kind: Kustomization
resources: [../../base]
images:
- name: server
  newName: registry.example.com/ml/server
  newTag: v1
"""
DEPLOYMENT = """\
apiVersion: apps/v1
kind: Deployment
metadata:
  name: server
spec:
  template:
    spec:
      containers:
      - name: server
        image: server
        env:
        - name: MODEL_URI
          value: models:/model/1
"""
ENVIRONMENT = """\
      {name}:
{after}        targets:
        - {{kustomize: models/{model}/{name}, image: server}}
        - {{file: models/{model}/{name}/deployment.yaml, container: server, env: MODEL_URI}}
        argocd: model-{model}-{name}
        slo:
          preset: fastapi
          errors: {{objective: 99%}}
          latency: {{threshold: 500ms, objective: 95%}}
"""


def configuration(models: int) -> str:
    """A `slipway.yaml` of so many models."""
    lines = ["version: 1\nmodels:\n"]
    for model in range(models):
        lines.append(f"  model-{model}:\n    when: {{alias: candidate}}\n")
        lines.append('    image: {repository: registry.example.com/ml/server, tag: "v{version}"}\n')
        lines.append("    environments:\n")
        for name, after in (("staging", ""), ("production", "        after: staging\n")):
            lines.append(ENVIRONMENT.format(name=name, after=after, model=model))
    return "".join(lines)


def build(root: Path) -> None:
    """The whole repository."""
    (root / "slipway.yaml").write_text(configuration(MODELS))
    for model in range(MODELS):
        for name in ("staging", "production"):
            folder = root / "models" / str(model) / name
            folder.mkdir(parents=True)
            (folder / "kustomization.yaml").write_text(KUSTOMIZATION)
            (folder / "deployment.yaml").write_text(DEPLOYMENT)


def seconds(work: Callable[[], object]) -> str:
    """Median and worst of some rounds."""
    taken = []
    for _ in range(ROUNDS):
        begun = time.perf_counter()
        work()
        taken.append(time.perf_counter() - begun)
    return f"{statistics.median(taken):6.2f} {max(taken):6.2f}"


def main() -> None:
    """Print the table."""
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        build(root)
        text = (root / "slipway.yaml").read_text()
        checkout = Checkout(root)
        policies = shipped.policies()
        found = check(checkout.read, {}, policies)
        assert not found, found[:3]
        command = [sys.executable, "-c", "from bot.cli import main; main()"]
        print(f"{MODELS} models, {text.count(chr(10))} lines, seconds (median, worst of {ROUNDS})")
        print("load slipway.yaml      ", seconds(lambda: load(text)))
        print("check, in the process  ", seconds(lambda: check(checkout.read, {}, policies)))
        print(
            "slipway check          ",
            seconds(
                lambda: subprocess.run([*command, "check", folder], check=True, stdout=subprocess.DEVNULL)
            ),
        )
        print(
            "slipway --help         ",
            seconds(lambda: subprocess.run([*command, "--help"], check=True, stdout=subprocess.DEVNULL)),
        )


if __name__ == "__main__":
    main()
