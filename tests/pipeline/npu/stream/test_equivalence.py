"""What differs for a known reason is said and not failed; what a model can't hold is not counted."""

import numpy as np
import pytest
from ai_edge_litert import schema_py_generated as schema

from pipeline.npu.stream import formulas
from tests.pipeline.deployment.networks import made
from tests.pipeline.npu.stream import single
from tests.pipeline.npu.stream.compiled import Compile, CompileModel
from tests.pipeline.npu.stream.single import Stored

ROUNDED = (Stored(0.014084975509844373, -65), Stored(0.006142901224091169, 33), Stored(0.0097229385004649, 125))
"""A product whose multiplier rounds to another one in single precision."""


def test_the_rounding_of_a_multiplier_is_a_warning_and_no_failure(compile_model: CompileModel) -> None:
    compiled = compile_model(single.model("MUL", ROUNDED[:2], ROUNDED[2], [(1, 64)] * 3, schema.MulOptionsT()))

    found = compiled.check()

    assert not any(check.failed for check in found.checks)
    (warning,) = found.warnings
    assert warning == (
        "MUL output: the NPU differs from TensorFlow Lite Micro by 1 at 5 of 65,536 input pairs, because Vela rounds"
        " the multiplier to single precision; 5 of these pairs can come up"
    )
    numbers = np.arange(-128, 128).astype(np.int8)
    a, b = (pairs.reshape(-1, 1, 64) for pairs in np.meshgrid(numbers, numbers, indexing="ij"))
    emulated = compiled.machine.run({"input_0": a, "input_1": b})["output"].reshape(256, 256)
    kernels = single.pairs(single.binary("MUL", *ROUNDED))
    assert (emulated != kernels).sum() == 5
    assert np.array_equal(formulas.table(compiled.model.operators[0]), kernels)


@pytest.mark.parametrize("kind", ["ADD", "SUB", "MUL"])
def test_operators_of_every_quantization_are_equal(compile_model: CompileModel, kind: str) -> None:
    options = {"ADD": schema.AddOptionsT, "SUB": schema.SubOptionsT, "MUL": schema.MulOptionsT}[kind]()
    options.fusedActivationFunction = schema.ActivationFunctionType.RELU
    for scale, zero_point in ((0.01, 0), (0.0033, -128)):
        inputs = (Stored(0.01, 3), Stored(scale, zero_point))
        output = Stored(0.004 if kind == "MUL" else 0.0123, -9)
        found = compile_model(single.model(kind, inputs, output, [(1, 32)] * 3, options)).check()
        assert [(check.unit, check.failed) for check in found.checks if check.unit == "input pairs"] == [
            ("input pairs", 0)
        ]
        assert not any(check.failed for check in found.checks)


def test_16_bit_operators_are_shown_by_samples_and_named(compile_network: Compile) -> None:
    found = compile_network(made("gru"), 2, bits=16).check()

    assert not any(check.failed for check in found.checks)
    assert "input pairs" not in {check.unit for check in found.checks}
    assert not found.not_verified
    softmax, sentence = found.by_samples
    assert softmax == "SOFTMAX output"
    assert sentence.startswith("results of ADD, LOGISTIC, MUL, SUB, TANH on 16-bit numbers")
