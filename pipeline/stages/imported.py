"""The quantized stage of a model that was made elsewhere: the user's file, after a look at what is inside."""

import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ai_edge_litert import schema_py_generated as schema

from pipeline.data import file_kind
from pipeline.errors import UnrollError
from pipeline.stages.contract import Found, Work

MODEL = "quantized.tflite"
IDENTIFIER = b"TFL3"
"""Bytes 4 to 8 of every TensorFlow Lite model."""
COMPILED_BY_VELA = b"ethos-u"
"""The custom operator that Vela leaves in place of those it compiled."""
DYNAMIC = -1
"""A dimension that is only known at run time."""
OPTIONAL = -1
"""The number of an input that an operator goes without."""
MOST_NAMES = 5
CONVERT = "model.tflite is a file that a converter wrote, with full-integer quantization"
WHY_NO_ACCURACY = "the model was made elsewhere, so there is no test set"


def _names(of: type) -> dict[int, str]:
    return {number: name for name, number in vars(of).items() if isinstance(number, int)}


TYPES = _names(schema.TensorType)
OPERATORS = _names(schema.BuiltinOperator)
FLOATS = {schema.TensorType.FLOAT16, schema.TensorType.FLOAT32, schema.TensorType.FLOAT64, schema.TensorType.BFLOAT16}
QUANTIZED = {
    schema.TensorType.INT8: "int8",
    schema.TensorType.UINT8: "uint8",
    schema.TensorType.INT16: "int16",
}
"""What activations may be stored in."""


class ImportedError(UnrollError):
    """A file that is no quantized TensorFlow Lite model."""


def make(work: Work) -> Found:
    """Take the file as it is, if Vela can make something of it.

    Raises:
        ImportedError: it can't be read, is truncated or something else, was compiled already, holds no operator, is
            not quantized, or has a scale of 0, infinity or NaN.

    """
    path = Path(work.config["model"]["tflite"])
    content = _read(path)
    model = _parsed(content, path)
    _refuse_useless(model, path)
    _refuse_bad_scales(model, path)
    activations = _activations(model, path)
    (work.into / MODEL).write_bytes(content)
    graph = model.subgraphs[0]
    accuracies = ("float_accuracy", f"{activations}_accuracy")
    return Found(
        metrics={
            "model_bytes": len(content),
            "activations": activations,
            "subgraphs": len(model.subgraphs),
            "operators": sum(len(_operators(each)) for each in model.subgraphs),
            "tensors": sum(len(_listed(each.tensors)) for each in model.subgraphs),
            "inputs": {_name(graph, number): _described(graph.tensors[number]) for number in _listed(graph.inputs)},
            "outputs": {_name(graph, number): _described(graph.tensors[number]) for number in _listed(graph.outputs)},
            **dict.fromkeys(accuracies),
        },
        unavailable=dict.fromkeys(accuracies, WHY_NO_ACCURACY),
        basis={"model_bytes": "measured"},
        warnings=[*_several_subgraphs(model), *_dynamic_shapes(model), *_float_tensors(model)],
    )


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        message = f"{path} does not exist; model.tflite is taken from the project's root"
    except OSError as error:
        message = f"{path} can't be read: {error.strerror}"
    raise ImportedError(message)


def _parsed(content: bytes, path: Path) -> Any:
    """Read the whole flatbuffer, every offset of which must lead to something inside the file."""
    if content[4:8] != IDENTIFIER:
        raise ImportedError(file_kind.mistaken(path, content, "TensorFlow Lite model", CONVERT))
    try:
        model = schema.ModelT.InitFromPackedBuf(content, 0)
        whole = _is_whole(model, len(content))
    except Exception:  # noqa: BLE001 - the reader checks nothing: whatever it stumbles over, the file is broken
        whole = False
    if not whole:
        message = f"{path} is truncated or damaged: it is no whole flatbuffer; copy or convert it again"
        raise ImportedError(message)
    return model


def _is_whole(model: Any, size: int) -> bool:
    """Tell whether what is named by number is there: tensors, buffers, kinds of operators, and data behind the end."""
    inside = all(buffer.offset + buffer.size <= size for buffer in model.buffers if buffer.offset)
    for graph in model.subgraphs:
        tensors, operators = _listed(graph.tensors), _operators(graph)
        named = [*_listed(graph.inputs), *_listed(graph.outputs)]
        named += [number for operator in operators for number in _listed(operator.outputs)]
        read = [number for operator in operators for number in _listed(operator.inputs)]
        inside &= all(0 <= number < len(tensors) for number in named)
        inside &= all(OPTIONAL <= number < len(tensors) for number in read)
        inside &= all(operator.opcodeIndex < len(model.operatorCodes) for operator in operators)
        inside &= all(tensor.buffer < len(model.buffers) for tensor in tensors)
    return inside and bool(model.subgraphs)


def _listed(found: Any) -> list[Any]:
    """Return the members of a vector, which flatbuffers gives as None where it is empty."""
    return [] if found is None else list(found)


