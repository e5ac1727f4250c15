"""Why a target costs what it costs, in the words of ``doit matrix``, from the compiles that are there."""

import contextlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import msgspec

from pipeline import store
from pipeline.folders import BUILD
from pipeline.graph import Job
from pipeline.record import BrokenRecordError, Record, read_record


def compiles(experiment: str) -> Path:
    """Return the folder where ``doit matrix`` shows what it compiled for an experiment."""
    return BUILD / experiment / "matrix"


def changed(experiment: str) -> int:
    """Return when those compiles last changed, in nanoseconds; 0 when there are none."""
    try:
        return compiles(experiment).stat().st_mtime_ns
    except OSError:
        return 0


def sentences(job: Job, record: Record) -> list[str]:
    """Explain a target by its own compile, and by those of the same model that ``doit matrix`` left; compiles nothing.

    Returns:
        No sentence for a result that another version made, which has less to tell.

    """
    from pipeline import reason  # noqa: PLC0415 - only the NPU tab asks for it
    from pipeline.matrix import Matrix, Row  # noqa: PLC0415 - as above
    from pipeline.npu import points  # noqa: PLC0415 - as above

    own = Row(
        point=points.of_config(job.config), link=store.resolve(job.link), target=job.target, record=record, failure=None
    )
    rows = {own.point: own}
    for link, other in of_the_same_model(job.experiment, record.inputs):
        point = points.of_config(other.inputs["config"])
        rows.setdefault(point, Row(point=point, link=link, target=None, record=other, failure=None))
    matrix = Matrix(
        experiment=job.experiment,
        rows=tuple(row for row in rows.values() if not row.point.clusters),
        variants=tuple(row for row in rows.values() if row.point.clusters),
        boards=(),
        impossible=(),
    )
    try:
        return [claim.text for claim in reason.claims(matrix, own)]
    except (OSError, KeyError, TypeError, ValueError, msgspec.MsgspecError):
        return []


def of_the_same_model(experiment: str, inputs: Mapping[str, Any]) -> Iterator[tuple[Path, Record]]:
    """Yield the matrix's results of the same model by the same sources and tools, with their folders."""
    for link in sorted(compiles(experiment).glob("*")):
        with contextlib.suppress(OSError, BrokenRecordError):
            other = read_record(link)
            if _made_of(other.inputs) == _made_of(inputs):
                yield store.resolve(link), other


def _made_of(inputs: Mapping[str, Any]) -> tuple[object, ...]:
    """Return what compiles of one model have in common; a ``vela.ini`` of one's own is the target's."""
    files: Mapping[str, str] = inputs.get("files", {})
    model = {name: sha256 for name, sha256 in files.items() if name.startswith("quantized/")}
    return model, inputs.get("source"), inputs.get("tools")
