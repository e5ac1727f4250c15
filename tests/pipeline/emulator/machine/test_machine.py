"""Whole models on the emulator, against TensorFlow Lite Micro, byte for byte."""

from collections.abc import Mapping
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from ai_edge_litert.interpreter import Interpreter
from tflite_micro import runtime

from pipeline.emulator.errors import StreamError
from pipeline.emulator.machine.machine import Machine
from pipeline.emulator.proof import dataflow, known_differences
from pipeline.emulator.stream.arithmetic import Scale
from pipeline.emulator.stream.commands import KERNELS
from pipeline.emulator.stream.operations import Binary, Elementwise, Substitution
from tests.pipeline.emulator.compiled import Compile
from tests.pipeline.networks import CELLS, Network

Numbers = npt.NDArray[Any]
SAMPLES = 40
SOFTMAX_16_DIFFERENCE = 16
"""Of 32,768 steps."""
MODES = {
    "u55": ("Shared_Sram", "Sram_Only"),
    "u65": ("Dedicated_Sram", "Shared_Sram", "Sram_Only"),
    "u85": ("Dedicated_Sram", "Shared_Sram", "Sram_Only"),
}
ACCELERATORS = [
    *(f"ethos-u55-{macs}" for macs in (32, 64, 128, 256)),
    *(f"ethos-u65-{macs}" for macs in (256, 512)),
    *(f"ethos-u85-{macs}" for macs in (128, 256, 512, 1024, 2048)),
]
TARGETS = [(accelerator, mode) for accelerator in ACCELERATORS for mode in MODES[accelerator.split("-")[1]]]
UNITS, STEPS, FEATURES = (4, 7, 13, 16, 24, 33, 40), (1, 2, 3, 5, 8), (3, 6, 9, 17)


def network(number: int) -> tuple[Network, int, dict[str, Any]]:
    """Return the network of a target: every cell, odd sizes, with and without state, int8 and int16, by turns."""
    cell = CELLS[number % 3]
    chosen = Network(
        cell,
        seed=300 + number,
        features=FEATURES[number % 4],
        units=UNITS[number % 7],
        layers=1 + (number % 11 == 5),
        dense=[9] if number % 5 == 2 else [],
        reset_after=cell != "gru" or number % 2 == 0,
    )
    return chosen, STEPS[number % 5], {"state": number % 4 > 1, "bits": 16 if number % 6 == 3 else 8}


def micro(model: Path, inputs: Mapping[str, Numbers]) -> dict[str, Numbers]:
    """Run samples with TensorFlow Lite Micro; inputs and outputs by the names of tensors."""
    names = Interpreter(str(model))
    places = {port["name"]: place for place, port in enumerate(names.get_input_details())}
    interpreter = runtime.Interpreter.from_file(str(model), arena_size=1 << 22)
    shapes = {name: interpreter.get_input_details(place)["shape"] for name, place in places.items()}
    found: dict[str, list[Numbers]] = {port["name"]: [] for port in names.get_output_details()}
    for number in range(SAMPLES):
        for name, values in inputs.items():
            interpreter.set_input(values[number].reshape(shapes[name]), places[name])
        interpreter.invoke()
        for place, rows in enumerate(found.values()):
            rows.append(interpreter.get_output(place)[0].copy())
    return {name: np.array(rows) for name, rows in found.items()}


def any_inputs(machine: Machine) -> dict[str, Numbers]:
    """Return random numbers for every input, states included."""
    random = np.random.default_rng(0)
    found = {}
    for place in machine.program.inputs:
        limits = np.iinfo(place.dtype)
        found[place.name] = random.integers(limits.min, limits.max + 1, (SAMPLES, *place.shape)).astype(place.dtype)
    return found


