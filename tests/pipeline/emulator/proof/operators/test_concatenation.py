"""Tensors one behind the other; stored otherwise, they are no view."""

import numpy as np
import pytest

from pipeline.emulator.proof.elements import Elements, is_view
from pipeline.emulator.proof.source import Model, Operator
from tests.pipeline.emulator.proof.described import GIVEN, shown, tensor


def test_one_tensor_is_shown_as_it_is() -> None:
    (found,) = shown("CONCATENATION", [(4, 6)], axis=1)
    assert np.array_equal(found, GIVEN)


def test_several_are_shown_in_their_order() -> None:
    a, b, both = tensor(0, (2, 3)), tensor(1, (2, 1)), tensor(2, (2, 4))
    options = type("Options", (), {"axis": 1})()
    operator = Operator(index=0, kind="CONCATENATION", inputs=(a, b), outputs=(both,), options=options)

    elements = Elements(Model(tensors=(a, b, both), operators=(operator,), inputs=(a, b), outputs=(both,)))

    assert np.array_equal(elements.of(both), np.concatenate([elements.of(a), elements.of(b)], axis=1))


@pytest.mark.parametrize("kind", ["CONCATENATION", "PACK"])
def test_of_several_scales_it_is_no_view(kind: str) -> None:
    """Vela scales them; nothing is known of how."""
    inputs = tensor(0, (4,)), tensor(1, (4,), scale=0.25)
    assert not is_view(Operator(index=0, kind=kind, inputs=inputs, outputs=(tensor(2, (8,)),), options=None))
