"""The vela stage: one model compiled for one Ethos-U, with its numbers as JSON."""

import msgspec

from pipeline.npu.section import Target, Variant
from pipeline.stage import Found, Stage, Work

COMPILED = "compiled.tflite"
LAYERS = "layers.json"


class Config(msgspec.Struct, frozen=True, kw_only=True):
    """What it reads of the experiment."""

    target: Target
    variant: Variant | None = None


def make(work: Work[Config]) -> Found:
    """Compile; keep the compiled model, every operator's cycles, and the totals.

    Raises:
        CompileError: Vela is missing or failed; the log holds what it printed.
        ReportError: its reports are not as expected.

    """
    import json
    import shutil
    import tempfile
    from pathlib import Path

    from pipeline.npu import compiled_file, compiler, constants, operators, roles, totals, vela_report
    from pipeline.tflite.roles import of

    quantized, target, variant = work.inputs["quantized"] / "quantized.tflite", work.config.target, work.config.variant
    with tempfile.TemporaryDirectory(dir=work.into.parent) as folder:
        model = compiler.clustered(quantized, variant.clusters, Path(folder)) if variant else quantized
        compiled, messages = compiler.compile_model(
            model, Path(folder), target, "--verbose-performance", "--show-cpu-operations"
        )
        report = vela_report.read(Path(folder), messages)
        placed = operators.placement(model, compiled, report.refusals)
        read = constants.constants(model)
        shutil.move(compiled, work.into / COMPILED)
    no_layers = totals.why_no_layers(report, placed)
    document = {
        "layers": [] if no_layers else roles.placed(report.layers, of(quantized)),
        "layers_unavailable": no_layers,
        "summary": report.summary,
        "constants": read,
    }
    (work.into / LAYERS).write_text(json.dumps(document, indent=1), encoding="utf-8")
    numbers = totals.totals(report, compiled_file.measure(work.into / COMPILED), totals.constants_in(target))
    unavailable = totals.why_no_totals(placed)
    metrics = numbers | totals.sides(report, placed) | dict.fromkeys(unavailable)
    if placed.compiled is None:
        unavailable["npu_operators"] = "operators of the same kind and name are on either side, or Vela wrote its own"
    basis = dict.fromkeys(metrics, "estimated") | dict.fromkeys(totals.MEASURED, "measured")
    return Found(metrics=metrics, unavailable=unavailable, basis=basis)


STAGE = Stage(
    name="vela",
    summary="compile for an Ethos-U with Vela; cycles, memory, operator placement",
    config=Config,
    make=make,
    needs=("quantized",),
    provides="compiled",
    tools=("ethos-u-vela",),
)
