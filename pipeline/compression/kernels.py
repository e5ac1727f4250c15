"""How a weight is trained: as it is, or as a matrix with weights held at 0 that later share few values.

Each is a Keras layer without an input: ``matrix`` returns the weights, through which gradients reach what is trained.
"""

from typing import Any

import keras
import numpy as np
import numpy.typing as npt
import tensorflow as tf

from pipeline.compression import codes
from pipeline.compression.codes import LARGEST, Floats


class Free(keras.layers.Layer):  # type: ignore[misc] # Keras has no types
    """A weight that is trained as it is."""

    def __init__(self, weights: Floats) -> None:
        """Begin with these weights."""
        super().__init__()
        self.kernel = self.add_weight(shape=weights.shape, initializer=lambda *_, **__: weights, name="kernel")

    def matrix(self) -> Any:
        """Return the weights."""
        return self.kernel.value


class Constrained(Free):
    """A matrix (k, n) some of whose weights are held at 0, and which has few values from when it is told so.

    Then it returns what a quantizer will make of it: which weight has which value is fixed, the values and the scale
    of each channel are trained, and values are rounded to multiples of 1/127 on the way forward, while gradients pass
    as if they were not.
    """

    def __init__(self, weights: Floats, clusters: int | None) -> None:
        """Begin with these weights, all of them free."""
        super().__init__(weights)
        self._clusters = clusters
        self._kept = self._constant(weights.shape, "ones")
        if clusters:
            self._shares = self._constant((), "zeros", "bool")
            self._places = self._constant(weights.shape, "zeros", "int32")
            self._fixed = self._constant((clusters,), "zeros")
            self._values = self.add_weight(shape=(clusters,), initializer="zeros", name="values")
            self._scales = self.add_weight(shape=weights.shape[1:], initializer="zeros", name="scales")

    def _constant(self, shape: tuple[int, ...], initializer: str, dtype: str = "float32") -> keras.Variable:
        return self.add_weight(shape=shape, initializer=initializer, dtype=dtype, trainable=False)

    def matrix(self) -> Any:
        """Return the weights under the constraints that hold now."""
        if self._clusters is None:
            return self._pruned()
        return tf.cond(self._shares.value, self._few_values, self._pruned)

    def _pruned(self) -> Any:
        return self.kernel.value * self._kept.value

    def _few_values(self) -> Any:
        values, fixed = self._values.value, self._fixed.value
        values = values * (1 - fixed) + tf.stop_gradient(values) * fixed
        rounded = values + tf.stop_gradient(tf.round(values * LARGEST) / LARGEST - values)
        return self._scales.value * tf.gather(rounded, self._places.value)

    def prune(self, sparsity: float) -> None:
        """Hold this share of the weights at 0: those with the least magnitude, but never all of a channel."""
        self._kept.assign(largest(np.array(self.kernel), sparsity).astype(np.float32))

    def share(self) -> None:
        """From now on have few values, the best for the weights as they are now; what is held at 0 stays 0."""
        count = int(self._values.shape[0])
        shared = codes.share(np.array(self.kernel), count, np.array(self._kept) > 0)
        values = np.zeros(count, np.float32)
        values[: len(shared.values)] = shared.values
        self._values.assign(values)
        self._fixed.assign(np.isin(values, (-1, 0, 1)).astype(np.float32))
        self._scales.assign(shared.scales)
        self._places.assign(shared.places)
        self._shares.assign(True)  # noqa: FBT003 - a variable's value


def largest(weights: Floats, sparsity: float) -> npt.NDArray[np.bool_]:
    """Return which weights of a matrix (k, n) stay when this share is pruned; each channel's largest always does."""
    magnitude = np.abs(weights)
    magnitude[magnitude.argmax(axis=0), np.arange(weights.shape[1])] = np.inf
    order = np.argsort(magnitude, axis=None, kind="stable")
    kept = np.ones(weights.size, bool)
    kept[order[: round(sparsity * weights.size)]] = False
    return kept.reshape(weights.shape)


class Substituted(keras.Model):  # type: ignore[misc] # Keras has no types
    """A network that computes with what kernels return in place of its own weights."""

    def __init__(self, network: keras.Model, kernels: list[Free]) -> None:
        """Take a kernel for every weight of the network, in its order."""
        super().__init__()
        network.trainable = False  # its variables stand still: what is trained are the kernels
        self.network = network
        self.kernels = kernels

    def build(self, input_shape: Any) -> None:
        """Say that the kernels are there."""
        del input_shape
        self.built = True

    def call(self, x: Any) -> Any:
        """Return what the network does."""
        own = {id(weight): kernel.matrix() for weight, kernel in zip(self.network.weights, self.kernels, strict=True)}
        still = [own.get(id(variable), variable) for variable in self.network.variables]  # a seed has no kernel
        outputs, _ = self.network.stateless_call([], still, x)
        return outputs
