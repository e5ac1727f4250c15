"""Why a target costs what it costs, in the words of ``doit matrix``, from the compiles that are there."""

import msgspec

from pipeline.engine.job_graph import Job
from pipeline.engine.project import Project
from pipeline.engine.results.record import Record
from pipeline.engine.results.store import resolve
from tui.data.matrix import compiles_of_same_model


def sentences(project: Project, job: Job, record: Record) -> list[str]:
    """Explain a target by its own compile, and by those of the same model that ``doit matrix`` left; compiles nothing.

    Returns:
        No sentence for a result that another version made, which has less to tell.

    """
    from pipeline.npu import points  # noqa: PLC0415 - as above
    from pipeline.views.matrix import explain  # noqa: PLC0415 - only the NPU tab asks for it
    from pipeline.views.matrix.compiling import Matrix, Row  # noqa: PLC0415 - as above

    own = Row(
        point=points.of_config(job.config), link=resolve(job.link), target=job.target, record=record, failure=None
    )
    rows = {own.point: own}
    for link, other in compiles_of_same_model(project, job.experiment, record.inputs):
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
        return [claim.text for claim in explain.claims(matrix, own)]
    except (OSError, KeyError, TypeError, ValueError, msgspec.MsgspecError):
        return []
