"""Kernels: what they return under each constraint, and what gradients reach."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from pipeline.compression import codes
from pipeline.compression.codes import Floats
from pipeline.compression.kernels import Constrained, Free, Substituted, largest


@pytest.fixture
def weights() -> Floats:
    return np.random.default_rng(1).normal(size=(32, 8)).astype(np.float32)


def test_the_least_weights_are_pruned_but_never_all_of_a_channel(weights: Floats) -> None:
    weights[:, 2] *= 1e-6
    kept = largest(weights, 0.75)
    assert kept.sum() == 64
    assert kept[:, 2].sum() == 1
    assert kept[np.abs(weights[:, 2]).argmax(), 2]
    assert np.abs(weights[~kept]).max() <= np.abs(np.delete(weights, 2, axis=1)[np.delete(kept, 2, axis=1)]).min()


def test_pruned_weights_are_0_and_get_no_gradient(weights: Floats) -> None:
    kernel = Constrained(weights, None)
    assert np.array_equal(kernel.matrix(), weights)
    kernel.prune(0.5)
    with tf.GradientTape() as tape:
        matrix = kernel.matrix()
    gradient = tape.gradient(matrix, kernel.kernel.value)
    assert (np.asarray(matrix) == 0).sum() == 128
    assert np.array_equal(np.asarray(gradient) == 0, np.asarray(matrix) == 0)


def test_few_values_are_what_a_quantizer_makes_of_them_before_and_after_a_step(weights: Floats) -> None:
    kernel = Constrained(weights, 8)
    kernel.prune(0.5)
    kernel.share()
    optimizer = keras.optimizers.Adam(1e-2)
    for _ in range(3):
        matrix = np.asarray(kernel.matrix())
        found = codes.quantized(matrix)
        assert np.unique(found).size == 8
        assert (found == 0).sum() == 128
        assert np.allclose(codes.on_grid(matrix), matrix, rtol=1e-5)
        with tf.GradientTape() as tape:
            loss = tf.reduce_sum(tf.square(kernel.matrix() - 1))
        trained = [each for each in kernel.trainable_variables if each is not kernel.kernel]  # it has no part any more
        optimizer.apply(tape.gradient(loss, [each.value for each in trained]), trained)
    assert not np.array_equal(np.asarray(kernel.matrix()), matrix)


def test_a_network_computes_and_learns_with_the_kernels_alone(weights: Floats) -> None:
    network = keras.Sequential([keras.Input((32,)), keras.layers.Dense(8, name="output")])
    kernels = [Constrained(weights, 4), Free(np.ones(8, np.float32))]
    kernels[0].share()
    model = Substituted(network, kernels)
    x = np.ones((2, 32), np.float32)

    assert np.allclose(model(x), x @ np.asarray(kernels[0].matrix()) + 1, atol=1e-4)
    names = {variable.name for variable in model.trainable_variables}
    assert names == {"kernel", "values", "scales"}
    assert not network.trainable_variables
