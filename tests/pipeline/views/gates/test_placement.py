"""The placement gate: what stays on the CPU is listed, and fails the build unless it is allowed."""

import json
from pathlib import Path
from typing import Any

import pytest

from pipeline.engine.build import Build
from pipeline.engine.job_graph import Job
from pipeline.engine.project import Project
from pipeline.engine.running.process import Outcome, Processes
from pipeline.views.gates import placement
from tests.pipeline.engine.test_build import REPORT
from tests.pipeline.records import layers_of_keras

ON_CPU = [
    {"operator": "Sin", "name": "net/gru/gru_cell_3/Sin", "graph": None, "reason": "Unsupported operator type"},
    {"operator": "Cos", "name": "net/output/Cos", "graph": None, "reason": "Unsupported operator type"},
]


@pytest.fixture
def compiled(jobs: dict[str, Job], monkeypatch: pytest.MonkeyPatch, workplace: Project) -> Any:
    """Compile a model with these operators on the CPU; what stands for the stages' processes says so."""

    def make(on_cpu: list[dict[str, str]]) -> Build:
        layers = [{**row, "operator": row["operator"]} for row in on_cpu]
        layers.insert(0, {"name": "net/gru/gru_cell_1/MatMul", "operator": "FullyConnected"})
        found = {"cpu_operators": len(on_cpu), "cpu_operators_by_name": on_cpu}

        def run(job: Job, order: dict[str, Any], *_: object) -> Outcome:
            document = {"layers": layers_of_keras(layers)}
            (Path(order["into"]) / "layers.json").write_text(json.dumps(document), encoding="utf-8")
            report = {**REPORT, "metrics": found} if job.stage.name == "vela" else REPORT
            return Outcome(report, None, 0.1, "exit code 0")

        monkeypatch.setattr(Processes, "run", staticmethod(run))
        build = Build(workplace)
        for job in jobs.values():
            build.make(job)
        return build

    return make


def test_a_model_that_is_all_on_the_npu_passes(compiled: Any, jobs: dict[str, Job]) -> None:
    build = compiled([])
    assert placement.surplus(build, [jobs["vela"]], 0) == {}
    assert placement.gate(build, [jobs["vela"]], 0) is None
    assert placement.on_cpu(build, jobs["vela"]) == []


def test_what_stays_on_the_cpu_is_listed_by_name_step_and_reason(
    compiled: Any, jobs: dict[str, Job], capsys: pytest.CaptureFixture[str]
) -> None:
    failed = placement.gate(compiled(ON_CPU), [jobs["vela"]], 0)
    assert failed is not None
    assert capsys.readouterr().out.splitlines() == [
        "u55-128, on the CPU:",
        "  Sin net/gru/gru_cell_3/Sin (time step 2): Unsupported operator type",
        "  Cos net/output/Cos: Unsupported operator type",
    ]
    assert failed.get_msg().strip() == (
        "operators stay on the CPU (2 on u55-128), 0 allowed: change the model,"
        " or allow them with budget.cpu_operators_max = 2"
    )


def test_as_many_as_are_allowed_pass(compiled: Any, jobs: dict[str, Job]) -> None:
    build = compiled(ON_CPU)
    assert placement.surplus(build, [jobs["vela"]], 1) == {"u55-128": 2}
    assert placement.gate(build, [jobs["vela"]], 2) is None


def test_a_long_list_is_cut_and_says_where_the_rest_is(
    compiled: Any, jobs: dict[str, Job], capsys: pytest.CaptureFixture[str]
) -> None:
    many = [{"operator": "Sin", "name": f"sin_{number}", "graph": None, "reason": "no"} for number in range(50)]
    placement.gate(compiled(many), [jobs["vela"]], 0)
    printed = capsys.readouterr().out.splitlines()
    assert len(printed) == 1 + placement.MOST_LINES + 1
    assert printed[-1] == "  ... and 30 more: build/tiny/vela/u55-128/stage.json"
