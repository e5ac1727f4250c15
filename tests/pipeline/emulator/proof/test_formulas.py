from pathlib import Path
from typing import Any

import numpy as np
import pytest
from ai_edge_litert import schema_py_generated as schema

from pipeline.emulator.errors import NotVerifiedError
from pipeline.emulator.proof import formulas, source
from pipeline.emulator.proof.source import Operator
from tests.pipeline.emulator import single
from tests.pipeline.emulator.single import EVERY, Stored


def read(content: bytes, folder: Path) -> Operator:
    path = folder / "single.tflite"
    path.write_bytes(content)
    return source.load(path).operators[0]


def some_stored(random: np.random.Generator, low: float = 1e-4, high: float = 0.1) -> Stored:
    return Stored(float(np.exp(random.uniform(np.log(low), np.log(high)))), int(random.integers(-128, 128)))


@pytest.mark.parametrize("activation", ["NONE", "RELU", "RELU6", "RELU_N1_TO_1"])
@pytest.mark.parametrize("kind", ["ADD", "SUB", "MUL"])
def test_operators_of_two_inputs_equal_the_kernels_over_every_pair(kind: str, activation: str, tmp_path: Path) -> None:
    random = np.random.default_rng([ord(letter) for letter in kind + activation])
    for _ in range(3):
        a, b = some_stored(random), some_stored(random)
        wanted = a.scale * b.scale * 30 if kind == "MUL" else max(a.scale, b.scale)
        content = single.binary(kind, a, b, Stored(float(wanted * random.uniform(0.6, 1.9)), 3), activation)
        assert np.array_equal(formulas.table(read(content, tmp_path)), single.pairs(content))


def around(power: int) -> list[float]:
    """Return a power of two, where a kernel's shift changes, and the float32 on either side of it."""
    exact = np.float32(2.0**power)
    return [float(np.nextafter(exact, np.float32(0))), float(exact), float(np.nextafter(exact, np.float32(np.inf)))]


EDGES = [scale for power in range(-13, 14) for scale in around(power)]
ZERO_POINTS = (-128, -1, 0, 17, 127)


@pytest.mark.parametrize("kind", ["LOGISTIC", "TANH"])
def test_sigmoid_and_tanh_equal_the_kernels_over_every_input_of_every_scale(kind: str, tmp_path: Path) -> None:
    random = np.random.default_rng(5)
    output = Stored(1 / 256, -128) if kind == "LOGISTIC" else Stored(1 / 128, 0)
    inputs = [Stored(scale, ZERO_POINTS[place % 5]) for place, scale in enumerate(EDGES)]
    inputs += [Stored(scale, zero_point) for scale in (1.0, 2.0, 4.0, 7.9, 8.0, 16.0) for zero_point in ZERO_POINTS]
    inputs += [some_stored(random, 1e-4, 1e4) for _ in range(80)]
    for x in inputs:
        content = single.model(kind, [x], output, [(256,)] * 2)
        assert np.array_equal(formulas.table(read(content, tmp_path)), single.run(content, EVERY)), x


