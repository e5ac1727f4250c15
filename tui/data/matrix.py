"""What a model costs everywhere: the compiles that ``doit matrix`` left, and the boards it fits. Compiles nothing."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipeline.errors import UnrollError
from pipeline.fingerprint import source_digests, tool_version
from pipeline.record import Record
from pipeline.stage_list import STAGES
from tui.data import explanations
from tui.data.project import ExperimentStatus

if TYPE_CHECKING:
    from pipeline.matrix import Row


@dataclass(frozen=True, slots=True)
class Fit:
    """Whether a model fits a board."""

    board: str
    fits: bool
    inference_ms: float
    said: str
    """What is missing, or what was not looked at."""


@dataclass(frozen=True, slots=True)
class CompiledMatrix:
    """All that is known without compiling anything."""

    rows: tuple["Row", ...]
    """The points that are compiled, those of one system together."""
    boards: tuple[Fit, ...]
    missing: int
    """Usual points that are not compiled."""
    outdated: int
    """Compiles of another model, or by another Vela."""
    trouble: str
    """What is wrong with a board's file."""


def look(facts: ExperimentStatus) -> CompiledMatrix:
    """Collect the compiles of an experiment's model."""
    from pipeline.matrix import Row  # noqa: PLC0415 - only the matrix tab asks for it
    from pipeline.npu import points  # noqa: PLC0415 - as above

    quantized = facts.stage("quantized")
    inputs = _compiled_from(quantized.record) if quantized and quantized.record else {}
    compiling = [stage.job for stage in facts.stages if stage.job.compiles]
    own = {points.of_config(job.config).name: job.target for job in compiling}
    found: dict[str, Row] = {}
    for folder, record in explanations.of_the_same_model(facts.name, inputs) if inputs else ():
        point = points.of_config(record.inputs["config"])
        found[point.name] = Row(point=point, link=folder, target=own.get(point.name), record=record, failure=None)
    usual = {point.name for point in points.points(every=False)}
    boards, trouble = _boards(found)
    only_for_boards = boards.keys() - usual - own.keys()
    shown = (row for name, row in found.items() if not row.point.clusters and name not in only_for_boards)
    return CompiledMatrix(
        rows=tuple(sorted(shown, key=lambda row: points.place(row.point))),
        boards=tuple(fit for fits in boards.values() for fit in fits),
        missing=len(usual - found.keys()),
        outdated=_links(explanations.compiles(facts.name)) - len(found),
        trouble=trouble,
    )


def _compiled_from(quantized: Record) -> Mapping[str, Any]:
    """Return what goes into a compile of this model now."""
    vela = STAGES["vela"]
    return {
        "files": {f"quantized/{name}": facts["sha256"] for name, facts in quantized.outputs.items()},
        "source": source_digests(vela.sources),
        "tools": {tool: tool_version(tool) for tool in vela.tools},
    }


def _links(folder: Path) -> int:
    return sum(1 for _ in folder.glob("*"))


def _boards(found: Mapping[str, "Row"]) -> tuple[dict[str, list[Fit]], str]:
    """Hold the compiles for boards against these, and say what is wrong with a board's file.

    By the points' names, since a record does not tell where an ini file lies; boards of the same NPU share one.
    """
    from pipeline.npu import boards  # noqa: PLC0415 - as above

    try:
        known = boards.load_all()
    except UnrollError as error:
        return {}, str(error)
    fits: dict[str, list[Fit]] = {}
    for board in known:
        name = board.point().name
        record = found[name].record if name in found else None
        if record:
            missing = board.missing(record.metrics)
            said = "; ".join([*missing, *filter(None, [board.not_checked])])
            fits.setdefault(name, []).append(Fit(board.name, not missing, record.metrics["inference_ms"], said))
    return fits, ""
