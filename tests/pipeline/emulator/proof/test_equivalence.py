"""Operators of every quantization are compared; what is not is named."""

import pytest
from ai_edge_litert import schema_py_generated as schema

from tests.pipeline.emulator import single
from tests.pipeline.emulator.compiled import Compile, CompileModel
from tests.pipeline.emulator.single import Stored
from tests.pipeline.networks import made


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
