"""Every operation computes what it says, under the name it was given, in a file that LiteRT and Vela read."""

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from ai_edge_litert import schema_py_generated as schema

from pipeline.lowering.writer import LoweringError, Writer
from pipeline.network.operations import Role, Tensor
from pipeline.tflite.reader import IDENTIFIER
from tests.pipeline.networks import load

RANDOM = np.random.default_rng(0)
A, B = (RANDOM.normal(0, 1, (2, 6)).astype(np.float32) for _ in range(2))
KERNEL, BIAS = (RANDOM.normal(0, 1, shape).astype(np.float32) for shape in ((6, 5), (5,)))


def sigmoid(x: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    return np.asarray(1 / (1 + np.exp(-x)), np.float32)


def softmax(x: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    return np.asarray(np.exp(x) / np.exp(x).sum(axis=1, keepdims=True), np.float32)


OUT = Role("layer", "out", shared="out")


def role(name: str) -> Role:
    return Role(None, name)


Operation = Callable[[Writer, Tensor, Tensor], Tensor]
OPERATIONS: dict[str, tuple[Operation, npt.NDArray[np.float32]]] = {
    "fully_connected": (lambda w, a, _: w.fully_connected(OUT, a, KERNEL, BIAS, "source"), A @ KERNEL + BIAS),
    "without bias": (lambda w, a, _: w.fully_connected(OUT, a, KERNEL, None, "source"), A @ KERNEL),
    "slice of rows": (lambda w, a, _: w.slice(OUT, a, (1, 2), (0, 6)), A[1:2]),
    "slice of columns": (lambda w, a, _: w.slice(OUT, a, (0, 2), (2, 5)), A[:, 2:5]),
    "slice of both": (lambda w, a, _: w.slice(OUT, a, (1, 2), (3, 6)), A[1:2, 3:6]),
    "reshape": (lambda w, a, _: w.reshape(OUT, a, (3, 4)), A.reshape(3, 4)),
    "concatenation": (lambda w, a, b: w.concatenation(OUT, [a, b, a]), np.concatenate([A, B, A])),
    "pack": (lambda w, a, b: w.pack(OUT, [a, b, a]), np.stack([A, B, A])),
    "add": (lambda w, a, b: w.add(OUT, a, b), A + B),
    "subtract": (lambda w, a, b: w.subtract(OUT, a, b), A - B),
    "multiply": (lambda w, a, b: w.multiply(OUT, a, b), A * B),
    "sigmoid": (lambda w, a, _: w.sigmoid(OUT, a), sigmoid(A)),
    "tanh": (lambda w, a, _: w.tanh(OUT, a), np.tanh(A)),
    "relu": (lambda w, a, _: w.relu(OUT, a), np.maximum(A, 0)),
    "softmax": (lambda w, a, _: w.softmax(OUT, a), softmax(A)),
}


def write(operation: Operation) -> bytes:
    """Write a graph of two inputs and one operation; the sum of both sees to it that both are used."""
    writer = Writer()
    a, b = (writer.input(Role(None, "in", step), (2, 6)) for step in (1, 2))
    out = operation(writer, a, b)
    return writer.finished({"input": a, "b": b}, {"output": out, "sum": writer.add(role("sum"), a, b)})


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
    assert {b"in_1", b"in_2", b"out", b"sum"} <= {tensor.name for tensor in tensors}
    assert written == write(operation)


def test_a_slice_of_everything_is_no_operation() -> None:
    writer = Writer()
    a = writer.input(role("a"), (2, 6))

    assert writer.slice(OUT, a, (0, 2), (0, 6)) is a


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
    a = x = writer.input(role("a"), (2, 6))
    square = np.eye(6, dtype=np.float32)
    for step in range(5):
        x = writer.fully_connected(Role("layer", "product", step), x, square, np.ones(6, np.float32), "source")
        x = writer.slice(
            Role("layer", "part", step), writer.concatenation(Role("layer", "two", step), [x, x]), (1, 3), (0, 6)
        )

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

    assert first == again
    assert first != other


def test_inputs_and_outputs_are_known_by_the_names_of_the_signature() -> None:
    writer = Writer()
    a, b = writer.input(Role("gru_1", "hidden", 0), (1, 2)), writer.input(role("input"), (1, 2))
    model = writer.finished({"gru_1_hidden": a, "input": b}, {"output": b, "gru_1_hidden": writer.add(role("x"), a, b)})

    signatures = load(model).interpreter.get_signature_list()

    assert signatures == {
        "serving_default": {"inputs": ["gru_1_hidden", "input"], "outputs": ["gru_1_hidden", "output"]}
    }


def test_what_a_tensor_is_for_is_handed_on_and_a_view_belongs_to_what_it_shows() -> None:
    writer = Writer()
    a = writer.input(role("a"), (2, 6))
    doubled = writer.add(Role("gru_1", "gate_sum", 3, within=2.0), a, a)
    writer.slice(
        Role("gru_1", "part", 3), writer.slice(Role("gru_1", "row", 3), doubled, (0, 1), (0, 6)), (0, 1), (0, 2)
    )

    given, total, row, part = writer.roles()

    assert (given.tie, given.operation, given.reads) == ("a", None, [])
    assert (total.tensor, total.tie, total.layer, total.role) == (
        "gru_1/gate_sum_3",
        "gru_1/gate_sum",
        "gru_1",
        "gate_sum",
    )
    assert (total.step, total.within, total.operation, total.reads) == (3, 2.0, "ADD", ["a", "a"])
    assert row.tie == part.tie == "gru_1/gate_sum"
    assert (part.role, part.reads) == ("part", ["gru_1/row_3"])


def test_a_view_of_tensors_of_two_roles_is_an_error_that_names_them() -> None:
    writer = Writer()
    a, b = writer.input(role("a"), (2, 6)), writer.input(role("b"), (2, 6))

    with pytest.raises(LoweringError, match="tensor rows shows tensors of several roles: a, b"):
        writer.concatenation(role("rows"), [a, b])


def test_a_name_twice_would_be_an_ambiguous_range() -> None:
    writer = Writer()
    writer.input(role("a"), (2, 6))

    with pytest.raises(LoweringError, match="two tensors would be called a: give"):
        writer.input(role("a"), (2, 6))
