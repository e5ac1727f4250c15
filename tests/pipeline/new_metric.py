"""Declares one more metric of two stages, as a new line in their files would, and prints every view of a result.

Run in a fresh process and an empty folder: the catalogue is read when the views are imported.
"""

import json
import sys
from dataclasses import replace
from typing import Any

from pipeline.metrics import Metric
from pipeline.stages import accuracy, vela
from pipeline.text.quantities import COUNT, SHARE

ENERGY = Metric(
    name="energy_uj",
    title="energy",
    quantity=COUNT,
    noun="uJ",
    phrase="{} uJ",
    basis="estimated",
    better="less",
    traded=True,
)
CONFIDENCE = Metric(name="confidence", title="confidence", quantity=SHARE, basis="measured", better="more")
vela.STAGE = replace(vela.STAGE, metrics=(*vela.METRICS, ENERGY))
accuracy.STAGE = replace(accuracy.STAGE, metrics=(*accuracy.METRICS, CONFIDENCE))

from pipeline.engine.build import Build  # noqa: E402 - what follows reads the catalogue
from pipeline.engine.results.record import read_record  # noqa: E402
from pipeline.experiments.schema import Budget  # noqa: E402
from pipeline.views import check, metric_rows, summary  # noqa: E402
from pipeline.views.matrix import answer  # noqa: E402
from pipeline.views.pareto import make as pareto  # noqa: E402
from pipeline.views.report import facts  # noqa: E402
from pipeline.views.subject import Subject  # noqa: E402
from tests.tui import recorded as recorded_results  # noqa: E402
from tui import once  # noqa: E402
from tui.data import matrix as matrix_data  # noqa: E402
from tui.data import results  # noqa: E402
from tui.data.project import ProjectWatcher  # noqa: E402
from tui.data.view import View  # noqa: E402
from tui.screens import compare  # noqa: E402
from tui.tabs import accuracy as accuracy_tab  # noqa: E402
from tui.tabs import matrix as matrix_tab  # noqa: E402
from tui.tabs import npu  # noqa: E402

VALUE = 4_321
"""What it is in every result: shown as ``4,321``, or ``4.32k`` where there is little room."""
_vela = recorded_results._vela
_accuracy = recorded_results._accuracy
recorded_results._accuracy = lambda *arguments: {**_accuracy(*arguments), "confidence": 0.75}
recorded_results._vela = lambda *arguments: {**_vela(*arguments), "energy_uj": VALUE}


def views() -> dict[str, Any]:
    """Lay down results and return what each view says of them, as text."""
    project = recorded_results.Recorded()
    project.write(budget=True)
    project.build()
    project.compile_matrix()
    jobs = project.jobs()
    records = [read_record(job.link) for job in jobs]
    compiled, record = next((job, record) for job, record in zip(jobs, records, strict=True) if job.compiles)
    watcher = ProjectWatcher(lambda: recorded_results.NOW)
    watcher.poll()
    watcher.assess()
    snapshot = watcher.snapshot()
    (experiment,) = snapshot.experiments
    view = View(snapshot, experiment, None, recorded_results.NOW)
    checked = check._checked(Build(project.project), Subject("keyword", jobs, Budget()))
    compiled_matrix = matrix_data.read_matrix(project.project, experiment)
    found = results.catalogue(snapshot)
    tab = accuracy_tab.accuracy_text(view, 120).plain
    return {
        "accuracy tab": tab,
        "summary": summary.rows(jobs, records),
        "check --json": check.as_document([checked], None),
        "check --baseline": check._markdown(checked, {}),
        "report": facts._cards(None, compiled, record),
        "matrix": [answer.HEADER, *(answer.cells(row) for row in compiled_matrix.rows)],
        "pareto": [metric.title for metric in pareto.TRADED],
        "once": list(once.lines(snapshot, recorded_results.NOW)),
        "NPU tab": npu.npu_text(view, 120).plain,
        "matrix tab": [str(line) for line in matrix_tab.matrix_lines(experiment, compiled_matrix, 200)],
        "compare": [(row.name, *row.cells) for row in results.side_by_side(found)],
        "compare's columns": [column.name for column in compare.columns_of(compare.COSTS)],
        "sentence": metric_rows.sentence([ENERGY], record),
    }


if __name__ == "__main__":
    json.dump(views(), sys.stdout, default=str)
