"""What a command makes of every input that it can have, in the order of the stored numbers."""

from dataclasses import replace

import numpy as np
import numpy.typing as npt

from pipeline.emulator.machine import kernels
from pipeline.emulator.machine.planning import Planned
from pipeline.emulator.stream.feature_maps import FeatureMap
from pipeline.emulator.stream.operations import Binary, Pool, Pooling

LARGEST_BITS = 16
"""Of inputs that are all tried."""


def whole_table(planned: Planned) -> npt.NDArray[np.int64] | None:
    """Return the results of an elementwise command or of a pooling of 1x1, -128 or -32,768 or 0 first.

    Returns:
        (256, 256) by operands a and b, (256,) or (65,536,) where one is a feature map; None where there are
        too many inputs, or one result depends on several elements.

    """
    match planned.operation:
        case Binary(a=a, b=b) if planned.table is not None:
            maps = [operand.feature_map for operand in (a, b) if operand is not None and operand.feature_map]
            by_bytes = np.asarray(planned.table, np.int64).reshape((256,) * len(maps))
            return by_bytes[np.ix_(*(_bytes_in_order(feature_map) for feature_map in maps))]
        case Pool(window=window, ifm=ifm) as pool if window.height == window.width == 1 and ifm.bits <= LARGEST_BITS:
            return _pooled(pool, planned)
    return None


def _bytes_in_order(feature_map: FeatureMap) -> npt.NDArray[np.uint8]:
    limits = np.iinfo(feature_map.dtype)
    return np.arange(limits.min, limits.max + 1).astype(feature_map.dtype).view(np.uint8)


def _pooled(pool: Pool, planned: Planned) -> npt.NDArray[np.int64] | None:
    ifm, ofm = (replace(feature_map, height=1, width=1, depth=1) for feature_map in (pool.ifm, pool.ofm))
    one = replace(pool, ifm=ifm, ofm=ofm)
    limits = np.iinfo(pool.ifm.dtype)
    every = np.arange(limits.min, limits.max + 1).reshape(-1, 1, 1, 1)
    if pool.mode is Pooling.REDUCE_SUM:
        return None
    result = kernels.finish(kernels.pool(one, every), one.ofm, one.activation, planned.lookup)
    return np.asarray(result, np.int64).ravel()
