"""The quantized model is read with its numbers, and what is none is refused in a sentence."""

from pathlib import Path

import numpy as np
import pytest
from ai_edge_litert import schema_py_generated as schema

from pipeline.emulator.errors import NotVerifiedError, StreamError
from pipeline.emulator.proof import source
from tests.pipeline.emulator import single
from tests.pipeline.emulator.single import Stored

WEIGHTS = np.arange(12, dtype=np.int8).reshape(3, 4)


def written(folder: Path, content: bytes) -> Path:
    path = folder / "model.tflite"
    path.write_bytes(content)
    return path


def test_operators_and_tensors_are_read(tmp_path: Path) -> None:
    inputs = [Stored(0.5, 3), Stored(0, 0, WEIGHTS, (0.1, 0.2, 0.3)), Stored(0.1, 0, np.zeros(3, np.int32))]
    shapes: list[tuple[int, ...]] = [(1, 4), (3, 4), (3,), (1, 3)]
    content = single.model("FULLY_CONNECTED", inputs, Stored(0.25, -7), shapes, schema.FullyConnectedOptionsT())

    (operator,) = source.load(written(tmp_path, content)).operators

    assert str(operator) == "FULLY_CONNECTED output"
    assert operator.activation == "NONE"
    assert (operator.input(0).scale, operator.input(0).zero_point) == (0.5, 3)
    assert np.array_equal(operator.constant(1), WEIGHTS)
    assert np.allclose(operator.input(1).scales, (0.1, 0.2, 0.3))
    assert operator.outputs[0].shape == (1, 3)
    with pytest.raises(NotVerifiedError, match="3 quantization parameters where one"):
        _ = operator.input(1).scale
    with pytest.raises(NotVerifiedError, match="input_0 is computed"):
        operator.constant(0)
    with pytest.raises(StreamError, match="has no input 5"):
        operator.input(5)


def test_damaged_and_foreign_files_end_in_a_sentence(tmp_path: Path) -> None:
    whole = single.binary("ADD", Stored(0.1), Stored(0.2), Stored(0.3))
    with pytest.raises(StreamError, match="is no TensorFlow Lite model"):
        source.load(written(tmp_path, b"PK\3\4 some archive"))
    random = np.random.default_rng(0)
    for _ in range(150):
        damaged = bytearray(whole[: random.integers(8, len(whole))])
        for place in random.integers(8, len(damaged) + 1, 3) - 1:
            damaged[place] = random.integers(256)
        damaged[4:8] = b"TFL3"
        try:
            source.load(written(tmp_path, bytes(damaged)))
        except (StreamError, NotVerifiedError) as error:
            assert str(error)  # noqa: PT017 - some damage is harmless
