"""The embedded data set: scikit-learn's 1,797 handwritten digits, brought to MNIST's shape.

They are split before anything else, so that no test digit has a relative among the training
images; the training part is then expanded to 60,000 images by seeded affine jitter.
"""

from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import ndimage
from sklearn.datasets import load_digits

from pipeline.data.arrays import DataSet, Features
from pipeline.stage import Work

SEED = 20_260_101
TRAIN_DIGITS = 1_437
TRAIN_IMAGES = 60_000
SIDE = 28
"""MNIST's: a digit of 20 x 20 in the centre of 28 x 28."""
DIGIT_SIDE = 20

ROTATION_DEGREES = 12.0
SCALE = 0.12
SHEAR = 0.15
SHIFT_PIXELS = 2.0


def make(work: Work[Any], train_images: int = TRAIN_IMAGES) -> DataSet:
    """Build the data set: x (N, 28, 28) in [0, 1], 10 classes, 360 test images."""
    bunch = load_digits()
    order = np.random.default_rng(SEED).permutation(len(bunch.images))
    images, labels = _enlarged(bunch.images[order]), bunch.target[order].astype(np.int64)
    picks = np.arange(train_images) % TRAIN_DIGITS
    return DataSet(
        x_train=_jittered(images[:TRAIN_DIGITS], picks, work),
        y_train=labels[:TRAIN_DIGITS][picks],
        x_test=images[TRAIN_DIGITS:],
        y_test=labels[TRAIN_DIGITS:],
    )


def _enlarged(images: npt.NDArray[np.float64]) -> Features:
    """Bring (N, 8, 8) with values 0 to 16 to (N, 28, 28) in [0, 1] by cubic interpolation."""
    factor = DIGIT_SIDE / images.shape[1]
    large = ndimage.zoom(images / 16, (1, factor, factor), order=3)
    margin = (SIDE - DIGIT_SIDE) // 2
    padded = np.pad(large, ((0, 0), (margin, margin), (margin, margin)))
    pixels: Features = np.clip(padded, 0, 1).astype(np.float32)
    return pixels


def _jittered(images: Features, picks: npt.NDArray[np.int64], work: Work[Any]) -> Features:
    """Turn, scale, shear and shift each picked image a little, its first appearance not at all."""
    # One row of random numbers an image, so that fewer images are the first of more.
    random = np.random.default_rng(SEED + 1).uniform(-1, 1, (len(picks), 6))
    angle = np.deg2rad(ROTATION_DEGREES) * random[:, 0]
    scale = 1 + SCALE * random[:, 1:3]
    shear = SHEAR * random[:, 3]
    shift = SHIFT_PIXELS * random[:, 4:6]
    centre = np.full(2, (SIDE - 1) / 2)
    made = np.empty((len(picks), SIDE, SIDE), np.float32)
    for index, pick in enumerate(picks):
        if index < len(images):
            made[index] = images[pick]
            continue
        cos, sin = np.cos(angle[index]), np.sin(angle[index])
        matrix = np.array([[cos, -sin], [sin, cos]]) @ np.array([[1, shear[index]], [0, 1]]) @ np.diag(scale[index])
        offset = centre - matrix @ centre + shift[index]
        ndimage.affine_transform(images[pick], matrix, offset, output=made[index], order=1)
        work.progress(index + 1, len(picks), what="making digits")
    return made
