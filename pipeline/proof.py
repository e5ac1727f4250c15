"""What the verify stage found of a compiled file, in words."""

from collections.abc import Mapping
from typing import Any

from pipeline.record import Record

Metrics = Mapping[str, Any]


def identity(record: Record) -> str:
    """Say how many samples came out as TensorFlow Lite Micro has them, or why that is not known."""
    found = record.metrics
    if found["identical_samples"] is None:
        return f"not compared: {record.unavailable.get('identical_samples', 'no reason is known')}"
    counted = f"{found['identical_samples']:,} of {found['emulated_samples']:,} samples byte-identical to TFLite Micro"
    return f"{counted}, difference at most {found['max_difference']}" if found["max_difference"] else counted


def for_every_input(found: Metrics) -> str:
    """Say how much was checked that no sampling shows."""
    return (
        ", ".join(f"{check['checked']:,} {check['unit']}" for check in found["checks"] if check["checked"]) or "nothing"
    )
