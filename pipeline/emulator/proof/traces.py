"""Which number of the quantized model each byte of the NPU's memories holds, command after command."""

from typing import Any

import numpy as np
import numpy.typing as npt

from pipeline.emulator.machine.memory import CONSTANTS, LOOKUP, SCRATCH, Access, Contents
from pipeline.emulator.proof.codes import Codes
from pipeline.emulator.stream.feature_maps import CHAINED, FeatureMap
from pipeline.emulator.stream.program import Place, Program

UNKNOWN, CONSTANT = 0, -1
"""Codes of bytes that hold no number that is known, and of constants."""
LARGEST_BYTES = 8


class Traces:
    """The code of each byte: an element's own at its first byte, at each later one a number made of that."""

    def __init__(self, program: Program) -> None:
        """Begin with nothing but constants."""
        self._memory = Contents(program)
        self._codes = {region: np.zeros(len(state), np.int64) for region, state in self._memory.state.items()}
        self._codes[CONSTANTS][:] = CONSTANT

    def read(self, feature_map: FeatureMap) -> Codes:
        """Return the codes of a feature map, (height * width * depth,)."""
        return _read(self._of(feature_map), feature_map.addresses.ravel(), feature_map.bits // 8)

    def write(self, feature_map: FeatureMap, codes: Codes) -> None:
        """Say what a feature map is from now on."""
        _write(self._of(feature_map), feature_map.addresses.ravel(), feature_map.bits // 8, codes)

    def _of(self, feature_map: FeatureMap) -> Codes:
        """Return the codes of the memory that a feature map is in; of the U85, that may be within the NPU."""
        region = self._memory.region(feature_map.region)
        if region >= CHAINED:
            self._make_room(region, int(feature_map.addresses.max()) + feature_map.bits // 8)
        return self._codes[region]

    def _make_room(self, region: int, size: int) -> None:
        had = self._codes.get(region, np.zeros(0, np.int64))
        self._codes[region] = np.pad(had, (0, max(0, size - len(had))))

    def constants(self, feature_map: FeatureMap) -> npt.NDArray[Any]:
        """Return the stored numbers of a feature map of constants."""
        content = self._memory.content[self._memory.region(feature_map.region)]
        places = feature_map.addresses.ravel()[:, None] + np.arange(feature_map.bits // 8)
        return np.asarray(content[places].view(feature_map.dtype).ravel())

    def move(self, source: Access, target: Access) -> None:
        """Follow a transfer; what goes into look-up memory is no feature map."""
        if target.region == LOOKUP:
            return
        for memory in (self._memory.content, self._codes):
            moved = memory[source.region][source.start : source.stop].copy()
            memory[target.region][target.start : target.stop] = moved

    def forget(self, accesses: tuple[Access, ...]) -> None:
        """Say that nothing is known of some bytes any more."""
        for access in accesses:
            if access.region >= CHAINED:
                self._make_room(access.region, access.stop)
            self._codes[access.region][access.start : access.stop] = UNKNOWN

    def at(self, place: Place) -> Codes:
        """Return the codes of an input or output."""
        return _read(self._codes[SCRATCH], _addresses(place), place.dtype.itemsize)

    def put(self, place: Place, codes: Codes) -> None:
        """Say what an input is."""
        _write(self._codes[SCRATCH], _addresses(place), place.dtype.itemsize, codes)


def _addresses(place: Place) -> Codes:
    return np.arange(place.offset, place.offset + place.size, place.dtype.itemsize)


def _read(memory: Codes, addresses: Codes, size: int) -> Codes:
    """Return the code of each number of so many bytes; what has lost one of them is no longer known."""
    codes = memory[addresses]
    whole = [memory[addresses + byte] == _later(codes, byte) for byte in range(1, size)]
    return np.where(np.all([codes >= CONSTANT, *whole], axis=0), codes, UNKNOWN)


def _write(memory: Codes, addresses: Codes, size: int, codes: Codes) -> None:
    for byte in range(1, size):
        memory[addresses + byte] = _later(codes, byte)
    memory[addresses] = codes


def _later(codes: Codes, byte: int) -> Codes:
    """Return what stands at a later byte of each number; every byte of a constant has the same code."""
    return np.where(codes > 0, -(LARGEST_BYTES * codes + byte), codes)
