"""Tables of operators on 8 bits, against what TensorFlow Lite Micro's kernels make of every input."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from pipeline.emulator.proof.int8 import Table
from pipeline.emulator.proof.kinds import kind_of
from pipeline.emulator.proof.source import Operator
from tests.pipeline.emulator import single
from tests.pipeline.emulator.proof.described import read
from tests.pipeline.emulator.single import EVERY, Stored

ACTIVATIONS = ("NONE", "RELU", "RELU6", "RELU_N1_TO_1")
ZERO_POINTS = (-128, -1, 0, 17, 127)


def table(operator: Operator) -> Table:
    """Return an operator's table, as its kind knows it."""
    return kind_of(operator).table(operator)


def some_stored(random: np.random.Generator, low: float = 1e-4, high: float = 0.1) -> Stored:
    """Draw how a tensor is stored."""
    return Stored(float(np.exp(random.uniform(np.log(low), np.log(high)))), int(random.integers(-128, 128)))


def around(power: int) -> list[float]:
    """Return a power of two, where a kernel's shift changes, and the float32 on either side of it."""
    exact = np.float32(2.0**power)
    return [float(np.nextafter(exact, np.float32(0))), float(exact), float(np.nextafter(exact, np.float32(np.inf)))]


EDGES = [scale for power in range(-13, 14) for scale in around(power)]


def of_one_input(kind: str, stored: Iterator[tuple[Stored, Stored]], folder: Path) -> None:
    """Compare an operator over every input, stored in many ways: an input and an output each."""
    for x, output in stored:
        content = single.model(kind, [x], output, [(256,)] * 2)
        assert np.array_equal(table(read(content, folder)), single.run(content, EVERY)), (x, output)


def rescaled() -> Iterator[tuple[Stored, Stored]]:
    """Yield scales that are to each other like small numbers: results lie halfway, and the last bit decides."""
    random = np.random.default_rng(6)
    ratios = [scale for power in range(-30, 23) for scale in around(power)]
    ratios += [int(random.integers(1, 64)) / int(random.integers(1, 64)) for _ in range(150)]
    for place, ratio in enumerate(ratios):
        scale = float(np.exp(random.uniform(np.log(1e-4), np.log(1e4))))
        yield Stored(scale, ZERO_POINTS[place % 5]), Stored(scale / ratio, ZERO_POINTS[place // 5 % 5])


def of_two_inputs(kind: str, activation: str, folder: Path) -> None:
    """Compare an operator over every pair."""
    random = np.random.default_rng([ord(letter) for letter in kind + activation])
    for _ in range(3):
        a, b = some_stored(random), some_stored(random)
        wanted = a.scale * b.scale * 30 if kind == "MUL" else max(a.scale, b.scale)
        content = single.binary(kind, a, b, Stored(float(wanted * random.uniform(0.6, 1.9)), 3), activation)
        assert np.array_equal(table(read(content, folder)), single.pairs(content))


def of_scales_far_apart(kind: str, folder: Path) -> None:
    """Compare an operator over every pair, of inputs whose scales are far apart."""
    random = np.random.default_rng([ord(letter) for letter in kind])
    for number in range(20):
        a = some_stored(random, 1e-4, 1e4)
        b = Stored(a.scale * float(np.exp(random.uniform(-12, 12))), ZERO_POINTS[number % 5])
        unit = a.scale * b.scale if kind == "MUL" else max(a.scale, b.scale)
        ratio = int(random.integers(1, 64)) / int(random.integers(1, 64)) if number % 2 else 2.0 ** (number - 10)
        content = single.binary(kind, a, b, Stored(unit * ratio, ZERO_POINTS[number // 5]))
        assert np.array_equal(table(read(content, folder)), single.pairs(content)), (a, b, unit * ratio)
