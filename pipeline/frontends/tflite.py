"""A quantized model that was made elsewhere: the user's file, after a look at what is inside."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pipeline.data import file_kind
from pipeline.errors import UnrollError
from pipeline.tflite import inspect, keras_names, reader, roles
from pipeline.tflite.errors import ForeignError, TfliteError
from pipeline.tflite.model import Model, Tensor

MODEL = "quantized.tflite"
COMPILED_BY_VELA = "ethos-u"
"""The custom operator that Vela leaves in place of those it compiled."""
MOST_NAMES = 5
CONVERT = "model.tflite is a file that a converter wrote, with full-integer quantization"


QUANTIZED = ("int8", "uint8", "int16")
"""What activations may be stored in."""


class ImportedError(UnrollError):
    """A file that is no quantized TensorFlow Lite model."""


def take(path: Path, into: Path) -> tuple[dict[str, Any], list[str]]:
    """Take a file as it is, if Vela can make something of it.

    Args:
        path: of the file.
        into: where to copy it.

    Returns:
        What is inside, and warnings.

    Raises:
        ImportedError: it can't be read, is truncated or something else, was compiled already, holds no operator, is
            not quantized, or has a scale of 0, infinity or NaN.

    """
    content = _read(path)
    model = _parsed(content, path)
    _refuse_useless(model, path)
    _refuse_bad_scales(model, path)
    activations = _activations(model, path)
    (into / MODEL).write_bytes(content)
    roles.save({MODEL: keras_names.described(content)}, into)
    return {
        "model_bytes": len(content),
        "activations": activations,
        "subgraphs": len(model.subgraphs),
        "operators": sum(len(graph.operators) for graph in model.subgraphs),
        "tensors": sum(len(graph.tensors) for graph in model.subgraphs),
        "inputs": {str(tensor): _described(tensor) for tensor in model.main.inputs},
        "outputs": {str(tensor): _described(tensor) for tensor in model.main.outputs},
    }, [*_several_subgraphs(model), *_dynamic_shapes(model), *_float_tensors(model)]


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        message = f"{path} does not exist; model.tflite is taken from the project's root"
    except OSError as error:
        message = f"{path} can't be read: {error.strerror}"
    raise ImportedError(message)


def _parsed(content: bytes, path: Path) -> Model:
    """Read the whole file, every offset of which must lead to something inside."""
    try:
        model = reader.parse(content, str(path))
    except ForeignError:
        raise ImportedError(file_kind.mistaken(path, content, "TensorFlow Lite model", CONVERT)) from None
    except TfliteError as error:
        message = f"{error}; copy or convert it again"
        raise ImportedError(message) from None
    try:
        inspect.check_options(model)
    except TfliteError as error:
        message = f"{path} is truncated or damaged: {error}; copy or convert it again"
        raise ImportedError(message) from None
    return model


def _refuse_useless(model: Model, path: Path) -> None:
    if any(operator.custom == COMPILED_BY_VELA for operator in model.operators()):
        message = f"{path} was compiled by Vela already; name the model that Vela was given"
        raise ImportedError(message)
    if not any(graph.operators for graph in model.subgraphs):
        message = f"{path} holds no operator: there is nothing to compile"
        raise ImportedError(message)


def _refuse_bad_scales(model: Model, path: Path) -> None:
    bad = inspect.first_bad_scale(model)
    if bad:
        tensor, scale = bad
        message = (
            f"{path}: tensor {tensor} has the quantization scale {scale:g};"
            " convert the model again with a representative dataset in which it varies"
        )
        raise ImportedError(message)


def _activations(model: Model, path: Path) -> str:
    """Return what most of the computed tensors are stored in; refuse a model that computes in float alone."""
    computed = list(inspect.computed(model))
    types = [tensor.type for tensor in computed]
    counts = {name: types.count(name) for name in QUANTIZED}
    if not any(counts.values()) and any(tensor.is_float for tensor in computed):
        message = (
            f"{path} is not quantized: all that it computes is float, which an Ethos-U can't;"
            " convert it with full-integer quantization (a representative dataset, not only int8 weights)"
        )
        raise ImportedError(message)
    return max(counts, key=lambda name: counts[name])


def _several_subgraphs(model: Model) -> Iterator[str]:
    if len(model.subgraphs) > 1:
        callers = sorted(inspect.callers(model))
        by = f" ({', '.join(callers)} calls the others)" if callers else ""
        yield (
            f"the model has {len(model.subgraphs)} subgraphs{by}: Vela does not estimate an inference of several;"
            " unroll loops, and give every signature a file of its own"
        )


def _dynamic_shapes(model: Model) -> Iterator[str]:
    for tensor in inspect.dynamic_inputs(model):
        yield (
            f"input {tensor} has the dynamic shape {_shape(tensor.shape_signature)}: Vela compiles it"
            f" for {_shape(tensor.shape)}"
        )


def _float_tensors(model: Model) -> Iterator[str]:
    names = [f"{tensor} ({tensor.type})" for tensor in inspect.computed(model) if tensor.is_float]
    names += [f"{tensor} (input, {tensor.type})" for tensor in model.main.inputs if tensor.is_float]
    if names:
        rest = f" and {len(names) - MOST_NAMES} more" if len(names) > MOST_NAMES else ""
        yield (
            f"{len(names)} {'tensor is' if len(names) == 1 else 'tensors are'} float, so the operators that read or"
            f" write {'it' if len(names) == 1 else 'them'} stay on the CPU: {', '.join(names[:MOST_NAMES])}{rest}"
        )


def _shape(shape: tuple[int, ...]) -> str:
    return f"({', '.join(str(size) for size in shape)})"


def _described(tensor: Tensor) -> dict[str, Any]:
    """Return what firmware must know of an input or output: real = scale * (stored - zero_point)."""
    quantization = tensor.quantization
    return {
        "dtype": tensor.type,
        "shape": list(tensor.shape),
        "scale": next(iter(quantization.scales), None) if quantization else None,
        "zero_point": next(iter(quantization.zero_points), None) if quantization else None,
    }
