"""The training samples that show which ranges the activations have."""

import numpy as np

from pipeline.data import arrays
from pipeline.quantization.errors import QuantizationError


def choose(x_train: arrays.Features, y_train: arrays.Labels, wanted: int) -> tuple[arrays.Features, list[str]]:
    """Choose training samples of all classes, spread over the set.

    Args:
        x_train: (samples, rows, features of a row).
        y_train: (samples,).
        wanted: how many.

    Returns:
        The samples, and warnings of what they do not show.

    Raises:
        QuantizationError: there are too few, or all are 0.

    """
    if wanted > len(x_train):
        message = f"quantization.representative_samples = {wanted}, but there are only {len(x_train)} training samples"
        raise QuantizationError(message)
    chosen = arrays.spread(y_train, wanted)
    x, absent = x_train[chosen], arrays.missing(y_train[chosen], among=y_train)
    if not x.any():
        message = (
            f"the {wanted} representative samples, spread over the training set, are all 0:"
            " raise quantization.representative_samples, or check the data"
        )
        raise QuantizationError(message)
    if absent:
        warning = (
            f"the {wanted} representative samples show {len(np.unique(y_train)) - len(absent)} of"
            f" {len(np.unique(y_train))} classes, so the ranges of the others ({arrays.named(absent)}) were not seen:"
            " raise quantization.representative_samples"
        )
        return x, [warning]
    return x, []
