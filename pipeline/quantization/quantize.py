"""Quantize a float graph: every form of it with the ranges that were seen over whole sequences."""

import json
import os
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np
import numpy.typing as npt

from pipeline.data.arrays import Features
from pipeline.lowering import way
from pipeline.quantization import checks, losses, ranges, tied, ties
from pipeline.quantization.role_loss import RoleLoss
from pipeline.quantization.section import Quantization
from pipeline.runtime import litert
from pipeline.runtime.litert import WHOLE
from pipeline.stage import Work
from pipeline.tflite import roles

if TYPE_CHECKING:
    from pipeline.tflite.quantization import Quantization as Scale

MODEL = "quantized.tflite"
FLOAT_MODEL = "unrolled.tflite"
ROLES = "roles.json"
MOST_SATURATED = 0.01
"""Share of a role's values beyond its range from which the user is warned."""


def quantize(
    folder: Path, samples: Features, graph: str, settings: Quantization, work: Work[Any]
) -> tuple[dict[str, Any], list[str]]:
    """Write the quantized model and what its tensors are for.

    Args:
        folder: of the float graph, in all its forms.
        samples: (samples, rows, features of a row), what the ranges are seen on.
        graph: which way of lowering wrote it.
        settings: the experiment's ``[quantization]``.
        work: where to write; is told how far it is.

    Returns:
        How many roles there are and which has the most noise, where that is known; and warnings.

    Raises:
        QuantizationError: a scale of 0, infinity or NaN, or a float tensor left.
        ranges.RangeError: a tensor without a role, or a role without a range.

    """
    chosen = way.way(graph)
    if chosen.quantize is not None:
        warnings = _by(chosen.quantize, folder, samples, work)
        checks.load(work.into / MODEL)
        return {}, warnings
    table = _tied(folder, samples, settings, work)
    weakest = max(table, key=lambda loss: loss.noise)
    return {"roles": len(table), "weakest_role": weakest.tie, "weakest_role_noise": weakest.noise}, _saturated(table)


def described(model: Path) -> dict[str, Any]:
    """Return what firmware must know of a quantized model, and its size."""
    loaded = checks.load(model)
    return {
        "model_bytes": os.path.getsize(model),
        "tensors": len(loaded.interpreter.get_tensor_details()),
        "input": _parameters(loaded.inputs[litert.INPUT]),
        "output": _parameters(loaded.outputs[litert.OUTPUT]),
        "states": {
            name: {"in": _parameters(loaded.inputs[name]), "out": _parameters(loaded.outputs[name])}
            for name in loaded.states
        },
    }


def _parameters(port: litert.Port) -> dict[str, Any] | None:
    if port.quantization is None:
        return None
    return {
        "scale": port.quantization.scale,
        "zero_point": port.quantization.zero_point,
        "dtype": np.dtype(port.dtype).name,
    }


def _by(quantize: way.Quantize, folder: Path, samples: Features, work: Work[Any]) -> list[str]:
    """Let a way of lowering quantize by itself; return its warnings."""
    progress = partial(work.progress, what="showing samples")
    result = quantize(folder, FLOAT_MODEL, samples, progress)
    (work.into / MODEL).write_bytes(result.model)
    roles.save({MODEL: result.graph}, work.into)
    return result.warnings


def _tied(folder: Path, samples: Features, settings: Quantization, work: Work[Any]) -> list[RoleLoss]:
    """Write every form of the graph, all with the ranges that were seen over whole sequences."""
    bits = 16 if settings.activations == "int16" else 8
    graphs = roles.load(folder)
    seen_in = WHOLE if WHOLE in graphs else FLOAT_MODEL
    known = ties.ties(graphs[seen_in])
    seen = ranges.collect(graphs[seen_in].ties, _runs(work, folder / seen_in, samples), len(samples))
    chosen = {
        tie: ranges.choose(known[tie], what, settings.ranges, settings.percentile, bits) for tie, what in seen.items()
    }
    parameters: dict[str, Scale] = {}
    written = {}
    for name, graph in graphs.items():
        quantized = MODEL if name == FLOAT_MODEL else name
        content = tied.quantize((folder / name).read_bytes(), graph.ties, chosen, bits)
        (work.into / quantized).write_bytes(content)
        checks.load(work.into / quantized)
        parameters |= tied.parameters(content, graph.ties, parameters)
        written[quantized] = graph
    roles.save(written, work.into)
    table = [losses.judge(tie, seen[tie], chosen[tie], parameters[tie], bits) for tie in seen if tie in parameters]
    (work.into / ROLES).write_text(json.dumps(msgspec.to_builtins(table), indent=1), encoding="utf-8")
    return table


def _runs(work: Work[Any], model: Path, samples: Features) -> Iterator[Callable[[str], npt.NDArray[np.float32]]]:
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
