"""What differs for a reason that is known is proved, counted and said; one number more that differs is a failure."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from ai_edge_litert import schema_py_generated as schema

from pipeline.emulator.machine.machine import Machine
from pipeline.emulator.proof import dataflow, formulas, known_differences, source, static_checks
from pipeline.emulator.proof.known_differences import recognised
from pipeline.emulator.proof.matches import Match
from pipeline.emulator.proof.static_checks import Findings
from pipeline.emulator.stream.operations import Binary, Convolution, Elementwise, Substitution, Transfer
from tests.pipeline.emulator import single
from tests.pipeline.emulator.compiled import Compile, Compiled, CompileModel
from tests.pipeline.emulator.single import EVERY, Stored
from tests.pipeline.networks import Network, made

SIGMOID, TANH = Stored(1 / 256, -128), Stored(1 / 128)
ROUNDED = (Stored(0.014084975509844373, -65), Stored(0.006142901224091169, 33), Stored(0.0097229385004649, 125))
"""A product whose multiplier rounds to another one in single precision."""


def failures(found: Findings) -> list[str]:
    return [check.first or check.name for check in found.checks if check.failed]


def everything(machine: Machine) -> npt.NDArray[np.int8]:
    """Return what a compiled operator of one input makes of every number."""
    (place,) = machine.program.inputs
    values = np.repeat(EVERY, int(np.prod(place.shape))).reshape(256, *place.shape)
    return np.asarray(next(iter(machine.run({place.name: values}).values())).reshape(256, -1)[:, 0])


def of_one(kind: str, x: Stored, output: Stored, size: int = 16) -> bytes:
    return single.model(kind, [x], output, [(1, size)] * 2)


def micro(kind: str, x: Stored, output: Stored) -> npt.NDArray[np.int8]:
    return single.run(single.model(kind, [x], output, [(256,)] * 2), EVERY)


CUT = "TensorFlow Lite Micro cuts {} from an input scale of {} on, where Vela's table is exact"
FIXED = "TensorFlow Lite Micro computes {} in fixed point, where Vela's table is exact"
SINGLE = "Vela rounds multipliers of {} to single precision"
ONE_INPUT = [
    (("LOGISTIC", Stored(8.0, -3), SIGMOID), ("128 at 1 of 256 inputs", CUT.format("LOGISTIC", 2), 1)),
    (("LOGISTIC", Stored(12.35, 5), SIGMOID), ("128 at 1 of 256 inputs", CUT.format("LOGISTIC", 2), 1)),
    (("LOGISTIC", Stored(4.3, 5), SIGMOID), ("at most 3 at 2 of 256 inputs", CUT.format("LOGISTIC", 2), 2)),
    (("TANH", Stored(16.0, 0), TANH), ("128 at 1 of 256 inputs", CUT.format("TANH", 8), 1)),
    (("TANH", Stored(2.0**-8, 0), TANH), ("at most 1 at 2 of 256 inputs", FIXED.format("TANH"), 2)),
    (
        ("RELU", Stored(2166.7759049636534, 0), Stored(456.1633484134007, -127)),
        ("at most 1 at 13 of 256 inputs", SINGLE.format("RELU"), 13),
    ),
]
"""Kind, input and output; what differs, why, and how many of these can come up."""


@pytest.mark.parametrize(
    ("accelerator", "operator", "sentence"),
    [("ethos-u55-128", *case) for case in ONE_INPUT] + [("ethos-u85-256", *case) for case in ONE_INPUT[::5]],
)
def test_an_operator_of_one_input_passes_and_it_is_said_how_it_differs(
    compile_model: CompileModel, accelerator: str, operator: tuple[str, Stored, Stored], sentence: tuple[str, str, int]
) -> None:
    kind, x, output = operator
    extent, reason, within = sentence
    compiled = compile_model(of_one(kind, x, output), accelerator)

    found = compiled.check()

    assert not failures(found)
    assert not found.not_verified
    (warning,) = found.warnings
    assert warning == (
        f"{kind} output: the NPU differs from TensorFlow Lite Micro by {extent}, because {reason};"
        f" {within} of these inputs can come up"
    )
    differ = everything(compiled.machine) != micro(kind, x, output)
    assert int(differ.sum()) == within
    substituted = Machine(compiled.program, known_differences.substitutions(found.known))
    assert np.array_equal(everything(substituted), micro(kind, x, output))


@pytest.mark.parametrize(("kind", "output"), [("LOGISTIC", SIGMOID), ("TANH", TANH)])
def test_nothing_is_said_where_nothing_differs(compile_model: CompileModel, kind: str, output: Stored) -> None:
    found = compile_model(of_one(kind, Stored(0.09, 7), output)).check()

    assert not failures(found)
    assert (found.known, found.warnings) == ((), ())


def test_the_rounding_of_a_multiplier_is_a_warning_and_no_failure(compile_model: CompileModel) -> None:
    compiled = compile_model(single.model("MUL", ROUNDED[:2], ROUNDED[2], [(1, 64)] * 3, schema.MulOptionsT()))

    found = compiled.check()

    assert not failures(found)
    (warning,) = found.warnings
    assert warning == (
        "MUL output: the NPU differs from TensorFlow Lite Micro by at most 1 at 5 of 65,536 input pairs, because"
        " Vela rounds multipliers of MUL to single precision; 5 of these pairs can come up"
    )
    a, b = (pairs.reshape(-1, 1, 64) for pairs in np.meshgrid(EVERY, EVERY, indexing="ij"))
    kernels = single.pairs(single.binary("MUL", *ROUNDED))
    emulated = compiled.machine.run({"input_0": a, "input_1": b})["output"].reshape(256, 256)
    assert (emulated != kernels).sum() == 5
    substituted = Machine(compiled.program, known_differences.substitutions(found.known))
    assert np.array_equal(substituted.run({"input_0": a, "input_1": b})["output"].reshape(256, 256), kernels)


def test_operators_that_differ_alike_share_a_sentence(compile_model: CompileModel) -> None:
    compiled = compile_model(of_one("LOGISTIC", Stored(12.35, 5), SIGMOID))
    matches = dataflow.follow(compiled.machine, compiled.model, compiled.origins).matches
    (one,) = recognised(matches)
    operator = one.match.operators[0]
    later = replace(operator, outputs=(replace(operator.outputs[0], name="later"),))
    other = replace(one, match=replace(one.match, operators=(later,)))

    (sentence,) = known_differences.sentences(
        [one, other], known_differences.substituted(compiled.machine, matches, [one]), compiled.model
    )

    assert sentence.startswith("LOGISTIC output and 1 more like it: the NPU differs")


def test_a_table_fused_behind_a_product_is_counted_by_its_entries(
    compile_model: CompileModel, compile_network: Compile
) -> None:
    compiled = compile_network(made("gru"), 2)
    matches = dataflow.follow(compiled.machine, compiled.model, compiled.origins).matches
    match = next(each for each in matches if isinstance(each.planned.operation, Convolution))
    sigmoid = compile_model(of_one("LOGISTIC", Stored(12.35, 5), SIGMOID)).model.operators[0]
    exact = np.clip(np.rint(formulas.exact(sigmoid)), -128, 127).astype(np.int8)
    fused = replace(match, operators=(match.operators[0], sigmoid), planned=replace(match.planned, lookup=exact))

    (difference,) = recognised([fused])

    lookup = difference.substitution.lookup
    assert lookup is not None
    assert np.array_equal(lookup, formulas.table(sigmoid))
    as_micro = replace(fused, planned=replace(fused.planned, lookup=lookup))
    (sentence,) = known_differences.sentences([difference], [as_micro], compiled.model)
    assert "by 128 at 1 of 256 entries of its table, because" in sentence


class Table:
    """The entries of the one table that a compiled operator looks up, of which some may be changed."""

    def __init__(self, compiled: Compiled) -> None:
        self.compiled = compiled
        transfer = next(each for each in compiled.machine.planned if isinstance(each.operation, Transfer))
        self.start = transfer.reads[0].start
        self.constants = bytearray(compiled.program.constants)
        self.entries = np.frombuffer(self.constants, np.int8, 256, self.start)

    def check(self) -> Findings:
        program = replace(self.compiled.program, constants=bytes(self.constants))
        return static_checks.check(Machine(program), self.compiled.model, self.compiled.origins)


@pytest.mark.parametrize("scale", [12.35, 4.3, 0.09])
def test_any_entry_that_is_changed_is_a_failure_that_names_it_alone(compile_model: CompileModel, scale: float) -> None:
    x = Stored(scale, 5)
    compiled, expected = compile_model(of_one("LOGISTIC", x, SIGMOID)), micro("LOGISTIC", x, SIGMOID)
    for place in (0, 100, 132, 133, 134, 255):  # the zero point is at 133
        for by in (-1, 1, 64):
            table = Table(compiled)
            changed = int(table.entries[place]) + by
            if not -128 <= changed <= 127:
                continue
            table.entries[place] = changed

            (failure,) = failures(table.check())

            sentence = f"of {place - 128} it makes {changed} instead of {expected[place]}; 1 of 256 differ"
            assert failure.endswith(sentence)


def test_a_table_that_is_already_micros_is_no_difference(compile_model: CompileModel) -> None:
    x = Stored(12.35, 5)
    table = Table(compile_model(of_one("LOGISTIC", x, SIGMOID)))
    table.entries[:] = micro("LOGISTIC", x, SIGMOID)

    found = table.check()

    assert not failures(found)
    assert (found.known, found.warnings) == ((), ())


def test_a_table_for_another_output_scale_is_not_known(compile_model: CompileModel) -> None:
    """TensorFlow Lite Micro has 1/128 in its kernel whatever the model says; Vela has what the model says."""
    found = compile_model(of_one("TANH", Stored(0.05), Stored(1 / 64))).check()

    (failure,) = failures(found)
    assert failure.startswith("TANH output")


def read(content: bytes, folder: Path) -> source.Operator:
    path = folder / "single.tflite"
    path.write_bytes(content)
    return source.load(path).operators[0]


@pytest.mark.parametrize(("kind", "output"), [("LOGISTIC", SIGMOID), ("TANH", TANH)])
def test_fixed_point_is_off_by_one_of_small_scales_and_by_more_of_large_ones(
    kind: str, output: Stored, tmp_path: Path
) -> None:
    """How far a kernel is from the real function: what README and rules say of it."""
    cut_from = formulas.FUNCTIONS[kind].cut_from
    for scale in np.exp(np.linspace(np.log(1e-4), np.log(1e4), 300)):
        operator = read(of_one(kind, Stored(float(scale), 5), output), tmp_path)
        distance = np.abs(np.clip(formulas.exact(operator), -128, 127) - formulas.table(operator))
        assert (distance.max() < 0.5001) if scale < cut_from else (distance.max() <= 128)
        assert (distance.max() == 128) == (scale >= 8)


@pytest.fixture(scope="module")
def products(compile_network: Compile) -> Mapping[int, Match]:
    """Return every MUL of a network of 16 bits by its offset."""
    compiled = compile_network(Network("gru", units=13), 2, bits=16)
    flow = dataflow.follow(compiled.machine, compiled.model, compiled.origins)
    return {
        match.planned.command.offset: match
        for match in flow.matches
        if isinstance(match.planned.operation, Binary) and match.planned.operation.mode is Elementwise.MUL
    }


def product(match: Match) -> Binary:
    assert isinstance(match.planned.operation, Binary)
    return match.planned.operation


def scales(differences: Sequence[known_differences.KnownDifference]) -> Mapping[int, Substitution]:
    return known_differences.substitutions(differences)


def test_double_precision_is_close_by_and_not_the_same(products: Mapping[int, Match]) -> None:
    found = scales(recognised(products.values()))

    assert found
    for offset, substitution in found.items():
        single, double = product(products[offset]).scale, substitution.scale
        assert double is not None
        assert single.shift == double.shift
        assert 0 < abs(single.multiplier - double.multiplier) < 2**8


def test_a_multiplier_that_is_neither_is_left_to_the_samples(products: Mapping[int, Match]) -> None:
    offset = next(iter(scales(recognised(products.values()))))
    match = products[offset]
    operation = product(match)
    wrong = replace(operation, scale=replace(operation.scale, multiplier=operation.scale.multiplier ^ 1))

    assert not recognised([replace(match, planned=replace(match.planned, operation=wrong))])
