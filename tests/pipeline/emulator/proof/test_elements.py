"""Views show the numbers of what they cut, wherever NumPy would find them."""

from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from ai_edge_litert import schema_py_generated as schema

from pipeline.emulator.errors import NotVerifiedError, StreamError
from pipeline.emulator.proof.elements import Elements, is_view
from pipeline.emulator.proof.source import Model, Operator, Tensor
from pipeline.tflite.quantization import Quantization

GIVEN = np.arange(24).reshape(4, 6)


def tensor(number: int, shape: tuple[int, ...], data: npt.NDArray[Any] | None = None, scale: float = 0.5) -> Tensor:
    return Tensor(
        number=number,
        name=f"tensor {number}",
        shape=shape,
        dtype=np.dtype(np.int8) if data is None else data.dtype,
        quantization=Quantization.single(scale, 0),
        data=data,
    )


def shown(kind: str, shapes: list[tuple[int, ...]], *constants: Any, place: int = 0, **options: int) -> list[Any]:
    """Return which elements of ``GIVEN`` the outputs of a view show."""
    given = tensor(0, GIVEN.shape)
    inputs = [tensor(number, np.shape(value), np.array(value, np.int32)) for number, value in enumerate(constants, 1)]
    inputs.insert(place, given)
    outputs = tuple(tensor(10 + number, shape) for number, shape in enumerate(shapes))
    described = type("Options", (), {})()
    vars(described).update(options)
    operator = Operator(index=0, kind=kind, inputs=tuple(inputs), outputs=outputs, options=described)
    model = Model(
        tensors=(*sorted(inputs, key=lambda one: one.number), *outputs),
        operators=(operator,),
        inputs=(given,),
        outputs=outputs,
    )
    elements = Elements(model)
    return [elements.of(output) & 0xFFFFFFFF for output in outputs]


PLAIN = {"beginMask": 0, "endMask": 0, "shrinkAxisMask": 0, "ellipsisMask": 0, "newAxisMask": 0}


@pytest.mark.parametrize(
    ("found", "wanted"),
    [
        (shown("RESHAPE", [(2, 12)], [2, 12]), [GIVEN.reshape(2, 12)]),
        (shown("STRIDED_SLICE", [(2, 2)], [1, 0], [3, 4], [1, 2], **PLAIN), [GIVEN[1:3, 0:4:2]]),
        (
            shown("STRIDED_SLICE", [(6,)], [1, 0], [2, 0], [1, 1], **PLAIN | {"shrinkAxisMask": 1, "endMask": 2}),
            [GIVEN[1]],
        ),
        (shown("SLICE", [(2, 6)], [2, 0], [2, -1]), [GIVEN[2:]]),
        (shown("SPLIT", [(4, 3)] * 2, [1], place=1), np.split(GIVEN, 2, axis=1)),
        (shown("SPLIT_V", [(1, 6), (3, 6)], [1, 3], [0]), [GIVEN[:1], GIVEN[1:]]),
        (shown("UNPACK", [(4,)] * 6, axis=1, num=6), list(GIVEN.T)),
        (shown("PACK", [(1, 4, 6)], axis=0), [GIVEN[None]]),
        (shown("CONCATENATION", [(4, 6)], axis=1), [GIVEN]),
        (shown("TRANSPOSE", [(6, 4)], [1, 0]), [GIVEN.T]),
        (shown("QUANTIZE", [(4, 6)]), [GIVEN]),
    ],
)
def test_views_show_what_numpy_shows(found: list[Any], wanted: list[Any]) -> None:
    assert all(np.array_equal(one, other) for one, other in zip(found, wanted, strict=True))


def test_what_is_not_covered_or_does_not_fit_is_named() -> None:
    with pytest.raises(NotVerifiedError, match="ellipsis"):
        shown("STRIDED_SLICE", [(4, 6)], [0], [1], [1], **PLAIN | {"ellipsisMask": 1})
    with pytest.raises(StreamError, match="RESHAPE tensor 10: its shapes do not fit"):
        shown("RESHAPE", [(5, 5)], [5, 5])


def test_a_change_of_scale_is_no_view() -> None:
    quantize = Operator(
        index=0, kind="QUANTIZE", inputs=(tensor(0, (4,)),), outputs=(tensor(1, (4,), scale=0.25),), options=None
    )
    assert not is_view(quantize)


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
