"""What letting samples through a compiled file finds out, whichever samples those are."""

from pipeline.metrics import Metric
from pipeline.text.quantities import COUNT

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
