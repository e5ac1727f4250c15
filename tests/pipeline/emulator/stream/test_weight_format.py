"""Our decoder against ``mlw_codec``, which Vela encodes with, and against rubbish."""

import numpy as np
import numpy.typing as npt
import pytest
from ethosu import mlw_codec

from pipeline.emulator.errors import StreamError
from pipeline.emulator.stream.weight_format import decode

MANY = 1 << 20


def encoded(weights: npt.NDArray[np.int64]) -> bytes:
    """Encode as Vela does, padded to a multiple of 16 bytes as in a compiled file."""
    stream = bytes(mlw_codec.encode(weights.tolist()))
    return stream + b"\xff" * (-len(stream) % 16)


def distributions() -> dict[str, npt.NDArray[np.int64]]:
    """Return weights of every kind that makes the encoder choose something else."""
    rng = np.random.default_rng(0)
    bell = np.clip(np.rint(rng.normal(0, 20, 50_000)), -128, 127).astype(np.int64)
    sparse = np.where(rng.random(50_000) < 0.9, 0, bell)
    return {
        "bell": bell,
        "narrow": bell // 16,
        "uniform": rng.integers(-128, 128, 20_000),
        "nine bits": rng.integers(-255, 256, 20_000),
        "few values": rng.choice([-90, -7, 0, 3, 100], 20_000),
        "far from zero": rng.choice([100, 101, 120], 1_000),
        "sparse": sparse,
        "very sparse": np.where(rng.random(200_000) < 0.999, 0, 77),
        "runs of zeros": np.where(np.arange(50_000) // 100 % 2, 0, bell),
        "changing": np.concatenate([bell, sparse, bell // 16, rng.integers(-128, 128, 10_000), sparse]),
        "zeros alone": np.zeros(5_000, np.int64),
        "a single weight": np.array([-42]),
    }


@pytest.mark.parametrize("kind", distributions())
def test_decodes_what_the_codec_encoded(kind: str) -> None:
    weights = distributions()[kind]

    assert decode(encoded(weights), MANY).tolist() == weights.tolist()


def test_agrees_with_the_codec_on_weights_of_every_length() -> None:
    rng = np.random.default_rng(1)
    for length in range(1, 300, 3):
        stream = encoded(np.rint(rng.normal(0, 30, length) * (rng.random(length) < rng.random())).astype(np.int64))

        assert decode(stream, MANY).tolist() == list(mlw_codec.decode(bytearray(stream)))


def test_nothing_but_the_end_holds_no_weights() -> None:
    assert len(decode(b"\xff" * 16, MANY)) == len(decode(b"", MANY)) == 0


@pytest.mark.parametrize("kind", ["bell", "sparse", "few values"])
def test_says_where_a_stream_is_cut_short(kind: str) -> None:
    stream = encoded(distributions()[kind])

    for length in (1, 5, len(stream) // 2, len(stream) - 17):
        with pytest.raises(StreamError, match=rf"weight stream, bit \d+ of {8 * length}: "):
            decode(stream[:length], MANY)


def test_a_stream_with_more_weights_than_its_layer_is_not_decoded() -> None:
    with pytest.raises(StreamError, match="more weights than its layer"):
        decode(encoded(distributions()["very sparse"]), most=199_999)


def test_what_follows_the_end_is_an_error() -> None:
    with pytest.raises(StreamError, match="something behind its end"):
        decode(encoded(np.arange(9)) + bytes(16), MANY)


@pytest.mark.parametrize("seed", range(2))
def test_rubbish_is_an_error_or_weights_and_nothing_else(seed: int) -> None:
    rng = np.random.default_rng(seed)
    streams = [rng.bytes(int(length)) for length in rng.integers(0, 2_000, 100)]
    for kind in ("bell", "sparse", "changing", "few values"):
        whole = encoded(distributions()[kind][:5_000])
        for place in rng.integers(0, 8 * len(whole), 25):
            damaged = bytearray(whole)
            damaged[place // 8] ^= 1 << place % 8
            streams.append(bytes(damaged))

    for stream in streams:
        try:
            weights = decode(stream, most=60_000)
        except StreamError:
            continue
        assert len(weights) <= 60_000
        assert not len(weights) or abs(weights).max() < 256
