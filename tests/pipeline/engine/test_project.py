"""Several projects in one process, wherever it runs."""

import json
import shutil
from pathlib import Path

from pipeline.engine import job_graph
from pipeline.engine.build import Build
from pipeline.engine.job_graph import Job
from pipeline.engine.project import Project
from pipeline.engine.status import assess_all
from pipeline.experiments import experiment
from tests.conftest import ROOT
from tests.pipeline.engine.test_build import Stages

INI = """
[System_Config.mine]
core_clock=500e6
axi0_port=Sram
axi1_port=OffChipFlash
Sram_clock_scale=1.0
OffChipFlash_clock_scale=0.25

[Memory_Mode.mine]
const_mem_area=Axi1
arena_mem_area=Axi0
cache_mem_area=Axi0
"""


def lay_out(folder: Path, **changes: str) -> tuple[Project, dict[str, Job]]:
    """Lay out a project with tiny, in which some text is changed; return it with the jobs by stage."""
    project = Project(folder)
    project.experiments.mkdir(parents=True)
    text = (ROOT / "experiments" / "tiny.toml").read_text(encoding="utf-8")
    for before, after in changes.items():
        assert before in text
        text = text.replace(before, after)
    (project.experiments / "tiny.toml").write_text(text, encoding="utf-8")
    project.build.mkdir()
    jobs = job_graph.jobs("tiny", experiment.load("tiny", project.experiments), root=project.root)
    return project, {job.stage.name: job for job in jobs}


def test_two_projects_in_one_process_know_nothing_of_each_other(tmp_path: Path) -> None:
    one, jobs = lay_out(tmp_path / "one")
    two, others = lay_out(tmp_path / "two")
    build = Build(one, Stages())
    build.make(jobs["dataset"])

    assert build.state(jobs["dataset"]).fresh
    assert Build(two, Stages()).state(others["dataset"]).reasons == ("never built",)
    assert one.lock.held_by()
    assert two.lock.held_by() is None
    assert [event["event"] for event in one.events.follow().new()][:2] == ["run_started", "stage_started"]
    assert list(two.events.follow().new()) == []
    assert (len(one.store.records()), two.store.records()) == (1, [])
    Build(two, Stages()).make(others["dataset"])
    assert others["dataset"].link.resolve().is_relative_to(two.root)
    build.end([])


def test_what_users_read_starts_at_the_root(tmp_path: Path) -> None:
    project, jobs = lay_out(tmp_path / "mine")
    assert jobs["vela"].shown_link == Path("build/tiny/vela/u55-128")
    assert jobs["vela"].shown_log == Path("build/logs/vela.tiny.u55-128.log")
    assert jobs["vela"].log == project.root / "build/logs/vela.tiny.u55-128.log"
    assert project.shown(project.build / "tiny") == "build/tiny"
    assert project.shown(Path("/elsewhere")) == "/elsewhere"


def test_in_the_working_directory_paths_are_relative_as_users_know_them() -> None:
    project = Project()
    assert (project.build, project.store.folder) == (Path("build"), Path("build/.store"))
    assert project.shown(project.logs) == "build/logs"


def test_the_users_own_files_are_looked_for_from_the_root(tmp_path: Path) -> None:
    folder = tmp_path / "mine"
    folder.mkdir()
    (folder / "mine.ini").write_text(INI, encoding="utf-8")
    (folder / "mine.npz").write_bytes(b"data")
    target = {
        'system_config = "Ethos_U55_High_End_Embedded"': 'system_config = "mine"\nconfig = "mine.ini"',
        'memory_mode = "Shared_Sram"': 'memory_mode = "mine"',
        'name = "digits"': 'name = "npz"\npath = "mine.npz"',
    }
    project, jobs = lay_out(folder, **target)
    build = Build(project, Stages())

    build.make(jobs["dataset"])

    state = build.state(jobs["dataset"])
    assert state.record is not None
    assert state.record.inputs["files"]["mine.npz"] == project.hashes.sha256(folder / "mine.npz")
    (folder / "mine.npz").write_bytes(b"other data")
    assert build.state(jobs["dataset"]).reasons == ("mine.npz changed",)
    build.end([])


def test_a_project_that_was_moved_is_as_fresh_as_before(tmp_path: Path) -> None:
    project, jobs = lay_out(tmp_path / "before")
    build = Build(project, Stages())
    for job in jobs.values():
        build.make(job)
    build.end([])
    shutil.move(project.root, tmp_path / "after")
    moved = Project(tmp_path / "after")
    again = job_graph.jobs("tiny", experiment.load("tiny", moved.experiments), root=moved.root)

    assert all(state.fresh for state in assess_all(moved, again).values())
    assert json.dumps([job.shown_link.as_posix() for job in again]).count("before") == 0