@pytest.mark.parametrize(
    ("number", "accelerator", "mode"),
    [
        pytest.param(number, *target, id=" ".join(target), marks=[pytest.mark.slow] * (number % 2 == 0))
        for number, target in enumerate(TARGETS)
    ],
)
def test_every_accelerator_computes_the_bytes_of_tensorflow_lite_micro(
    compile_network: Compile, number: int, accelerator: str, mode: str
) -> None:
    chosen, steps, how = network(number)
    compiled = compile_network(chosen, steps, accelerator, mode, **how)
    machine = compiled.machine
    if how["bits"] == 16:
        matches = dataflow.follow(machine, compiled.model, compiled.origins).matches
        known = known_differences.recognised(matches)
        machine = Machine(compiled.program, known_differences.substitutions(known))
    inputs = any_inputs(machine)

    found = machine.run(inputs)

    expected = micro(compiled.quantized, inputs)
    assert found.keys() == expected.keys()
    for name, values in expected.items():
        difference = np.abs(found[name].reshape(values.shape).astype(int) - values)
        softmax = how["bits"] == 16 and name == "output"  # Vela's own, by tables, is a little different
        assert difference.max() <= (SOFTMAX_16_DIFFERENCE if softmax else 0), name
    assert any(len(np.unique(values)) > 3 for values in expected.values()), "the samples show nothing"


@pytest.mark.slow
@pytest.mark.parametrize(("units", "steps", "state"), [(16, 100, False), (16, 20, True), (64, 100, False)])
@pytest.mark.parametrize("accelerator", ["ethos-u55-128", "ethos-u65-256", "ethos-u85-256"])
def test_two_layers_over_a_hundred_steps_compute_the_bytes_of_tensorflow_lite_micro_whole_and_in_pieces(
    compile_network: Compile,
    accelerator: str,
    units: int,
    steps: int,
    state: bool,  # noqa: FBT001
) -> None:
    compiled = compile_network(large(units), steps, accelerator, state=state)
    inputs = any_inputs(compiled.machine)

    found = compiled.machine.run(inputs)

    expected = micro(compiled.quantized, inputs)
    assert found.keys() == expected.keys()
    assert all(np.array_equal(found[name].reshape(values.shape), values) for name, values in expected.items())
    assert not any(check.failed for check in compiled.check().checks)


@cache
def large(units: int) -> Network:
    """Return a GRU of two layers."""
    return Network("gru", units=units, layers=2)


@pytest.fixture(scope="module")
def small(compile_network: Compile) -> Machine:
    return compile_network(Network("gru", units=8)).machine


def test_a_batch_computes_what_its_samples_do_alone(small: Machine) -> None:
    inputs = any_inputs(small)

    together = small.run(inputs)

    alone = [small.run({name: values[number : number + 1] for name, values in inputs.items()}) for number in range(5)]
    for name, values in together.items():
        assert np.array_equal(values[:5], np.concatenate([found[name] for found in alone]))


def test_a_watch_is_told_the_result_of_every_kernel(small: Machine) -> None:
    told: list[tuple[Any, Numbers]] = []

    small.run(any_inputs(small), lambda planned, result: told.append((planned, result)))

    kernels = [planned for planned in small.planned if planned.command.kind in KERNELS]
    assert [planned for planned, _ in told] == kernels
    assert all(len(result) == SAMPLES for _, result in told)


def test_an_output_that_nothing_writes_is_an_error_that_names_it(small: Machine) -> None:
    only_stop = small.program.words[-1:]

    with pytest.raises(StreamError, match=r"output output: reads byte 0x\w+ of scratch, which was never written"):
        Machine(replace(small.program, words=only_stop))


def test_another_scale_is_used_in_place_of_the_streams(small: Machine) -> None:
    product = next(
        planned.operation
        for planned in small.planned
        if isinstance(planned.operation, Binary) and planned.operation.mode is Elementwise.MUL
    )
    none = Scale(multiplier=0, shift=31)

    changed = Machine(small.program, {product.command.offset: Substitution(scale=none)})

    inputs = any_inputs(small)
    assert not np.array_equal(small.run(inputs)["output"], changed.run(inputs)["output"])
