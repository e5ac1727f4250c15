from pathlib import Path

import numpy as np
import pytest
from ai_edge_litert import schema_py_generated as schema

from pipeline.npu.clustering import clustered


def matrices(content: bytes) -> dict[str, np.ndarray]:
    """Return the int8 weights of a model by the tensor's name."""
    model = schema.ModelT.InitFromPackedBuf(content, 0)
    return {
        tensor.name.decode(): np.asarray(model.buffers[tensor.buffer].data, np.uint8)
        .view(np.int8)
        .reshape(tensor.shape)
        for tensor in model.subgraphs[0].tensors
        if tensor.type == schema.TensorType.INT8
        and tensor.shape[0] > 1
        and model.buffers[tensor.buffer].data is not None
    }


@pytest.fixture(scope="module")
def model(template: Path) -> bytes:
    return (template / "build" / "tiny" / "quantized" / "quantized.tflite").read_bytes()


@pytest.mark.parametrize("values", [2, 16, 200])
def test_every_matrix_has_at_most_so_many_values(model: bytes, values: int) -> None:
    before, after = matrices(model), matrices(clustered(model, values))
    assert before.keys() == after.keys()
    assert len(before) >= 3
    for name, matrix in after.items():
        assert np.unique(matrix).size <= values, name
        assert matrix.shape == before[name].shape


def test_values_stay_near_what_they_were(model: bytes) -> None:
    before, after = matrices(model), matrices(clustered(model, 16))
    for name, matrix in after.items():
        difference = np.abs(matrix.astype(int) - before[name]).mean()
        assert 0 < difference < 10, name


def test_as_many_values_as_there_are_change_nothing(model: bytes) -> None:
    assert clustered(model, 256) == model


def test_it_is_the_same_every_time(model: bytes) -> None:
    assert clustered(model, 16) == clustered(model, 16)
    assert len(clustered(model, 16)) == len(model)
