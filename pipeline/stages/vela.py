"""The vela stage: one model compiled for one Ethos-U, with its numbers as JSON."""

import msgspec

from pipeline.metrics import Metric
from pipeline.npu.section import Target, Variant
from pipeline.stage import Found, Stage, Work
from pipeline.text.quantities import COUNT, CYCLES, MILLISECONDS, SIZE

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


METRICS = (
    Metric(
        name="cycles_total",
        title="cycles",
        quantity=CYCLES,
        basis="estimated",
        better="less",
        group="inference",
        phrase="{} cycles",
        budget="cycles_max",
        per_inference=True,
        of_weights=True,
        traded=True,
    ),
    Metric(
        name="inference_ms",
        title="inference",
        heading="ms",
        quantity=MILLISECONDS,
        basis="estimated",
        better="less",
        group="inference",
        phrase="{}",
        budget="inference_ms_max",
        per_inference=True,
        of_weights=True,
    ),
    Metric(
        name="sram_bytes",
        title="SRAM",
        quantity=SIZE,
        basis="estimated",
        better="less",
        group="memory",
        budget="sram_max",
        traded=True,
    ),
    Metric(
        name="dram_bytes",
        title="DRAM",
        quantity=SIZE,
        basis="estimated",
        better="less",
        group="memory",
        zero_is_none=True,
    ),
    Metric(
        name="flash_bytes",
        title="flash",
        quantity=SIZE,
        basis="measured",
        better="less",
        group="memory",
        budget="flash_max",
        of_weights=True,
        traded=True,
    ),
    Metric(
        name="npu_operators",
        title="NPU operators",
        quantity=COUNT,
        basis="measured",
        group="operators",
        worded=True,
    ),
    Metric(
        name="cpu_operators",
        title="CPU operators",
        heading="on the CPU",
        noun="on the CPU",
        quantity=COUNT,
        basis="measured",
        better="less",
        group="operators",
        worded=True,
        budget="cpu_operators_max",
    ),
    Metric(
        name="encoded_weight_bytes",
        title="encoded weights",
        quantity=SIZE,
        basis="estimated",
        of_weights=True,
        detail=True,
    ),
    Metric(name="constants_bytes", title="constants", quantity=SIZE, basis="measured", detail=True),
    Metric(name="command_streams", title="command streams", quantity=COUNT, basis="measured", detail=True),
    Metric(name="macs", title="MACs", quantity=COUNT, basis="estimated", detail=True),
    Metric(name="core_clock_hz", title="core clock", quantity=COUNT, noun="Hz", basis="estimated", detail=True),
    *(
        Metric(name=f"cycles_{name}", title=title, quantity=CYCLES, basis="estimated", detail=True)
        for name, title in (
            ("npu", "cycles of the NPU"),
            ("sram_access", "cycles of SRAM accesses"),
            ("dram_access", "cycles of DRAM accesses"),
            ("on_chip_flash_access", "cycles of on-chip flash accesses"),
            ("off_chip_flash_access", "cycles of off-chip flash accesses"),
        )
    ),
)

STAGE = Stage(
    name="vela",
    summary="compile for an Ethos-U with Vela; cycles, memory, operator placement",
    config=Config,
    make=make,
    metrics=METRICS,
    needs=("quantized",),
    provides="compiled",
    tools=("ethos-u-vela",),
)
