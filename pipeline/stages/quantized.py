"""The quantized stage: full-integer post-training quantization, and what may not be left inside."""

import json
import os
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np
import numpy.typing as npt

from pipeline.compression import codes
from pipeline.compression.matrices import changed_channels, matrices
from pipeline.contract import Found, Work
from pipeline.data import arrays
from pipeline.errors import UnrollError
from pipeline.lowering import way
from pipeline.quantization import losses, ranges, tied, ties
from pipeline.quantization.role_loss import RoleLoss
from pipeline.runtime import litert
from pipeline.runtime.litert import WHOLE
from pipeline.tflite import reader, roles

if TYPE_CHECKING:
    from pipeline.tflite.quantization import Quantization

MODEL = "quantized.tflite"
FLOAT_MODEL = "unrolled.tflite"
ROLES = "roles.json"
MOST_SATURATED = 0.01
"""Share of a role's values beyond its range from which the user is warned."""
SCALE_WITHOUT_RANGE = 2e-6 / 255
"""What TFLiteConverter gives a tensor that was always 0, as if it ranged over [-1e-6, 1e-6]."""


class QuantizationError(UnrollError):
    """A representative dataset or a quantized model that can't be used."""


def make(work: Work) -> Found:
    """Quantize the deployment graph: tied, with a scale for each role, or as Arm's guide does.

    Raises:
        QuantizationError: too few samples, a scale of 0, infinity or NaN, a float tensor left, or a compressed
            matrix that is not in the file as it was trained.
        ranges.RangeError: a tensor without a role, or a role without a range.

    """
    samples, warnings = _representative(work)
    of_roles: dict[str, Any] = {}
    chosen = way.way(work.config["deployment"]["graph"])
    if chosen.quantize is None:
        table = _quantize_tied(work, samples)
        warnings += _saturated(table)
        weakest = max(table, key=lambda loss: loss.noise)
        of_roles = {"roles": len(table), "weakest_role": weakest.tie, "weakest_role_noise": weakest.noise}
    else:
        warnings += _quantize_by(chosen.quantize, work, samples)
    loaded = load(work.into / MODEL)
    if "compressed" in work.inputs:
        _check_codes(work)
    return Found(
        metrics={
            "model_bytes": os.path.getsize(work.into / MODEL),
            "activations": work.config["quantization"]["activations"],
            "representative_samples": len(samples),
            "tensors": len(loaded.interpreter.get_tensor_details()),
            "input": _parameters(loaded.inputs[litert.INPUT]),
            "output": _parameters(loaded.outputs[litert.OUTPUT]),
            "states": {
                name: {"in": _parameters(loaded.inputs[name]), "out": _parameters(loaded.outputs[name])}
                for name in loaded.states
            },
            **of_roles,
        },
        basis={"model_bytes": "measured", "weakest_role_noise": "measured"},
        warnings=warnings,
    )


def _representative(work: Work) -> tuple[arrays.Features, list[str]]:
    wanted = work.config["quantization"]["representative_samples"]
    x_train, y_train = arrays.load_part(work.inputs["dataset"], "train")
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


def _quantize_by(quantize: way.Quantize, work: Work, samples: arrays.Features) -> list[str]:
    """Let a way of lowering quantize by itself; return its warnings."""
    progress = partial(work.progress, what="showing samples")
    result = quantize(work.inputs["unrolled"], FLOAT_MODEL, samples, progress)
    (work.into / MODEL).write_bytes(result.model)
    roles.save({MODEL: result.graph}, work.into)
    return result.warnings


def _quantize_tied(work: Work, samples: arrays.Features) -> list[RoleLoss]:
    """Write every form of the graph, all with the ranges that were seen over whole sequences."""
    settings, folder = work.config["quantization"], work.inputs["unrolled"]
    bits = 16 if settings["activations"] == "int16" else 8
    graphs = roles.load(folder)
    seen_in = WHOLE if WHOLE in graphs else FLOAT_MODEL
    known = ties.ties(graphs[seen_in])
    seen = ranges.collect(graphs[seen_in].ties, _runs(work, folder / seen_in, samples), len(samples))
    chosen = {
        tie: ranges.choose(known[tie], what, settings["ranges"], settings["percentile"], bits)
        for tie, what in seen.items()
    }
    parameters: dict[str, Quantization] = {}
    written = {}
    for name, graph in graphs.items():
        quantized = MODEL if name == FLOAT_MODEL else name
        content = tied.quantize((folder / name).read_bytes(), graph.ties, chosen, bits)
        (work.into / quantized).write_bytes(content)
        load(work.into / quantized)
        parameters |= tied.parameters(content, graph.ties, parameters)
        written[quantized] = graph
    roles.save(written, work.into)
    table = [losses.judge(tie, seen[tie], chosen[tie], parameters[tie], bits) for tie in seen if tie in parameters]
    (work.into / ROLES).write_text(json.dumps(msgspec.to_builtins(table), indent=1), encoding="utf-8")
    return table


