"""What the verify stage proved of a compiled file, in words."""

from collections.abc import Mapping
from typing import Any

from pipeline.engine.results.record import Record

Metrics = Mapping[str, Any]


def verdict(record: Record) -> str:
    """Return what came of verifying, in the words of ``verdicts``; of a result of before, that may not be known."""
    return str(record.metrics.get("verdict", "not known"))


def lacking(record: Record) -> list[str]:
    """Return what failed and what is not verified, sentence by sentence."""
    return [*record.metrics.get("failures", []), *record.metrics["not_verified"]]


def identity(record: Record) -> str:
    """Say how many samples came out as TensorFlow Lite Micro has them, or why that is not known."""
    found = record.metrics
    if found["identical_samples"] is None:
        return f"not compared: {record.unavailable.get('identical_samples', 'no reason is known')}"
    samples = f"{found['identical_samples']:,} of {found['emulated_samples']:,} {found.get('samples_are', 'samples')}"
    counted = f"{samples} byte-identical to TFLite Micro"
    return f"{counted}, difference at most {found['max_difference']}" if found["max_difference"] else counted


def result(record: Record) -> str:
    """Say what is proved, and how many samples came out the same."""
    return f"{verdict(record)}; {identity(record)}"


def for_every_input(found: Metrics) -> str:
    """Say how much was checked that no sampling shows."""
    return (
        ", ".join(f"{check['checked']:,} {check['unit']}" for check in found["checks"] if check["checked"]) or "nothing"
    )
