"""Register two versions of `fraud-detector`: run by conftest.py in a process of its own, as a user would."""

import json
import sys
import tempfile
from pathlib import Path

import mlflow
import numpy as np
import pandas as pd
from mlflow.models import ModelSignature
from mlflow.types import ColSpec, Schema, TensorSpec


class Threshold(mlflow.pyfunc.PythonModel):
    """Flags every amount above a limit."""

    def __init__(self, at):
        self.at = at

    def predict(self, context, model_input, params=None):
        return (model_input["amount"] > self.at).astype("int64")


def main(address):
    mlflow.set_tracking_uri(address)
    mlflow.set_experiment("fraud")
    data = pd.DataFrame({"amount": [1.0, 2.0], "country": ["ch", "at"]})
    transactions = mlflow.data.from_pandas(data, name="transactions")
    signature = ModelSignature(
        inputs=Schema([ColSpec("double", "amount"), ColSpec("string", "country", required=False)]),
        outputs=Schema([TensorSpec(np.dtype("int64"), (-1,))]),
    )
    for number, at in enumerate((0.5, 1.5), 1):
        code = {"mlflow.source.git.commit": f"{number:040x}", "mlflow.source.git.branch": "main"}
        with mlflow.start_run(tags={**code, "mlflow.user": "maria", "tool.search": "1.4"}):
            mlflow.log_param("threshold", at)
            mlflow.log_input(transactions, context="training")
            info = mlflow.pyfunc.log_model(
                name="model",
                python_model=Threshold(at),
                signature=signature,
                input_example=data,
                pip_requirements=["pandas"],
                registered_model_name="fraud-detector",
            )
            mlflow.log_metric("accuracy", 0.9 + number / 100, dataset=transactions, model_id=info.model_id)
            mlflow.log_metric("duration_s", 12.0)
            answer = mlflow.pyfunc.load_model(info.model_uri).predict(data)
            with tempfile.TemporaryDirectory() as folder:
                (path := Path(folder, "slipway")).mkdir()
                (path / "expected_output.json").write_text(json.dumps(answer.tolist()))
                mlflow.MlflowClient().log_model_artifacts(info.model_id, folder)
    client = mlflow.MlflowClient()
    client.set_registered_model_alias("fraud-detector", "champion", "1")
    client.set_model_version_tag("fraud-detector", "2", "license", "Apache-2.0")
    client.set_model_version_tag("fraud-detector", "2", "tool.search", "1.5")
    mlflow.genai.register_prompt("greeting", "Hello {{name}}.\nBe kind.", commit_message="first")
    chat = [{"role": "system", "content": "Be kind."}, {"role": "user", "content": "I am {{name}}, {{age}}."}]
    mlflow.genai.register_prompt("greeting", chat, commit_message="second", tags={"team": "support"})
    mlflow.genai.set_prompt_alias("greeting", "champion", 1)


if __name__ == "__main__":
    main(sys.argv[1])
