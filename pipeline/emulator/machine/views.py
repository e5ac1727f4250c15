"""Feature maps as arrays: which bytes they are, and what reads and writes them."""

from collections.abc import Callable, Iterator, Mapping
from math import prod

import numpy as np
import numpy.typing as npt

from pipeline.emulator.errors import NotVerifiedError, StreamError
from pipeline.emulator.machine.kernels import Numbers
from pipeline.emulator.machine.memory import CONSTANT, MOST_CHAINED_BYTES, Access, Contents, name
from pipeline.emulator.stream.feature_maps import CHAINED, FeatureMap

Bytes = npt.NDArray[np.uint8]
Memories = Mapping[int, Bytes]
"""Region -> (samples, bytes)."""
Read = Callable[[Memories], Numbers]
Write = Callable[[Memories, Numbers], None]


def reader(feature_map: FeatureMap, contents: Contents, who: object) -> tuple[Read, tuple[Access, ...]]:
    """Return what reads a feature map, and the bytes it reads.

    It returns (samples, height, width, depth), or (1, height, width, depth) of a constant.

    Raises:
        StreamError: it's too large, beyond the memory, or never written.
        NotVerifiedError: partly constant and partly computed.

    """
    region, shape, dtype = contents.region(feature_map.region), feature_map.shape, feature_map.dtype
    _check_size(feature_map, contents, who)
    accesses = tuple(_accesses(feature_map, region))
    states = {contents.states(access, who) for access in accesses}
    places = _places(feature_map)
    if len(states) > 1:
        message = f"{who}: reads constants and computed numbers in one"
        raise NotVerifiedError(message)
    if states == {CONSTANT}:
        constant = contents.content[region][places].view(dtype).reshape(1, *shape)
        return lambda _: constant, accesses

    def read(memories: Memories) -> Numbers:
        stored = memories[region][:, places]
        return np.ascontiguousarray(stored).view(dtype).reshape(len(stored), *shape)

    return read, accesses


def writer(feature_map: FeatureMap, contents: Contents, who: object) -> tuple[Write, tuple[Access, ...]]:
    """Return what writes a feature map, and the bytes it writes; from now on they count as computed.

    Raises:
        StreamError: it's too large, beyond the memory, or in the constants.

    """
    region = contents.region(feature_map.region)
    _check_size(feature_map, contents, who)
    accesses = tuple(_accesses(feature_map, region))
    for access in accesses:
        contents.write(access, who)
    places = _places(feature_map)

    def write(memories: Memories, result: Numbers) -> None:
        stored = np.broadcast_to(result, (len(result), *feature_map.shape)).reshape(len(result), -1)
        memories[region][:, places] = np.ascontiguousarray(stored, feature_map.dtype).view(np.uint8)

    return write, accesses


def _check_size(feature_map: FeatureMap, contents: Contents, who: object) -> None:
    """Refuse more elements than the memory has bytes: registers could ask for a million times as many."""
    region = contents.region(feature_map.region)
    most = MOST_CHAINED_BYTES if region >= CHAINED else len(contents.state.get(region, ()))
    elements = prod(feature_map.shape)
    if min(feature_map.shape) < 1 or elements * feature_map.bits // 8 > most:
        shape = " x ".join(map(str, feature_map.shape))
        message = f"{who}: a feature map of {shape} elements of {feature_map.bits} bits in {name(region)}"
        raise StreamError(message)


def _places(feature_map: FeatureMap) -> slice | npt.NDArray[np.int64]:
    """Return which bytes of a memory are the elements, in their order: a slice where they lie side by side."""
    size = feature_map.bits // 8
    addresses = feature_map.addresses.ravel()
    first = int(addresses[0])
    if np.array_equal(addresses, first + size * np.arange(len(addresses))):
        return slice(first, first + size * len(addresses))
    return np.asarray((addresses[:, None] + np.arange(size)).ravel(), np.int64)


def _accesses(feature_map: FeatureMap, region: int) -> Iterator[Access]:
    """Return the bytes of a feature map as few runs."""
    size = feature_map.bits // 8
    starts = np.unique(feature_map.addresses)
    breaks = np.flatnonzero(np.diff(starts) > size) + 1
    for run in np.split(starts, breaks):
        yield Access(region, int(run[0]), int(run[-1]) + size)
