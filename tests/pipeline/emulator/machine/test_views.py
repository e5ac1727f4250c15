"""Feature maps as arrays: what is read is what was written, wherever it lies."""

from dataclasses import replace

import numpy as np
import pytest

from pipeline.emulator.machine.memory import CONSTANTS, SCRATCH, Access
from pipeline.emulator.machine.views import reader, writer
from pipeline.emulator.stream.feature_maps import FeatureMap
from tests.pipeline.emulator.machine.test_memory import contents
from tests.pipeline.emulator.stream.test_feature_maps import ROWS

SMALL = replace(ROWS, bases=(16, 0, 0, 0))
WORDS = replace(ROWS, height=1, width=2, depth=3, bits=32, bases=(16, 0, 0, 0), stride_x=12, stride_y=24)
SPREAD = replace(SMALL, width=2, depth=2, stride_x=9, stride_y=20)
BRICK = replace(SMALL, height=1, width=2, depth=4, brick=True, stride_c=32, stride_y=32)


@pytest.mark.parametrize("feature_map", [SMALL, WORDS, SPREAD, BRICK], ids=["rows", "32 bits", "spread", "bricks"])
def test_what_is_written_is_read_again(feature_map: FeatureMap) -> None:
    known = contents()
    memories = {SCRATCH: np.zeros((5, 64), np.uint8)}
    numbers = np.random.default_rng(0).integers(-100, 100, (5, *feature_map.shape)).astype(feature_map.dtype)

    write, written = writer(feature_map, known, "ADD")
    write(memories, numbers)
    read, seen = reader(feature_map, known, "MUL")

    assert np.array_equal(read(memories), numbers)
    assert written == seen


def test_bytes_between_the_elements_are_not_touched() -> None:
    known = contents()
    memories = {SCRATCH: np.full((1, 64), 7, np.uint8)}

    write, written = writer(SPREAD, known, "ADD")
    write(memories, np.zeros((1, *SPREAD.shape), np.int8))

    assert written == (
        Access(SCRATCH, 16, 18),
        Access(SCRATCH, 25, 27),
        Access(SCRATCH, 36, 38),
        Access(SCRATCH, 45, 47),
    )
    assert np.count_nonzero(memories[SCRATCH] == 0) == 8


def test_a_constant_is_read_without_samples() -> None:
    read, _ = reader(replace(WORDS, region=CONSTANTS, bases=(0, 0, 0, 0)), contents(), "ADD")

    assert read({}).ravel().tolist() == np.arange(24, dtype=np.uint8).view(np.int32).tolist()


def test_a_constant_result_is_the_same_for_every_sample() -> None:
    memories = {SCRATCH: np.zeros((3, 64), np.uint8)}

    write, _ = writer(SMALL, contents(), "ADD")
    write(memories, np.ones((1, *SMALL.shape), np.int8))

    assert memories[SCRATCH][:, 16:40].all()
