"""The `MLmodel` file of strangers."""

import pytest

from bot.adapters.mlflow.mlmodel import NotAModelFile, parse
from bot.domain.evidence import Column


def test_a_file_with_everything():
    """Flavors, versions, size, signature, example, prompts."""
    file = parse("""\
flavors:
  python_function: {python_version: 3.11.7, loader_module: mlflow.sklearn}
  sklearn: {sklearn_version: 1.9.1, code: null}
mlflow_version: 3.17.2
model_size_bytes: 1452
saved_input_example_info: {artifact_path: input_example.json}
prompts: ["prompts:/greeting/3"]
signature:
  inputs: '[{"type": "double", "name": "a", "required": false}, {"type": "tensor", "tensor-spec": {"dtype": "int64", "shape": [-1, 2]}}]'
  outputs: '[{"type": "array", "items": {"type": "long"}, "name": "ids"}]'
  params: '[{"name": "k", "dtype": "long", "default": 5, "shape": null}]'
""")

    assert file.flavors == ("python_function", "sklearn")
    assert file.python_version == "3.11.7"
    assert file.libraries == {"scikit-learn": "1.9.1", "mlflow": "3.17.2"}
    assert (file.size_bytes, file.input_example, file.prompts) == (1452, True, ("greeting/3",))
    assert file.signature.inputs == (
        Column("a", "double", required=False),
        Column("#1", "tensor(int64, [-1, 2])"),
    )
    assert file.signature.outputs == (Column("ids", 'array{"type":"long"}'),)
    assert file.signature.params == (Column("k", "long"),)


@pytest.mark.parametrize(
    "text", ["", "just text", "[1, 2]", "a: [", "\x00", "a: !!python/object:os.system {}"]
)
def test_what_is_no_model_file_is_refused(text):
    """With a sentence, and nothing is constructed."""
    with pytest.raises(NotAModelFile):
        parse(text)


@pytest.mark.parametrize(
    "text",
    [
        "flavors: 1\nsignature: 2\nmodel_size_bytes: x\nprompts: {}\nmlflow_version: [1]",
        "flavors: {python_function: 1, sklearn: [2]}",
        "signature: {inputs: 'not json', outputs: '{}', params: 1}",
        f"signature: {{inputs: '{'[' * 500}'}}",
        "model_size_bytes: -1",
        "model_size_bytes: true",
        "a: &a [x, x]\nb: &b [*a, *a]\nc: &c [*b, *b]\nflavors: *c\nprompts: *c",
    ],
)
def test_surprising_shapes_are_nothing_recorded(text):
    """Only plain scalars of the right type are taken."""
    file = parse(text)

    assert file.signature is None
    assert file.size_bytes is None
    assert file.libraries == {}
