"""Where elements lie: rows, bricks of channels, tiles."""

from dataclasses import replace

import numpy as np

from pipeline.emulator.stream.feature_maps import FeatureMap

ROWS = FeatureMap(
    region=1,
    height=2,
    width=3,
    depth=4,
    bits=8,
    signed=True,
    zero_point=0,
    brick=False,
    bases=(100, 0, 0, 0),
    width0=3,
    height0=2,
    height1=2,
    stride_x=4,
    stride_y=12,
    stride_c=1,
)


def test_channels_lie_side_by_side_in_rows() -> None:
    assert np.array_equal(ROWS.addresses.ravel(), 100 + np.arange(24))


def test_wider_elements_take_more_bytes() -> None:
    wide = replace(ROWS, bits=32, stride_x=16, stride_y=48)

    assert np.array_equal(wide.addresses.ravel(), 100 + 4 * np.arange(24))
    assert wide.dtype == np.int32


def test_bricks_hold_sixteen_channels_of_every_column() -> None:
    bricks = replace(ROWS, brick=True, depth=20, stride_c=3 * 16, stride_y=2 * 3 * 16)

    found = bricks.addresses

    assert found[0, 0, :16].tolist() == list(range(100, 116))
    assert found[0, 1, 0] == 116
    assert found[0, 0, 16] == 100 + 48
    assert found[1, 2, 19] == 100 + 96 + 2 * 16 + 48 + 3


def test_each_tile_begins_at_its_own_address_and_counts_anew() -> None:
    tiles = replace(ROWS, bases=(0, 1000, 2000, 3000), width0=2, height0=1, height1=1)

    assert tiles.addresses[:, :, 0].tolist() == [[0, 4, 1000], [2000, 2004, 3000]]
