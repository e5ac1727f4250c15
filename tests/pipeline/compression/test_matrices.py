"""The matrices of a file: found, and compared channel by channel."""

from pathlib import Path

import numpy as np

from pipeline.compression.matrices import changed_channels, matrices
from pipeline.tflite import reader


def test_the_matrices_of_a_quantized_model_are_found_once_and_can_be_changed(template: Path) -> None:
    content = bytearray((template / "build" / "tiny" / "quantized" / "quantized.tflite").read_bytes())
    found = list(matrices(reader.parse(content)))
    assert sorted(matrix.shape for matrix in found if len(matrix) > 1) == [(10, 16), (48, 16), (48, 28)]

    found[0][:] = 7

    again = list(matrices(reader.parse(content)))
    assert (again[0] == 7).all()


def test_channels_may_stand_in_another_order_and_in_several_matrices() -> None:
    codes = np.arange(12, dtype=np.int8).reshape(3, 4)
    rows = np.ascontiguousarray(codes.T)
    assert changed_channels(codes, [rows[[3, 1]], rows[[0, 2]]]) == 0


def test_a_changed_code_is_noticed_in_its_channel() -> None:
    codes = np.arange(12, dtype=np.int8).reshape(3, 4)
    other = np.ascontiguousarray(codes.T)
    other[2, 1] += 1
    assert changed_channels(codes, [other]) == 1
    assert changed_channels(codes, []) == 4
