"""The order of weights on U55 and U65, against the encoder of Vela's public interface."""

from itertools import product
from typing import Any

import numpy as np
import pytest
from ethosu.vela import api

from pipeline.emulator.errors import NotVerifiedError
from pipeline.emulator.stream.npu import Family, Npu
from pipeline.emulator.stream.weight_order import WeightLayout, positions
from pipeline.emulator.stream.weights import weights

NPUS = [
    Npu(family=family, macs=macs, shram_bytes=0)
    for family, macs in ((Family.U55, 32), (Family.U55, 128), (Family.U65, 512))
]
"""One with small micro-blocks, one of the usual ones, and one with two cores."""
KERNELS = [(1, 1), (3, 3), (9, 10)]


def encoded(layout: WeightLayout, of: Any) -> list[bytes]:
    """Encode with Vela, by core as it does itself."""
    accelerator = api.NpuAccelerator[f"Ethos_{layout.npu.name.replace('-', '_').upper()}"]
    traversal = api.NpuBlockTraversal.PART_KERNEL_FIRST if layout.part_kernel else api.NpuBlockTraversal.DEPTH_FIRST
    cores = layout.npu.cores
    return [
        bytes(
            api.npu_encode_weights(
                accelerator,
                np.ascontiguousarray(of[core::cores]),
                layout.dilation[::-1],
                layout.ifm_bits,
                layout.ofm_block_depth // cores,
                layout.depthwise,
                traversal,
            )
        )
        for core in range(cores)
    ]


@pytest.mark.parametrize("npu", NPUS, ids=lambda npu: npu.name)
@pytest.mark.parametrize("way", ["depth first", "part kernel", "depthwise"])
def test_weights_come_back_from_the_order_that_vela_put_them_in(npu: Npu, way: str) -> None:
    rng = np.random.default_rng(npu.macs)
    for kernel, (outputs, inputs), bits in product(KERNELS, [(40, 50), (7, 3)], (8, 16)):
        layout = WeightLayout(
            npu=npu,
            ofm_depth=outputs,
            kernel_height=kernel[0],
            kernel_width=kernel[1],
            ifm_depth=inputs,
            ofm_block_depth=16,
            part_kernel=way == "part kernel",
            depthwise=way == "depthwise",
            ifm_bits=bits,
            dilation=(1, 2) if kernel[1] > 1 else (1, 1),
        )
        expected = rng.integers(-128, 128, layout.shape, np.int16)

        assert np.array_equal(weights(encoded(layout, expected), layout), expected), (kernel, outputs, inputs, bits)


def test_blocks_that_no_micro_block_divides_are_not_guessed() -> None:
    layout = WeightLayout(npu=NPUS[1], ofm_depth=32, kernel_height=1, kernel_width=1, ifm_depth=8, ofm_block_depth=12)

    with pytest.raises(NotVerifiedError, match="weights of 32 channels in blocks of 12"):
        positions(layout)
