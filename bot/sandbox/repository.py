"""The sandbox's GitOps repository: the template, with settings for a story that fits into minutes."""

from bot.adapters import shipped

NAME = "demo/models"
MODEL = "fraud-detector"
ENVIRONMENT = "production"
APPLICATION = f"{MODEL}-{ENVIRONMENT}"
PIN_FILE = f"models/{MODEL}/overlays/{ENVIRONMENT}/model.yaml"

_OVERLAY = f"models/{MODEL}/overlays/{ENVIRONMENT}/kustomization.yaml"
_TEMPLATE_URL = "https://github.com/your-team/models-gitops.git"

CONFIGURATION = f"""\
# What Slipway promotes. Read from the default branch only.
version: 1
models:
  {MODEL}:
    when: {{alias: candidate}}
    storage: "models:/{{model}}/{{version}}"
    environments:
      {ENVIRONMENT}:
        targets:
          - {{file: {PIN_FILE}, container: server, env: MODEL_URI}}
        argocd: {APPLICATION}
        policy: {ENVIRONMENT}
        alias: champion
        slo:
          preset: fastapi
          selector: 'namespace="{ENVIRONMENT}",service="{MODEL}",version="{{version}}"'
          errors: {{objective: 99%}}
          latency: {{threshold: 250ms, objective: 95%}}
"""

POLICY = """\
# As in production, but in seconds instead of minutes.
extends: baseline
promote: on_command
revert: merge
canary:
  bake: 20s
  max_bake: 2m
  interval: 2s
  warm_up: 4s
  min_requests: 30
"""


def contents(clone_url: str) -> dict[str, bytes]:
    """Path → bytes of every file of the sandbox's repository; `clone_url` is its own address."""
    found = {
        path: data.replace(_TEMPLATE_URL.encode(), clone_url.encode())
        for path, data in shipped.template().items()
        if not (path.startswith("apps/") and path != f"apps/{APPLICATION}.yaml")
    }
    # One replica: the whole world shares this machine.
    found[_OVERLAY] += f"replicas:\n  - {{name: {MODEL}, count: 1}}\n".encode()
    found["slipway.yaml"] = CONFIGURATION.encode()
    found[f"policies/{ENVIRONMENT}.yaml"] = POLICY.encode()
    return found
