"""MLflow's model registry and its files, behind `bot.ports.ModelRegistry` and `ModelFiles`."""

from bot.adapters.mlflow.files import MlflowFiles
from bot.adapters.mlflow.inspection import MlflowInspection
from bot.adapters.mlflow.registry import MlflowRegistry

__all__ = ["MlflowFiles", "MlflowInspection", "MlflowRegistry"]
