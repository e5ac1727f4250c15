"""A state model gives the same bytes however its sequence is cut, or the sentence says which sample differs."""

import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import flatbuffers
import numpy as np
import numpy.typing as npt
import pytest
from ai_edge_litert import schema_py_generated as schema
from ai_edge_litert.interpreter import Interpreter, OpResolverType

from pipeline.data.arrays import DataSet
from pipeline.quantization import quantize
from pipeline.runtime import litert
from pipeline.scoring import streaming
from pipeline.scoring.streaming import StreamingError
from pipeline.stage import Found, Work
from pipeline.tasks.classification import PREDICTIONS
from pipeline.tflite.reader import IDENTIFIER
from tests.pipeline.making import make_stage

Chain = Callable[..., tuple[Mapping[str, Path], Mapping[str, Found]]]
MakeWork = Callable[..., Work[Any]]

NETWORKS: Mapping[str, dict[str, Any]] = {
    "gru": {"cell": "gru"},
    "gru, reset before": {"cell": "gru", "reset_after": False},
    "lstm": {"cell": "lstm"},
    "simple_rnn": {"cell": "simple_rnn"},
    "gru, stacked": {"cell": "gru", "layers": 2, "dense": [5]},
    "lstm, stacked": {"cell": "lstm", "layers": 2},
    "simple_rnn, stacked": {"cell": "simple_rnn", "layers": 3},
}


@pytest.fixture
def forms(chain: Chain, tmp_path: Path) -> Mapping[str, Path]:
    """Return the folders of a GRU with state, whose quantized models a test may change."""
    made, _ = chain("gru", state=True, steps_per_inference=2, until="quantized")
    return {**made, "quantized": shutil.copytree(made["quantized"], tmp_path / "quantized")}