@pytest.mark.parametrize("kind", ["RELU", "RELU6", "QUANTIZE"])
def test_rescaling_equals_the_kernels_over_every_input_of_every_scale(kind: str, tmp_path: Path) -> None:
    """Of scales that are to each other like small numbers, results lie halfway, and the last bit decides."""
    random = np.random.default_rng(6)
    ratios = [scale for power in range(-30, 23) for scale in around(power)]
    ratios += [int(random.integers(1, 64)) / int(random.integers(1, 64)) for _ in range(150)]
    for place, ratio in enumerate(ratios):
        scale = float(np.exp(random.uniform(np.log(1e-4), np.log(1e4))))
        x, output = Stored(scale, ZERO_POINTS[place % 5]), Stored(scale / ratio, ZERO_POINTS[place // 5 % 5])
        content = single.model(kind, [x], output, [(256,)] * 2)
        assert np.array_equal(formulas.table(read(content, tmp_path)), single.run(content, EVERY)), (x, output)


@pytest.mark.parametrize("kind", ["ADD", "SUB", "MUL"])
def test_operators_of_two_inputs_equal_the_kernels_of_scales_far_apart(kind: str, tmp_path: Path) -> None:
    random = np.random.default_rng([ord(letter) for letter in kind])
    for number in range(20):
        a = some_stored(random, 1e-4, 1e4)
        b = Stored(a.scale * float(np.exp(random.uniform(-12, 12))), ZERO_POINTS[number % 5])
        unit = a.scale * b.scale if kind == "MUL" else max(a.scale, b.scale)
        ratio = int(random.integers(1, 64)) / int(random.integers(1, 64)) if number % 2 else 2.0 ** (number - 10)
        content = single.binary(kind, a, b, Stored(unit * ratio, ZERO_POINTS[number // 5]))
        assert np.array_equal(formulas.table(read(content, tmp_path)), single.pairs(content)), (a, b, unit * ratio)


@pytest.mark.parametrize(
    ("kind", "x", "output"),
    [
        ("RELU", Stored(1e4), Stored(1e-4)),
        ("RELU6", Stored(1e-9), Stored(1e-9)),
        ("TANH", Stored(2.0**-29), Stored(1 / 128)),
        ("MUL", Stored(1.0), Stored(1e-5)),
    ],
)
def test_what_would_overflow_in_the_kernels_is_not_guessed(
    kind: str, x: Stored, output: Stored, tmp_path: Path
) -> None:
    content = single.binary("MUL", x, x, output) if kind == "MUL" else single.model(kind, [x], output, [(256,)] * 2)
    with pytest.raises(NotVerifiedError, match=rf"{kind} output: .* 32 bits, and .* depends on its C\+\+ compiler"):
        formulas.table(read(content, tmp_path))


@pytest.mark.parametrize("scales", [[0.004], [0.01, 0.003, 0.0007, 0.00013]])
def test_a_fully_connected_layer_of_the_multipliers_equals_the_kernels(scales: list[float], tmp_path: Path) -> None:
    random = np.random.default_rng(7)
    weights = random.integers(-127, 128, (4, 9)).astype(np.int8)
    bias = random.integers(-9000, 9000, 4).astype(np.int32)
    options: Any = schema.FullyConnectedOptionsT()
    x, output = Stored(0.02, 7), Stored(0.031, -9)
    stored = [x, Stored(0, 0, weights, scales), Stored(0, 0, bias, [0.02 * scale for scale in scales])]
    content = single.model("FULLY_CONNECTED", stored, output, [(64, 9), (4, 9), (4,), (64, 4)], options)
    given = random.integers(-128, 128, (64, 9)).astype(np.int8)
    total = (given.astype(np.int64) - 7) @ weights.T.astype(np.int64) + bias
    found = formulas.scaled_by_channel(total, formulas.multipliers(read(content, tmp_path))) - 9
    assert np.array_equal(np.clip(found, -128, 127), single.run(content, given))


def test_operators_in_a_row_make_one_table(tmp_path: Path) -> None:
    add = read(single.binary("ADD", Stored(0.05, 3), Stored(0.02, -9), Stored(0.06, 5)), tmp_path)
    tanh = read(single.model("TANH", [Stored(0.06, 5)], Stored(1 / 128, 0), [(256,)] * 2), tmp_path)
    composed = formulas.composed([add, tanh])
    assert composed[3 + 128, 100 + 128] == formulas.table(tanh)[int(formulas.table(add)[3 + 128, 100 + 128]) + 128]


def test_what_has_no_formula_is_named(tmp_path: Path) -> None:
    softmax = read(single.model("SOFTMAX", [Stored(0.1)], Stored(1 / 256, -128), [(1, 4)] * 2), tmp_path)
    with pytest.raises(NotVerifiedError, match="SOFTMAX output: no formula"):
        formulas.table(softmax)
    sigmoid = read(single.binary("ADD", Stored(0.05), Stored(0.02), Stored(0.06), "TANH"), tmp_path)
    with pytest.raises(NotVerifiedError, match="ADD output, with activation TANH"):
        formulas.table(sigmoid)
