"""Every operation computes what it says, under the name it was given, in a file that LiteRT and Vela read."""

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from ai_edge_litert import schema_py_generated as schema

from pipeline.deployment.writer import IDENTIFIER, Tensor, Writer
from tests.pipeline.deployment.networks import load

RANDOM = np.random.default_rng(0)
A, B = (RANDOM.normal(0, 1, (2, 6)).astype(np.float32) for _ in range(2))
KERNEL, BIAS = (RANDOM.normal(0, 1, shape).astype(np.float32) for shape in ((6, 5), (5,)))


def sigmoid(x: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    return np.asarray(1 / (1 + np.exp(-x)), np.float32)


def softmax(x: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    return np.asarray(np.exp(x) / np.exp(x).sum(axis=1, keepdims=True), np.float32)


Operation = Callable[[Writer, Tensor, Tensor], Tensor]
OPERATIONS: dict[str, tuple[Operation, npt.NDArray[np.float32]]] = {
    "fully_connected": (lambda w, a, _: w.fully_connected("out", a, KERNEL, BIAS, "source"), A @ KERNEL + BIAS),
    "without bias": (lambda w, a, _: w.fully_connected("out", a, KERNEL, None, "source"), A @ KERNEL),
    "slice of rows": (lambda w, a, _: w.slice("out", a, (1, 2), (0, 6)), A[1:2]),
    "slice of columns": (lambda w, a, _: w.slice("out", a, (0, 2), (2, 5)), A[:, 2:5]),
    "slice of both": (lambda w, a, _: w.slice("out", a, (1, 2), (3, 6)), A[1:2, 3:6]),
    "reshape": (lambda w, a, _: w.reshape("out", a, (3, 4)), A.reshape(3, 4)),
    "concatenation": (lambda w, a, b: w.concatenation("out", [a, b, a]), np.concatenate([A, B, A])),
    "pack": (lambda w, a, b: w.pack("out", [a, b, a]), np.stack([A, B, A])),
    "add": (lambda w, a, b: w.add("out", a, b), A + B),
    "subtract": (lambda w, a, b: w.subtract("out", a, b), A - B),
    "multiply": (lambda w, a, b: w.multiply("out", a, b), A * B),
    "sigmoid": (lambda w, a, _: w.sigmoid("out", a), sigmoid(A)),
    "tanh": (lambda w, a, _: w.tanh("out", a), np.tanh(A)),
    "relu": (lambda w, a, _: w.relu("out", a), np.maximum(A, 0)),
    "softmax": (lambda w, a, _: w.softmax("out", a), softmax(A)),
}


def write(operation: Operation) -> bytes:
    """Write a graph of two inputs and one operation; the sum of both sees to it that both are used."""
    writer = Writer()
    a, b = writer.input("a", (2, 6)), writer.input("b", (2, 6))
    out = operation(writer, a, b)
    return writer.finished({"input": a, "b": b}, {"output": out, "sum": writer.add("sum", a, b)})


@pytest.mark.parametrize(("operation", "expected"), OPERATIONS.values(), ids=OPERATIONS)
def test_an_operation_computes_what_numpy_computes(operation: Operation, expected: npt.NDArray[np.float32]) -> None:
    run = load(write(operation)).interpreter.get_signature_runner()

    found = run(input=A, b=B)

    assert found["output"].shape == expected.shape
    np.testing.assert_allclose(found["output"], expected, rtol=1e-5, atol=1e-6)
    np.testing.assert_array_equal(found["sum"], A + B)


@pytest.mark.parametrize("operation", [operation for operation, _ in OPERATIONS.values()], ids=OPERATIONS)
def test_every_tensor_keeps_its_name_and_the_same_graph_gives_the_same_bytes(operation: Operation) -> None:
    written = write(operation)

    tensors = schema.ModelT.InitFromPackedBuf(written, 0).subgraphs[0].tensors
    assert written[4:8] == IDENTIFIER
    assert {b"a", b"b", b"out", b"sum"} <= {tensor.name for tensor in tensors}
    assert written == write(operation)


def test_a_slice_of_everything_is_no_operation() -> None:
    writer = Writer()
    a = writer.input("a", (2, 6))

    assert writer.slice("out", a, (0, 2), (0, 6)) is a


def constants(model: bytes) -> dict[str, int]:
    """Return how often each name of a constant occurs."""
    loaded: Any = schema.ModelT.InitFromPackedBuf(model, 0)
    found: dict[str, int] = {}
    for tensor in loaded.subgraphs[0].tensors:
        if tensor.buffer:
            name = tensor.name.decode()
            found[name] = found.get(name, 0) + 1
    return found


def test_the_same_weights_are_stored_once_however_often_they_are_used() -> None:
    writer = Writer()
    a = x = writer.input("a", (2, 6))
    square = np.eye(6, dtype=np.float32)
    for step in range(5):
        x = writer.fully_connected(f"product_{step}", x, square, np.ones(6, np.float32), "source")
        x = writer.slice(f"part_{step}", writer.concatenation(f"two_{step}", [x, x]), (1, 3), (0, 6))

    found = constants(writer.finished({"input": a}, {"output": x}))

    assert found == {
        "source/kernel": 1,
        "source/bias": 1,
        "slice/begin_1_0": 1,
        "slice/end_3_6": 1,
        "slice/strides_1_1": 1,
    }


def test_other_weights_of_the_same_name_are_stored_too() -> None:
    writer = Writer()
    first, again, other = (writer.constant("name", np.full(3, value, np.float32)) for value in (1, 1, 2))

    assert first is again
    assert first is not other


def test_inputs_and_outputs_are_known_by_the_names_of_the_signature() -> None:
    writer = Writer()
    a, b = writer.input("gru_1/hidden_0", (1, 2)), writer.input("input", (1, 2))
    model = writer.finished({"gru_1_hidden": a, "input": b}, {"output": b, "gru_1_hidden": writer.add("x", a, b)})

    signatures = load(model).interpreter.get_signature_list()

    assert signatures == {
        "serving_default": {"inputs": ["gru_1_hidden", "input"], "outputs": ["gru_1_hidden", "output"]}
    }
