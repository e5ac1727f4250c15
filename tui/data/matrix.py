"""What a model costs on every Ethos-U: the compiles that ``doit matrix`` left, and the boards it fits."""

import contextlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipeline.engine.project import Project
from pipeline.engine.results.record import BrokenRecordError, Record, read_record
from pipeline.engine.results.store import resolve
from pipeline.errors import UnrollError
from pipeline.metrics import costs
from pipeline.stages import vela
from pipeline.stages.catalogue import STAGES
from pipeline.text.quantities import MILLISECONDS
from tui.data.project import ExperimentStatus

if TYPE_CHECKING:
    from pipeline.views.matrix.compiling import Row

COSTS = costs(STAGES["vela"].metrics)
"""What is shown of a compile."""
TIME = next(metric for metric in COSTS if metric.quantity is MILLISECONDS)


@dataclass(frozen=True, slots=True)
class BoardFit:
    """Whether a model fits a board."""

    board: str
    fits: bool | None
    """None where it is not known."""
    time: float | None
    """Of one inference, in milliseconds."""
    remarks: str
    """What is missing, or what was not looked at."""


@dataclass(frozen=True, slots=True)
class CompiledMatrix:
    """All that is known without compiling anything."""

    rows: tuple["Row", ...]
    """The points that are compiled, those of one system together."""
    boards: tuple[BoardFit, ...]
    missing: int
    """Usual points that are not compiled."""
    outdated: int
    """Compiles of another model, or by another Vela."""
    trouble: str
    """What is wrong with a board's file."""


def folder(project: Project, experiment: str) -> Path:
    """Return the folder where ``doit matrix`` shows what it compiled for an experiment."""
    return project.build / experiment / "matrix"


def last_change(project: Project, experiment: str) -> int:
    """Return when those compiles last changed, in nanoseconds; 0 when there are none."""
    try:
        return folder(project, experiment).stat().st_mtime_ns
    except OSError:
        return 0


def compiles_of_same_model(
    project: Project, experiment: str, inputs: Mapping[str, Any]
) -> Iterator[tuple[Path, Record]]:
    """Yield the matrix's results of the same model by the same sources and tools, with their folders."""
    for link in sorted(folder(project, experiment).glob("*")):
        with contextlib.suppress(OSError, BrokenRecordError):
            record = read_record(link)
            if _origin(record.inputs) == _origin(inputs):
                yield resolve(link), record


def _origin(inputs: Mapping[str, Any]) -> tuple[object, ...]:
    """Return what compiles of one model have in common; a ``vela.ini`` of one's own is the target's."""
    files: Mapping[str, str] = inputs.get("files", {})
    model = {name: sha256 for name, sha256 in files.items() if name.startswith("quantized/")}
    return model, inputs.get("source"), inputs.get("tools")


def read_matrix(project: Project, experiment: ExperimentStatus) -> CompiledMatrix:
    """Collect the compiles of an experiment's model; compile nothing."""
    from pipeline.npu import points  # noqa: PLC0415 - as above
    from pipeline.views.matrix.compiling import Row  # noqa: PLC0415 - only the matrix tab asks for it

    quantized = experiment.stage("quantized")
    inputs = _compiled_from(project, quantized.record) if quantized and quantized.record else {}
    compiling = [stage.job for stage in experiment.stages if stage.job.compiles]
    own = {points.of_config(job.config).name: job.target for job in compiling}
    rows: dict[str, Row] = {}
    for home, record in compiles_of_same_model(project, experiment.name, inputs) if inputs else ():
        point = points.of_config(record.inputs["config"])
        rows[point.name] = Row(point=point, link=home, target=own.get(point.name), record=record, failure=None)
    usual = {point.name for point in points.points(every=False)}
    boards, trouble = _boards(project, rows)
    only_for_boards = boards.keys() - usual - own.keys()
    listed = (row for name, row in rows.items() if not row.point.clusters and name not in only_for_boards)
    return CompiledMatrix(
        rows=tuple(sorted(listed, key=lambda row: points.place(row.point))),
        boards=tuple(fit for fits in boards.values() for fit in fits),
        missing=len(usual - rows.keys()),
        outdated=sum(1 for _ in folder(project, experiment.name).glob("*")) - len(rows),
        trouble=trouble,
    )


def _compiled_from(project: Project, quantized: Record) -> Mapping[str, Any]:
    """Return what goes into a compile of this model now."""
    toolchain = project.toolchain()
    return {
        "files": {f"quantized/{name}": output["sha256"] for name, output in quantized.outputs.items()},
        "source": toolchain.source_digests(vela.STAGE.module),
        "tools": toolchain.versions(vela.STAGE.tools),
    }


def _boards(project: Project, rows: Mapping[str, "Row"]) -> tuple[dict[str, list[BoardFit]], str]:
    """Hold the compiles for boards against these, and say what is wrong with a board's file.

    By the points' names, since a record does not tell where an ini file lies; boards of the same NPU share one.
    """
    from pipeline.npu import boards  # noqa: PLC0415 - as above

    try:
        known = boards.load_all(project.root)
    except UnrollError as error:
        return {}, str(error)
    fits: dict[str, list[BoardFit]] = {}
    for board in known:
        name = board.point().name
        record = rows[name].record if name in rows else None
        if record:
            metrics = record.metrics
            fit = BoardFit(board.name, board.fits(metrics), TIME.of(metrics), board.said(metrics))
            fits.setdefault(name, []).append(fit)
    return fits, ""
