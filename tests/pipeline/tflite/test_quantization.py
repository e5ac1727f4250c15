import numpy as np
import pytest

from pipeline.tflite.errors import TfliteError
from pipeline.tflite.quantization import Quantization


def test_real_numbers_are_stored_by_scale_and_zero_point() -> None:
    stored = Quantization.single(0.5, -3).stored(np.array([0.0, 1.0, -1.0, 0.6, -0.6], np.float32), np.int8)
    assert stored.dtype == np.int8
    assert stored.tolist() == [-3, -1, -5, -2, -4]


def test_numbers_out_of_the_range_of_int16_are_saturated() -> None:
    stored = Quantization.single(0.5, 0).stored(np.array([9e9, -9e9, 1.25], np.float32), "int16")
    assert stored.dtype == np.int16
    assert stored.tolist() == [32767, -32768, 3]


def test_numbers_out_of_range_are_saturated() -> None:
    real = np.array([1.27, 1.28, 99, -1.28, -1.29, -99], np.float32)
    assert Quantization.single(0.01, 0).stored(real, np.int8).tolist() == [127, 127, 127, -128, -128, -128]


def test_halves_are_rounded_away_from_zero_as_tflites_quantize_does() -> None:
    stored = Quantization.single(0.5, 0).stored(np.array([0.25, 0.75, 1.25, -0.25, -0.75], np.float32), np.int8)
    assert stored.tolist() == [1, 2, 3, -1, -2]


def test_every_stored_number_comes_back_as_itself() -> None:
    quantization = Quantization.single(0.0123, 17)
    every = np.arange(-128, 128).astype(np.int8)

    real = quantization.real(every)

    assert real.dtype == np.float32
    np.testing.assert_allclose(real, 0.0123 * (np.arange(-128, 128) - 17), rtol=1e-5)
    np.testing.assert_array_equal(quantization.stored(real, np.int8), every)


def test_one_scale_is_had_only_where_there_is_one() -> None:
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
