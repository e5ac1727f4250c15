"""Elements that are computed alike are the same, and none is read before it is there; of views see ``operators``."""

import numpy as np
import pytest
from ai_edge_litert import schema_py_generated as schema

from pipeline.emulator.errors import StreamError
from pipeline.emulator.proof.elements import Elements
from pipeline.emulator.proof.source import Model, Operator, Tensor
from tests.pipeline.emulator.proof.described import tensor


def test_what_is_computed_twice_is_the_same() -> None:
    a, b, first, second, other = (tensor(number, (4,)) for number in range(5))
    options = schema.AddOptionsT()

    def operator(kind: str, output: Tensor) -> Operator:
        return Operator(index=0, kind=kind, inputs=(a, b), outputs=(output,), options=options)

    operators = (operator("ADD", first), operator("ADD", second), operator("MUL", other))
    elements = Elements(Model(tensors=(a, b, first, second, other), operators=operators, inputs=(a, b), outputs=()))
    assert np.array_equal(elements.of(first), elements.of(second))
    assert not np.array_equal(elements.of(first), elements.of(other))
    with pytest.raises(StreamError, match="before anything computes it"):
        elements.of(tensor(9, (1,)))
