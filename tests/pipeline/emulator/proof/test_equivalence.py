"""What is too much to be compared is named."""

from tests.pipeline.emulator.compiled import Compile
from tests.pipeline.networks import made


def test_16_bit_operators_are_shown_by_samples_and_named(compile_network: Compile) -> None:
    found = compile_network(made("gru"), 2, bits=16).check()

    assert not any(check.failed for check in found.checks)
    assert "input pairs" not in {check.unit for check in found.checks}
    assert not found.not_verified
    softmax, sentence = found.by_samples
    assert softmax == "SOFTMAX output"
    assert sentence.startswith("results of ADD, LOGISTIC, MUL, SUB, TANH on 16-bit numbers")