def _operators(graph: Any) -> list[Any]:
    return _listed(graph.operators)


def _refuse_useless(model: Any, path: Path) -> None:
    if any(code.customCode == COMPILED_BY_VELA for code in model.operatorCodes or []):
        message = f"{path} was compiled by Vela already; name the model that Vela was given"
        raise ImportedError(message)
    if not any(_operators(graph) for graph in model.subgraphs):
        message = f"{path} holds no operator: there is nothing to compile"
        raise ImportedError(message)


def _refuse_bad_scales(model: Any, path: Path) -> None:
    for graph in model.subgraphs:
        for number, tensor in enumerate(_listed(graph.tensors)):
            bad = [scale for scale in _scales(tensor) if not (math.isfinite(scale) and scale > 0)]
            if bad and tensor.type not in FLOATS:
                message = (
                    f"{path}: tensor {_name(graph, number)} has the quantization scale {bad[0]:g};"
                    " convert the model again with a representative dataset in which it varies"
                )
                raise ImportedError(message)


def _scales(tensor: Any) -> list[float]:
    return [float(scale) for scale in _listed(tensor.quantization and tensor.quantization.scale)]


def _activations(model: Any, path: Path) -> str:
    """Return what most of the computed tensors are stored in; refuse a model that computes in float alone."""
    computed = [tensor.type for _, tensor in _computed(model)]
    counts = {name: computed.count(kind) for kind, name in QUANTIZED.items()}
    if not any(counts.values()) and FLOATS & set(computed):
        message = (
            f"{path} is not quantized: all that it computes is float, which an Ethos-U can't;"
            " convert it with full-integer quantization (a representative dataset, not only int8 weights)"
        )
        raise ImportedError(message)
    return max(counts, key=lambda name: counts[name])


def _computed(model: Any) -> Iterator[tuple[str, Any]]:
    """Yield the tensors that the operators compute, by name."""
    for graph in model.subgraphs:
        for operator in _operators(graph):
            yield from ((_name(graph, number), graph.tensors[number]) for number in _listed(operator.outputs))


def _several_subgraphs(model: Any) -> Iterator[str]:
    if len(model.subgraphs) > 1:
        callers = {
            _kind(model.operatorCodes[operator.opcodeIndex])
            for graph in model.subgraphs
            for operator in _operators(graph)
        } & {"WHILE", "IF", "CALL_ONCE"}
        by = f" ({', '.join(sorted(callers))} calls the others)" if callers else ""
        yield (
            f"the model has {len(model.subgraphs)} subgraphs{by}: Vela does not estimate an inference of several;"
            " unroll loops, and give every signature a file of its own"
        )


def _kind(code: Any) -> str:
    """Return the kind of operators; files of before 2020 have its number in the older of two fields alone."""
    return OPERATORS.get(max(code.builtinCode, code.deprecatedBuiltinCode), "?")


def _dynamic_shapes(model: Any) -> Iterator[str]:
    graph = model.subgraphs[0]
    for number in _listed(graph.inputs):
        tensor = graph.tensors[number]
        if DYNAMIC in _listed(tensor.shapeSignature):
            yield (
                f"input {_name(graph, number)} has the dynamic shape {_shape(tensor.shapeSignature)}: Vela compiles it"
                f" for {_shape(tensor.shape)}"
            )


def _float_tensors(model: Any) -> Iterator[str]:
    found = [f"{name} ({TYPES[tensor.type].lower()})" for name, tensor in _computed(model) if tensor.type in FLOATS]
    graph = model.subgraphs[0]
    found += [
        f"{_name(graph, number)} (input, {TYPES[graph.tensors[number].type].lower()})"
        for number in _listed(graph.inputs)
        if graph.tensors[number].type in FLOATS
    ]
    if found:
        rest = f" and {len(found) - MOST_NAMES} more" if len(found) > MOST_NAMES else ""
        yield (
            f"{len(found)} {'tensor is' if len(found) == 1 else 'tensors are'} float, so the operators that read or"
            f" write {'it' if len(found) == 1 else 'them'} stay on the CPU: {', '.join(found[:MOST_NAMES])}{rest}"
        )


def _name(graph: Any, number: int) -> str:
    return (graph.tensors[number].name or b"").decode(errors="replace") or f"number {number}"


def _shape(shape: Any) -> str:
    return f"({', '.join(str(size) for size in _listed(shape))})"


def _described(tensor: Any) -> dict[str, Any]:
    """Return what firmware must know of an input or output: real = scale * (stored - zero_point)."""
    zero_points = _listed(tensor.quantization and tensor.quantization.zeroPoint)
    return {
        "dtype": TYPES[tensor.type].lower(),
        "shape": [int(size) for size in _listed(tensor.shape)],
        "scale": next(iter(_scales(tensor)), None),
        "zero_point": next((int(number) for number in zero_points), None),
    }
