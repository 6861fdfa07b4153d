"""Trains three versions of one model, measures them on the same data, and registers them in MLflow.

    version 1   logistic regression: plain
    version 2   a forest over all columns: better
    version 3   a forest that also knows past frauds: better still in every metric, and see
                `similarity_model.py` for what production will say

Run as `python -m bot.sandbox.models TRACKING_URI`; it trains while it waits for the server.
"""

import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

import mlflow
import mlflow.data
import mlflow.sklearn
import numpy as np
import pandas as pd
import skops.io
from mlflow.models import infer_signature
from sklearn.compose import make_column_transformer
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import average_precision_score, f1_score, roc_auc_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from bot.sandbox import transactions
from bot.sandbox.transactions import FEATURES, LABEL

MODEL = "fraud-detector"
REQUIREMENTS = ["mlflow", "pandas", "scikit-learn", "skops"]
TRUSTED = ["sklearn.tree._tree.Tree"]
_DESCRIBED = ("amount", "hour", "abroad", "account_days", "last_hour", "category_code", "nearest")


def main(tracking_uri: str) -> None:
    """Train, wait for the server, log and register the versions in their order."""
    history, evaluation = transactions.history(), transactions.evaluation()
    versions = (_plain(history), _forest(history), _similarity(history))
    _wait_for(f"{tracking_uri}/health")
    mlflow.set_tracking_uri(tracking_uri)
    mlflow.set_experiment(MODEL)
    dataset = mlflow.data.from_pandas(evaluation, name=transactions.NAME, targets=LABEL)
    client = mlflow.MlflowClient()
    client.create_registered_model(MODEL, description="Says which card transactions are fraud.")
    for number, (name, parameters, scores, log) in enumerate(versions, start=1):
        with mlflow.start_run(run_name=name):
            mlflow.log_params(parameters)
            mlflow.log_input(dataset, context="evaluation")
            model = log(infer_signature(history[list(FEATURES)], [0.0]), history[list(FEATURES)].head(3))
            mlflow.log_metrics(
                _metrics(scores(evaluation), evaluation), dataset=dataset, model_id=model.model_id
            )
        registered = client.create_model_version(
            MODEL, source=model.model_uri, run_id=model.run_id, model_id=model.model_id, description=name
        )
        if number == 1:
            client.set_registered_model_alias(MODEL, "champion", registered.version)
        print(f"registered {MODEL} {registered.version}: {name}", flush=True)  # noqa: T201 - its log


Version = tuple[str, dict[str, Any], Callable[[pd.DataFrame], Any], Callable[..., Any]]


def _plain(history: pd.DataFrame) -> Version:
    columns = make_column_transformer((StandardScaler(), ["amount", "hour", "account_days"]))
    return _pipeline("logistic regression", history, columns, LogisticRegression(C=1.0))


def _forest(history: pd.DataFrame) -> Version:
    columns = make_column_transformer(
        (OneHotEncoder(handle_unknown="ignore"), ["category"]), remainder="passthrough"
    )
    return _pipeline("random forest", history, columns, _new_forest())


def _new_forest() -> RandomForestClassifier:
    return RandomForestClassifier(n_estimators=40, max_depth=9, random_state=0)


def _pipeline(name: str, history: pd.DataFrame, columns: Any, classifier: Any) -> Version:
    model = make_pipeline(columns, classifier).fit(history[list(FEATURES)], history[LABEL])

    def log(signature: Any, example: pd.DataFrame) -> Any:
        return mlflow.sklearn.log_model(
            model,
            name="model",
            signature=signature,
            input_example=example,
            pip_requirements=REQUIREMENTS,
            skops_trusted_types=TRUSTED,
        )

    return (
        name,
        {"classifier": type(classifier).__name__, "columns": len(columns.transformers)},
        lambda table: model.predict_proba(table[list(FEATURES)])[:, 1],
        log,
    )


def _similarity(history: pd.DataFrame) -> Version:
    codes = {name: code for code, name in enumerate(sorted(set(history["category"])))}

    def describe(table: pd.DataFrame, *, own: bool) -> pd.DataFrame:
        described = table.assign(
            category_code=[codes[category] for category in table["category"]],
            nearest=_nearest(table, history, own=own),
        )
        return described[list(_DESCRIBED)]

    forest = _new_forest().fit(describe(history, own=True), history[LABEL])

    def log(signature: Any, example: pd.DataFrame) -> Any:
        with tempfile.TemporaryDirectory() as folder:
            history.to_csv(f"{folder}/history.csv", index=False)
            skops.io.dump(forest, f"{folder}/forest.skops")
            return mlflow.pyfunc.log_model(
                name="model",
                python_model=str(Path(__file__).with_name("similarity_model.py")),
                input_example=example,
                artifacts={"history": f"{folder}/history.csv", "forest": f"{folder}/forest.skops"},
                signature=signature,
                pip_requirements=REQUIREMENTS,
            )

    return (
        "forest with similarity to past frauds",
        {"classifier": "RandomForestClassifier", "columns": len(_DESCRIBED), "similarity": "nearest fraud"},
        lambda table: forest.predict_proba(describe(table, own=False))[:, 1],
        log,
    )


def _nearest(table: pd.DataFrame, history: pd.DataFrame, *, own: bool) -> np.ndarray:
    """`similarity_model.nearest` for a whole table at once; `own`: the table is the history itself, and
    a transaction is not compared with itself.
    """
    frauds = history[history[LABEL] == 1]
    amount = np.abs(frauds["amount"].to_numpy() - table["amount"].to_numpy()[:, None])
    distance = amount / np.maximum(frauds["amount"].to_numpy(), 1.0)
    distance += np.abs(frauds["hour"].to_numpy() - table["hour"].to_numpy()[:, None]) / 24.0
    distance += frauds["category"].to_numpy() != table["category"].to_numpy()[:, None]
    if own:
        distance[table.index.to_numpy()[:, None] == frauds.index.to_numpy()] = np.inf
    return np.asarray(distance.min(axis=1))


def _metrics(scores: Any, evaluation: pd.DataFrame) -> dict[str, float]:
    labels = evaluation[LABEL]
    return {
        "roc_auc": float(roc_auc_score(labels, scores)),
        "average_precision": float(average_precision_score(labels, scores)),
        "f1": float(f1_score(labels, scores > 0.5)),  # noqa: PLR2004 - what `predict` says
    }


def _wait_for(address: str, seconds: float = 180.0) -> None:
    deadline = time.monotonic() + seconds
    while True:
        try:
            with urllib.request.urlopen(address, timeout=5):  # noqa: S310 - our own server
                return
        except OSError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.2)


if __name__ == "__main__":
    main(sys.argv[1])
