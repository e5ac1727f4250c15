"""What can come up at all, against what TensorFlow Lite Micro makes of every input."""

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from pipeline.emulator.proof.operators.sigmoid_and_tanh import Logistic
from pipeline.emulator.proof.reach import Reach
from pipeline.emulator.proof.source import Model, Operator, Tensor
from tests.pipeline.emulator import single
from tests.pipeline.emulator.compiled import Compile
from tests.pipeline.emulator.proof.described import read, tensor
from tests.pipeline.emulator.single import EVERY, Stored
from tests.pipeline.networks import made


def reached(*operators: Operator) -> npt.NDArray[np.int64]:
    """Return what the output of the last operator can hold, as a model that adds it to itself sees it."""
    output = operators[-1].outputs[0]
    add = Operator(index=9, kind="ADD", inputs=(output, output), outputs=(tensor(99, output.shape),), options=None)
    tensors: dict[int, Tensor] = {
        each.number: each for one in (*operators, add) for each in (*one.inputs, *one.outputs) if each is not None
    }
    model = Model(tensors=tuple(tensors.values()), operators=(*operators, add), inputs=(), outputs=())
    pairs = Reach(model).inputs(output, output)
    assert np.array_equal(pairs, pairs.T)
    return np.flatnonzero(pairs.any(axis=1)) - 128


def computed(place: int, kind: str, *inputs: Tensor, **output: Any) -> Operator:
    return Operator(
        index=place, kind=kind, inputs=inputs, outputs=(tensor(10 + place, inputs[0].shape, **output),), options=None
    )


def test_a_table_can_hold_what_the_kernel_makes_of_every_number(tmp_path: Path) -> None:
    for kind, x, output in (("RELU", Stored(0.05, -20), Stored(0.02, -90)), ("TANH", Stored(0.3, 7), Stored(1 / 128))):
        content = single.model(kind, [x], output, [(256,)] * 2)

        assert reached(read(content, tmp_path)).tolist() == np.unique(single.run(content, EVERY)).tolist()


def test_constants_hold_what_they_hold_and_narrow_what_is_computed_of_them() -> None:
    data = np.array([-128, 5, 5, 127], np.int8)
    constant, given = tensor(1, (4,), data), tensor(2, (4,))

    assert reached(computed(0, "RESHAPE", constant)).tolist() == [-128, 5, 127]
    assert reached(computed(0, "RESHAPE", given)).tolist() == EVERY.tolist()
    relu = computed(1, "RELU", constant)
    assert reached(relu).tolist() == [0, 5, 127]
    assert reached(relu, computed(2, "ADD", relu.outputs[0], relu.outputs[0])).tolist() == [0, 5, 10, 127]


def test_several_in_one_can_hold_what_each_can() -> None:
    first, second = tensor(1, (2,), np.array([1, 2], np.int8)), tensor(2, (2,), np.array([-7, 2], np.int8))

    assert reached(computed(0, "CONCATENATION", first, second)).tolist() == [-7, 1, 2]


def test_of_what_has_no_formula_anything_can_come() -> None:
    assert reached(computed(0, "SOFTMAX", tensor(1, (4,), np.zeros(4, np.int8)))).tolist() == EVERY.tolist()


def test_the_reach_of_a_sigmoid_in_a_network_is_what_it_can_be(compile_network: Compile) -> None:
    model = compile_network(made("lstm"), 2).model
    sigmoid = next(operator for operator in model.operators if operator.kind == "LOGISTIC")
    product = next(operator for operator in model.operators if operator.kind == "MUL")
    possible = Reach(model).inputs(product.input(0), product.input(1))

    assert possible.shape == (256, 256)
    assert 0 < possible.sum() < possible.size
    wanted = np.unique(Logistic().table(sigmoid).astype(int) + 128)
    shown = [axis for axis in (0, 1) if np.array_equal(np.flatnonzero(possible.any(axis=1 - axis)), wanted)]
    assert shown
