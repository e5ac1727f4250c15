"""Operators of every quantization are compared over every pair."""

import pytest
from ai_edge_litert import schema_py_generated as schema

from tests.pipeline.emulator import single
from tests.pipeline.emulator.compiled import CompileModel
from tests.pipeline.emulator.single import Stored


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
