import numpy as np
import pytest

from pipeline.tflite.errors import TfliteError
from pipeline.tflite.quantization import Quantization


def test_real_numbers_are_quantized_and_back() -> None:
    quantization = Quantization.single(0.5, -3)
    stored = quantization.stored(np.array([-1.0, 0.0, 1.2], np.float32), np.int8)
    assert (stored.dtype.name, stored.tolist()) == ("int8", [-5, -3, -1])
    assert quantization.real(stored).tolist() == [-1.0, 0.0, 1.0]


@pytest.mark.parametrize(("dtype", "limits"), [("int8", [127, -128]), ("int16", [32767, -32768]), ("uint8", [255, 0])])
def test_what_is_beyond_the_type_saturates(dtype: str, limits: list[int]) -> None:
    stored = Quantization.single(0.5, 0).stored(np.array([9e9, -9e9], np.float32), dtype)
    assert stored.tolist() == limits


def test_halves_are_rounded_away_from_zero() -> None:
    stored = Quantization.single(0.5, 0).stored(np.array([0.25, 0.75, -0.25, -0.75], np.float32), np.int8)
    assert stored.tolist() == [1, 2, -1, -2]


def test_one_scale_is_asked_for_only_where_there_is_one() -> None:
    by_channel = Quantization((0.5, 0.25), (0, 0), axis=1)
    assert (Quantization.single(0.5, 7).scale, Quantization.single(0.5, 7).zero_point) == (0.5, 7)
    with pytest.raises(TfliteError, match="2 quantization parameters where one is needed"):
        _ = by_channel.scale
    with pytest.raises(TfliteError, match="2 quantization parameters where one is needed"):
        _ = by_channel.zero_point


def test_equal_is_what_stores_alike() -> None:
    assert Quantization.single(0.5, 7) == Quantization((0.5,), (7,))
    assert Quantization.single(0.5, 7) != Quantization.single(0.5, 6)
    assert Quantization((0.5, 0.5), (0, 0), axis=0) != Quantization((0.5, 0.5), (0, 0), axis=1)
