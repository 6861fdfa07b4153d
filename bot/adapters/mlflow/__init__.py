"""MLflow's model registry, behind `bot.ports.ModelRegistry`."""

from bot.adapters.mlflow.inspection import MlflowInspection
from bot.adapters.mlflow.registry import MlflowRegistry

__all__ = ["MlflowInspection", "MlflowRegistry"]
