"""The metrics that each stage returns."""

from pipeline.metrics import Metric
from pipeline.tasks.classification import CLASSIFICATION as TASK
from pipeline.tasks.task import scored
from pipeline.text.quantities import COUNT, CYCLES, MILLISECONDS, NUMBER, SHARE, SIZE

DATASET = (
    Metric(name="train_samples", title="training samples", quantity=COUNT, basis="measured", detail=True),
    Metric(name="test_samples", title="test samples", quantity=COUNT, basis="measured", detail=True),
    Metric(name="time_steps", title="time steps", quantity=COUNT, basis="measured", detail=True),
    Metric(name="features", title="features", quantity=COUNT, basis="measured", detail=True),
    Metric(name="classes", title="classes", quantity=COUNT, basis="measured", detail=True),
)
WEIGHTS = (
    Metric(name="parameters", title="parameters", quantity=COUNT, basis="measured", detail=True),
    Metric(name="training_loss", title="training loss", quantity=NUMBER, basis="measured", detail=True),
    Metric(name="training_accuracy", title="training accuracy", quantity=SHARE, basis="measured", detail=True),
    Metric(name="weights_bytes", title="trained weights", quantity=SIZE, basis="measured", detail=True),
)
COMPRESSED = (
    Metric(name="training_loss", title="training loss", quantity=NUMBER, basis="measured", detail=True),
    Metric(name="training_accuracy", title="training accuracy", quantity=SHARE, basis="measured", detail=True),
    Metric(name="scores.before.accuracy", title="accuracy before", quantity=SHARE, basis="measured", detail=True),
    Metric(name="scores.float.accuracy", title="float accuracy", quantity=SHARE, basis="measured", detail=True),
    Metric(name="weights_bytes", title="trained weights", quantity=SIZE, basis="measured", detail=True),
)
UNROLLED = (
    Metric(name="max_difference", title="largest difference", quantity=NUMBER, basis="measured", detail=True),
    Metric(name="compared_samples", title="compared samples", quantity=COUNT, basis="measured", detail=True),
    Metric(name="model_bytes", title="float model", quantity=SIZE, basis="measured", detail=True),
    Metric(name="time_steps", title="time steps", quantity=COUNT, basis="measured", detail=True),
    Metric(name="steps_per_inference", title="time steps an inference", quantity=COUNT, basis="measured", detail=True),
    Metric(
        name="inferences_per_sequence", title="inferences a sequence", quantity=COUNT, basis="measured", detail=True
    ),
    Metric(name="rows_per_step", title="rows a time step", quantity=COUNT, basis="measured", detail=True),
)
QUANTIZED = (
    Metric(name="model_bytes", title="quantized model", quantity=SIZE, basis="measured", detail=True),
    Metric(
        name="representative_samples", title="representative samples", quantity=COUNT, basis="measured", detail=True
    ),
    Metric(name="tensors", title="tensors", quantity=COUNT, basis="measured", detail=True),
    Metric(name="roles", title="roles", quantity=COUNT, basis="measured", detail=True),
    Metric(name="weakest_role_noise", title="weakest role's noise", quantity=SHARE, basis="measured", detail=True),
)
IMPORTED = (
    Metric(name="model_bytes", title="quantized model", quantity=SIZE, basis="measured", detail=True),
    Metric(name="subgraphs", title="subgraphs", quantity=COUNT, basis="measured", detail=True),
    Metric(name="operators", title="operators", quantity=COUNT, basis="measured", detail=True),
    Metric(name="tensors", title="tensors", quantity=COUNT, basis="measured", detail=True),
)
ACCURACY = (
    *(scored(form, TASK, "measured") for form in ("float", "quantized", "micro")),
    Metric(name="test_samples", title="test samples", quantity=COUNT, basis="measured", detail=True),
    *TASK.changes,
    Metric(
        name="micro_identical",
        title="samples that TFLite Micro gives the same bytes for",
        quantity=COUNT,
        basis="measured",
        detail=True,
    ),
    Metric(
        name="inputs_beyond_range",
        title="inputs beyond the range",
        quantity=SHARE,
        basis="measured",
        detail=True,
    ),
)
VELA = (
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
SAMPLES = (
    Metric(
        name="identical_samples",
        title="identical samples",
        quantity=COUNT,
        basis="emulated",
        better="more",
        group="compiled file",
        worded=True,
    ),
    Metric(name="emulated_samples", title="emulated samples", quantity=COUNT, basis="emulated", detail=True),
    Metric(name="max_difference", title="largest difference", quantity=COUNT, basis="emulated", detail=True),
)
VERIFY = (scored("compiled", TASK, "emulated"), *SAMPLES)
