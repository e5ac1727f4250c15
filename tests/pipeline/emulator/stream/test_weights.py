"""Weights, biases and scales as Vela writes them, for a layer of known numbers."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from ai_edge_litert.interpreter import Interpreter
from ethosu.vela import api

from pipeline.emulator.errors import StreamError
from pipeline.emulator.stream.commands import Kind, decode
from pipeline.emulator.stream.npu import Family, Npu
from pipeline.emulator.stream.program import load
from pipeline.emulator.stream.weight_order import WeightLayout
from pipeline.emulator.stream.weights import scales, weights

SMALL = Npu(family=Family.U55, macs=128, shram_bytes=0)
LAYOUT = WeightLayout(npu=SMALL, ofm_depth=3, kernel_height=1, kernel_width=1, ifm_depth=5, ofm_block_depth=16)


def encoded(padded: np.ndarray) -> bytes:
    """Encode 8 outputs by 32 inputs, which is all that the NPU reads of a layer of 3 by 5."""
    volume = np.ascontiguousarray(padded.reshape(8, 1, 1, 32).astype(np.int16))
    depth_first = api.NpuBlockTraversal.DEPTH_FIRST
    return bytes(api.npu_encode_weights(api.NpuAccelerator.Ethos_U55_128, volume, (1, 1), 8, 16, False, depth_first))  # noqa: FBT003 - Vela's


@pytest.fixture
def padded() -> np.ndarray:
    """Return weights of 3 outputs and 5 inputs, zeros around them."""
    whole = np.zeros((8, 32), np.int16)
    whole[:3, :5] = np.arange(-7, 8).reshape(3, 5)
    return whole


def test_the_padding_is_left_out(padded: np.ndarray) -> None:
    assert weights([encoded(padded)], LAYOUT).reshape(3, 5).tolist() == padded[:3, :5].tolist()


@pytest.mark.parametrize("place", [(3, 0), (0, 5), (7, 31)])
def test_something_in_the_padding_is_an_error(padded: np.ndarray, place: tuple[int, int]) -> None:
    padded[place] = 9

    with pytest.raises(StreamError, match=r"weight \d+ of weight stream 0 is 9, where padding of zeros belongs"):
        weights([encoded(padded)], LAYOUT)


def test_too_few_weights_are_an_error(padded: np.ndarray) -> None:
    larger = WeightLayout(npu=SMALL, ofm_depth=3, kernel_height=1, kernel_width=1, ifm_depth=33, ofm_block_depth=16)

    with pytest.raises(StreamError, match="weight stream 0 has 256 weights instead of 512"):
        weights([encoded(padded)], larger)


def test_each_core_must_have_a_stream(padded: np.ndarray) -> None:
    with pytest.raises(StreamError, match="2 weight streams instead of 1"):
        weights([encoded(padded)] * 2, LAYOUT)


@pytest.mark.parametrize(
    "target",
    [
        ("ethos-u55-32", "Ethos_U55_High_End_Embedded", "Shared_Sram"),
        ("ethos-u65-512", "Ethos_U65_High_End", "Shared_Sram"),
    ],
    ids=" ".join,
)
def test_what_vela_compiled_holds_the_weights_of_the_model(
    models: Path, compiled: Callable[..., tuple[Path, str]], target: tuple[str, str, str]
) -> None:
    (path,) = compiled("on_npu", *target)[0].glob("*_vela.tflite")
    program = load(path)
    npu = program.npu
    found = []
    for command in decode(program.words, npu.family):
        if command.kind is not Kind.CONV:
            continue
        layout = WeightLayout(
            npu=npu,
            ofm_depth=command["OFM_DEPTH_M1"] + 1,
            kernel_height=1,
            kernel_width=1,
            ifm_depth=command["IFM_DEPTH_M1"] + 1,
            ofm_block_depth=command["OFM_BLK_DEPTH_M1"] + 1,
        )
        places = [(command[f"WEIGHT{core}_BASE"], command[f"WEIGHT{core}_LENGTH"]) for core in ("", "1")[: npu.cores]]
        streams = [program.constants[start : start + length] for start, length in places]
        found.append(weights(streams, layout)[:, 0, 0, :].tolist())

    source = Interpreter(model_path=str(models / "on_npu.tflite"))
    source.allocate_tensors()
    tensors = [
        source.get_tensor(tensor["index"]).tolist()
        for tensor in source.get_tensor_details()
        if tensor["dtype"] == np.int8 and tensor["shape"].tolist() in ([8, 4], [3, 8])
    ]
    assert len(found) == 2
    assert sorted(found) == sorted(tensors)


RECORDS = [(-(1 << 39), (1 << 32) - 1, 63), (-1, 0x40000000, 0), (1 << 38, 1, 31)]


def test_scales_are_as_vela_packs_them() -> None:
    stream = b"".join(api.npu_encode_bias(np.int64(bias), multiplier, shift) for bias, multiplier, shift in RECORDS)

    read = scales([stream + bytes(2)], 3, Family.U55)

    assert [tuple(map(int, record)) for record in zip(*read, strict=True)] == RECORDS


def test_the_scales_of_two_cores_are_in_turn() -> None:
    records = [api.npu_encode_bias(np.int64(bias), 1, 0) for bias in range(5)]

    read = scales([b"".join(records[core::2]) + bytes(2) for core in range(2)], 5, Family.U65)

    assert read.bias.tolist() == [0, 1, 2, 3, 4]


def test_a_cut_scale_stream_is_an_error() -> None:
    with pytest.raises(StreamError, match="scale stream 0 ends at byte 29, before its 3 channels of 10 bytes"):
        scales([bytes(29)], 3, Family.U55)


def test_more_scales_than_channels_are_an_error() -> None:
    with pytest.raises(StreamError, match="scale stream 0 goes on with 07 00 00 after its 2 channels"):
        scales([bytes(27) + b"\7\0\0"], 2, Family.U55)


@pytest.mark.parametrize(
    ("wide", "record", "values"),
    [
        (False, "ff ff ff 7f  01 02 03 04  3f 00", (2**31 - 1, 0x04030201, 63)),
        (False, "00 00 00 80  00 00 00 40  05 00", (-(2**31), 1 << 30, 5)),
        (True, "00 00 00 00 00 80  ff 7f  20 00", (-(2**47), 2**15 - 1, 32)),
    ],
)
def test_the_records_of_the_u85_depend_on_the_width_of_its_sums(
    wide: bool,  # noqa: FBT001 - a parameter of the test
    record: str,
    values: tuple[int, int, int],
) -> None:
    read = scales([bytes.fromhex(record) + bytes(150)], 1, Family.U85, wide_bias=wide)

    assert (int(read.bias[0]), int(read.multiplier[0]), int(read.shift[0])) == values
