"""Tensors and operators of quantized models: described without a file, or read from one of a single operator."""

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from pipeline.emulator.proof import source
from pipeline.emulator.proof.elements import Elements
from pipeline.emulator.proof.source import Model, Operator, Tensor
from pipeline.tflite.quantization import Quantization

GIVEN = np.arange(24).reshape(4, 6)


def tensor(number: int, shape: tuple[int, ...], data: npt.NDArray[Any] | None = None, scale: float = 0.5) -> Tensor:
    """Describe a tensor, int8 or of its data's type."""
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


def read(content: bytes, folder: Path) -> Operator:
    """Return the only operator of a model."""
    path = folder / "single.tflite"
    path.write_bytes(content)
    return source.load(path).operators[0]