def _runs(work: Work, model: Path, samples: arrays.Features) -> Iterator[Callable[[str], npt.NDArray[np.float32]]]:
    """Run the float graph on each sample; give what reads its tensors by name."""
    loaded = litert.Model(model, litert.REFERENCE, keep_all=True)
    index = {details["name"]: details["index"] for details in loaded.interpreter.get_tensor_details()}
    for number, sample in enumerate(loaded.folded(samples), 1):
        work.progress(number, len(samples), what="showing samples")
        loaded.reset()
        loaded.infer(sample)
        yield lambda name: loaded.interpreter.get_tensor(index[name])


def _saturated(table: list[RoleLoss]) -> list[str]:
    return [
        f"{100 * loss.saturated:.1f} % of the values of {loss.tie} lie beyond its range ({loss.low:.3g} to"
        f' {loss.high:.3g}, seen {loss.seen_low:.3g} to {loss.seen_high:.3g}): try quantization.ranges = "min_max",'
        " a higher percentile, or more representative samples"
        for loss in table
        if loss.saturated > MOST_SATURATED and not loss.harmless
    ]


def load(path: Path) -> litert.Model:
    """Load a quantized model after a look at its tensors.

    Raises:
        QuantizationError: it has a float tensor or a bad scale, on which kernels would ``abort()``.

    """
    from ai_edge_litert.interpreter import Interpreter  # noqa: PLC0415 - only here

    check(Interpreter(os.fspath(path)).get_tensor_details())
    return litert.Model(path, litert.REFERENCE)


def _check_codes(work: Work) -> None:
    """Prove that every compressed matrix is in the file as it was trained, code for code.

    Raises:
        QuantizationError: names the first matrix that is not.

    """
    found = list(matrices(reader.read(work.into / MODEL)))
    with np.load(work.inputs["compressed"] / codes.FILE, allow_pickle=False) as trained:
        for name, matrix in trained.items():
            if changed := changed_channels(matrix, found):
                message = (
                    f"{changed} of {matrix.shape[1]} output channels of {name} hold other values in the quantized model"
                    " than were trained in the compressed stage, so they would not be stored as small as they should:"
                    " this is a defect, please report it"
                )
                raise QuantizationError(message)


def _parameters(port: litert.Port) -> dict[str, Any] | None:
    if port.quantization is None:
        return None
    return {
        "scale": port.quantization.scale,
        "zero_point": port.quantization.zero_point,
        "dtype": np.dtype(port.dtype).name,
    }


def check(tensors: list[dict[str, Any]]) -> None:
    """Refuse a model that would be wrong or land on the CPU without anyone being told.

    Raises:
        QuantizationError: names the first bad tensor and the remedy.

    """
    for tensor in tensors:
        name = tensor["name"] or f"number {tensor['index']}"
        if np.issubdtype(tensor["dtype"], np.floating):
            message = (
                f"tensor {name} is still {np.dtype(tensor['dtype']).name} in the quantized model, so its operators"
                " would run on the CPU; train the network (a zero weight matrix has no range) or show more samples"
            )
            raise QuantizationError(message)
        bad = _bad_scale(tensor)
        if bad is not None:
            message = (
                f"tensor {name} has the quantization scale {bad}; its values had no usable range:"
                " raise quantization.representative_samples, or check the data for constant features"
            )
            raise QuantizationError(message)


def _bad_scale(tensor: Mapping[str, Any]) -> float | None:
    """Return the first scale that is infinite, NaN, or 0 in effect: a bias's product of two scales may be small."""
    scales = np.asarray(tensor["quantization_parameters"]["scales"], np.float64)
    smallest = SCALE_WITHOUT_RANGE * 1.001 if tensor["dtype"] == np.int8 else 0
    bad = scales[~(np.isfinite(scales) & (scales > smallest))]
    return float(bad[0]) if bad.size else None