def by_hand(model: Path, x: npt.NDArray[np.float32]) -> dict[str, npt.NDArray[Any]]:
    """Run a quantized model over each sequence with LiteRT and nothing of ours, copying the bytes of its states."""
    loaded = Interpreter(model_path=str(model), num_threads=1, experimental_op_resolver_type=OpResolverType.BUILTIN_REF)
    run = loaded.get_signature_runner()
    ports = run.get_input_details()
    into = ports.pop("input")
    scale, zero_point = into["quantization"]
    stored = np.clip(np.floor(x / scale + 0.5) + zero_point, np.iinfo(into["dtype"]).min, np.iinfo(into["dtype"]).max)
    found = []
    for sequence in stored.astype(into["dtype"]):
        states = {
            name: np.zeros(port["shape"], port["dtype"]) + port["dtype"](port["quantization"][1])
            for name, port in ports.items()
        }
        for piece in np.split(sequence, len(sequence) // into["shape"][1]):
            out = run(input=piece[np.newaxis], **states)
            states = {name: out[name] for name in states}
        found.append(out)
    return {name: np.concatenate([out[name] for out in found]) for name in found[0]}


def change_weight(path: Path) -> None:
    """Make the first weight of a model's recurrent kernel one step smaller or larger."""
    model = schema.ModelT.InitFromPackedBuf(path.read_bytes(), 0)
    (number,) = (tensor.buffer for tensor in model.subgraphs[0].tensors if tensor.name == b"gru_1/recurrent/kernel")
    data = model.buffers[number].data.view(np.int8).copy()
    data[0] -= np.sign(data[0]) or 1
    model.buffers[number].data = data.view(np.uint8)
    builder = flatbuffers.Builder(1 << 16)
    builder.Finish(model.Pack(builder), IDENTIFIER)
    path.write_bytes(bytes(builder.Output()))


MARKED = [
    pytest.param(network, id=name, marks=[pytest.mark.slow] * (name != "gru")) for name, network in NETWORKS.items()
]


@pytest.mark.parametrize("activations", ["int8", "int16"])
@pytest.mark.parametrize("network", MARKED)
def test_the_bytes_are_the_same_whole_in_pieces_and_step_by_step(
    chain: Chain, network: dict[str, Any], activations: str
) -> None:
    random = np.random.default_rng(7)
    x = random.normal(0.4, 0.6, (200, 8, 6)).astype(np.float32)  # beyond the calibrated range, too
    pieces, _ = chain(**network, state=True, steps_per_inference=2, activations=activations, until="quantized")
    halves, _ = chain(**network, state=True, steps_per_inference=4, activations=activations, until="quantized")
    models = [
        pieces["quantized"] / "whole_sequence.tflite",
        halves["quantized"] / "quantized.tflite",
        pieces["quantized"] / "quantized.tflite",
        pieces["quantized"] / "single_step.tflite",
    ]

    assert [litert.Model(model, litert.REFERENCE).steps for model in models] == [8, 4, 2, 1]
    whole, *others = (by_hand(model, x) for model in models)

    assert len(np.unique(whole["output"], axis=0)) > 20, "else the same bytes would say little"
    for other in others:
        assert other.keys() == whole.keys()
        for name, values in whole.items():
            assert values.dtype.name == activations
            np.testing.assert_array_equal(other[name], values)


@pytest.mark.parametrize("activations", ["int8", "int16"])
@pytest.mark.parametrize("cell", ["gru", "lstm", "simple_rnn"])
def test_the_accuracy_stage_says_of_how_many_samples_the_bytes_are_the_same(
    chain: Chain, cell: str, activations: str
) -> None:
    _, found = chain(cell, state=True, steps_per_inference=2, activations=activations, until="accuracy")
    metrics = found["accuracy"].metrics

    assert metrics["streaming_identical"] == metrics["test_samples"] == 300
    assert metrics["sequences_in_a_row"] == 100
    states = {f"{cell}_1_hidden"} | ({"lstm_1_cell"} if cell == "lstm" else set())
    assert set(metrics["reset_bytes"]) == states
    assert metrics["reset_bytes"][f"{cell}_1_hidden"] == 0
    assert metrics["activations"] == activations
    assert found["accuracy"].basis["streaming_identical"] == "measured"


@pytest.mark.parametrize("activations", ["int8", pytest.param("int16", marks=pytest.mark.slow)])
@pytest.mark.parametrize(
    "cell", ["gru", *(pytest.param(cell, marks=pytest.mark.slow) for cell in ("lstm", "simple_rnn"))]
)
def test_folded_rows_are_streamed_in_folded_steps(chain: Chain, data: DataSet, cell: str, activations: str) -> None:
    chosen = {"rows_per_step": 2, "state": True, "steps_per_inference": 2, "activations": activations}

    made, found = chain(cell, **chosen, until="accuracy")

    models = [made["quantized"] / name for name in ("whole_sequence.tflite", "quantized.tflite", "single_step.tflite")]
    shapes = [litert.Model(model, litert.REFERENCE).inputs["input"].shape for model in models]
    assert shapes == [(1, 4, 12), (1, 2, 12), (1, 1, 12)]
    assert found["accuracy"].metrics["streaming_identical"] == 300
    classes = by_hand(models[1], data.x_test.reshape(300, 4, 12))["output"].argmax(axis=1)
    assert found["accuracy"].metrics["scores"]["quantized"]["accuracy"] == np.mean(classes == data.y_test)


@pytest.mark.parametrize("steps", [1, 8])
def test_a_form_that_is_the_chosen_one_needs_no_comparison_but_the_others_do(chain: Chain, steps: int) -> None:
    made, found = chain("gru", state=True, steps_per_inference=steps, until="accuracy")

    other = {1: "whole_sequence.tflite", 8: "single_step.tflite"}[steps]
    assert {path.name for path in made["quantized"].glob("*.tflite")} == {"quantized.tflite", other}
    assert found["accuracy"].metrics["streaming_identical"] == 300


def test_with_a_reset_accuracy_is_that_of_the_samples_alone(chain: Chain, data: DataSet) -> None:
    made, found = chain("lstm", state=True, steps_per_inference=2, until="accuracy")
    metrics = found["accuracy"].metrics
    with np.load(made["accuracy"] / PREDICTIONS) as file:
        alone = file["quantized"]
    row = streaming._in_a_row(data.y_test)
    assert (len(set(row)), np.bincount(data.y_test[row]).tolist()) == (100, [34, 33, 33])

    stateful = litert.Model(made["quantized"] / "quantized.tflite", litert.REFERENCE)
    stateful.reset()
    in_a_row = []
    for number, sample in enumerate(stateful.inputs["input"].stored(data.x_test[row])):
        if number:
            stateful.feed_back()
        stateful.run(sample)
        in_a_row.append(stateful.read("output").argmax())

    assert metrics["scores_in_a_row"]["with_reset"]["accuracy"] == np.mean(alone[row] == data.y_test[row])
    assert metrics["scores_in_a_row"]["without_reset"]["accuracy"] == np.mean(np.array(in_a_row) == data.y_test[row])


def test_sequences_in_a_row_are_of_mixed_classes_even_where_the_test_set_is_sorted() -> None:
    """One class after the other would let a state that is never reset look harmless."""
    labels = np.repeat(np.arange(3), 200)

    row = labels[streaming._in_a_row(labels)]

    assert np.bincount(row).min() >= 33
    assert np.mean(row[1:] == row[:-1]) < 0.5


def test_the_bytes_of_a_reset_are_those_that_stand_for_zero(chain: Chain) -> None:
    made, found = chain("lstm", state=True, steps_per_inference=2, until="accuracy")
    model = litert.Model(made["quantized"] / "quantized.tflite", litert.REFERENCE)

    model.reset()

    for name, byte in found["accuracy"].metrics["reset_bytes"].items():
        port = model.inputs[name]
        written = model.interpreter.get_tensor(port.index)
        assert (written == byte).all()
        assert not port.real(written).any()


def test_a_stateless_graph_has_nothing_to_stream(chain: Chain) -> None:
    metrics = chain("gru", until="accuracy")[1]["accuracy"].metrics

    assert [name for name in metrics if "streaming" in name or "reset" in name] == []


@pytest.mark.parametrize(
    ("form", "what"),
    [("whole_sequence.tflite", "the whole sequence at once"), ("single_step.tflite", "single steps")],
)
def test_a_form_with_other_bytes_is_an_error_that_names_the_sample(
    work: MakeWork, forms: Mapping[str, Path], data: DataSet, form: str, what: str
) -> None:
    chosen, other = forms["quantized"] / "quantized.tflite", forms["quantized"] / form
    change_weight(other)
    states = [by_hand(model, data.x_test)["gru_1_hidden"] for model in (chosen, other)]
    differing = (states[0] != states[1]).any(axis=1)
    assert 0 < differing.sum() < 300

    with pytest.raises(StreamingError) as caught:
        make_stage("accuracy", work({}, forms))

    said = str(caught.value)
    first, others = int(differing.argmax()), int(differing.sum()) - 1
    assert said.startswith(f"state gru_1_hidden of test sample {first} (and {others} others) differ between")
    assert f"the chosen time steps per inference and {what}: " in said
    assert len(said.splitlines()) == 1


def test_a_state_with_other_bytes_is_an_error_even_where_the_classes_are_the_same() -> None:
    stored = {"output": np.zeros((4, 3), np.int8), "gru_1_hidden": np.zeros((4, 2), np.int8)}
    other = {name: values.copy() for name, values in stored.items()}
    other["gru_1_hidden"][2, 1] = 1

    with pytest.raises(StreamingError, match=r"^state gru_1_hidden of test sample 2 \(and 0 others\) differ between"):
        streaming._assert_identical(stored, other, "single steps")


def test_the_guides_graph_with_state_is_streamed_but_not_called_identical(chain: Chain) -> None:
    made, found = chain("gru", graph="keras", state=True, steps_per_inference=2, until="accuracy")
    metrics = found["accuracy"].metrics

    assert [path.name for path in made["quantized"].glob("*.tflite")] == [quantize.MODEL]
    assert "streaming_identical" not in metrics
    assert metrics["sequences_in_a_row"] == 100
    assert set(metrics["reset_bytes"]) == {"gru_1_hidden"}
    assert found["quantized"].warnings
