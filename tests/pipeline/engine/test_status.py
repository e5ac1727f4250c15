import dataclasses
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from pipeline.data.sources.npz import Npz
from pipeline.engine import status
from pipeline.engine.job_graph import Job
from pipeline.engine.project import Project
from pipeline.engine.results.record import SCHEMA
from pipeline.engine.results.store import resolve
from pipeline.engine.status import Assessor, State
from tests.pipeline.records import a_record


def _make(project: Project, job: Job, state: State, content: str, **facts: Any) -> None:
    """Publish a result for what would go in now."""
    assert state.inputs is not None
    assert state.key is not None
    with project.store.scratch_folder() as scratch:
        result = scratch / "result"
        result.mkdir()
        (result / "artefact").write_text(content)
        outcome = a_record(
            stage=job.stage.name,
            experiment=job.experiment,
            target=job.target,
            key=state.key,
            inputs=state.inputs,
            outputs=project.store.describe_outputs(result),
        )
        project.store.publish(result, replace(outcome, **facts), job.link)


def _build_all(project: Project, jobs: dict[str, Job]) -> None:
    for job in jobs.values():
        _make(project, job, _states(project, jobs)[job.stage.name], job.stage.name)


def _states(project: Project, jobs: dict[str, Job]) -> dict[str, State]:
    states = status.assess_all(project, jobs.values())
    return {job.stage.name: states[job.name] for job in jobs.values()}


def _with(jobs: dict[str, Job], stage: str, section: str, **keys: Any) -> dict[str, Job]:
    """Change what a job reads of its experiment, and hand the change to those that need it."""
    changed: dict[str, Job] = {}
    for name, job in jobs.items():
        needs = {what: changed[need.stage.name] for what, need in job.needs.items()}
        sections = dict(job.sections)
        if name == stage:
            sections[section] = replace(sections[section], **keys)
        changed[name] = dataclasses.replace(job, needs=needs, sections=sections)
    return changed


def test_nothing_built_is_stale_and_says_so(jobs: dict[str, Job], workplace: Project) -> None:
    states = _states(workplace, jobs)
    assert states["dataset"].reasons == ("never built",)
    assert states["vela"].reasons == ("never built", "downstream of quantized")


def test_everything_built_is_fresh(jobs: dict[str, Job], workplace: Project) -> None:
    _build_all(workplace, jobs)
    assert all(state.fresh for state in _states(workplace, jobs).values())


def test_a_changed_setting_is_told_as_before_and_after(jobs: dict[str, Job], workplace: Project) -> None:
    _build_all(workplace, jobs)
    changed = _with(jobs, "quantized", "quantization", representative_samples=99)
    states = _states(workplace, changed)
    assert states["quantized"].reasons == ("representative_samples 20 -> 99",)
    assert states["vela"].reasons == ("downstream of quantized",)
    assert states["unrolled"].fresh


def test_a_key_that_came_or_went_is_told(jobs: dict[str, Job], workplace: Project) -> None:
    _build_all(workplace, jobs)
    states = _states(workplace, _with(jobs, "network", "model", units=8, rows_per_step=4))
    assert set(states["network"].reasons) == {"units 16 -> 8", "rows_per_step nothing -> 4"}


def test_changed_content_upstream_is_told_by_file(jobs: dict[str, Job], workplace: Project) -> None:
    _build_all(workplace, jobs)
    _make(workplace, jobs["network"], _states(workplace, jobs)["network"], "other weights")
    assert _states(workplace, jobs)["unrolled"].reasons == ("artefact changed",)


def test_the_same_content_made_again_stops_there(jobs: dict[str, Job], workplace: Project) -> None:
    _build_all(workplace, jobs)
    _make(workplace, jobs["network"], _states(workplace, jobs)["network"], "network")
    assert all(state.fresh for state in _states(workplace, jobs).values())


def test_a_remembered_result_is_known_before_it_is_restored(jobs: dict[str, Job], workplace: Project) -> None:
    _build_all(workplace, jobs)
    changed = _with(jobs, "vela", "target", optimise="Size")
    _make(workplace, changed["vela"], _states(workplace, changed)["vela"], "smaller")
    state = _states(workplace, jobs)["vela"]
    assert (state.fresh, state.remembered) == (False, True)


def test_a_result_of_another_key_is_not_said_to_be_remembered(jobs: dict[str, Job], workplace: Project) -> None:
    _build_all(workplace, jobs)
    changed = _with(jobs, "vela", "target", optimise="Size")
    home = resolve(jobs["vela"].link)
    wanted = _states(workplace, changed)["vela"].key
    home.rename(home.with_name(f"{wanted}.{home.name.partition('.')[2]}"))
    assert not _states(workplace, changed)["vela"].remembered


def test_what_a_remembered_result_feeds_is_not_said_to_be_stale(jobs: dict[str, Job], workplace: Project) -> None:
    _build_all(workplace, jobs)
    changed = _with(jobs, "quantized", "quantization", representative_samples=99)
    _make(workplace, changed["quantized"], _states(workplace, changed)["quantized"], "other model")
    states = _states(workplace, jobs)
    assert states["quantized"].remembered
    assert states["vela"].fresh, "once the earlier model is restored, this is what was compiled from it"


def test_a_damaged_result_is_not_said_to_be_remembered(jobs: dict[str, Job], workplace: Project) -> None:
    _build_all(workplace, jobs)
    artefact = jobs["quantized"].link / "artefact"
    artefact.unlink()
    artefact.write_text("changed by hand")
    states = _states(workplace, jobs)
    assert (states["quantized"].reasons, states["quantized"].remembered) == (("artefact was changed by hand",), False)
    assert states["vela"].reasons == ("downstream of quantized",)


def test_what_doit_forgot_is_stale_though_its_result_is_whole(jobs: dict[str, Job], workplace: Project) -> None:
    _build_all(workplace, jobs)
    workplace.forgotten.add(jobs["unrolled"].name)
    state = _states(workplace, jobs)["unrolled"]
    assert (state.fresh, state.in_place) == (False, True)
    assert "doit forget" in state.reasons[0]
    assert _states(workplace, jobs)["quantized"].fresh, "what is made of it is as good as before"


def test_a_result_that_can_not_be_read_says_why(jobs: dict[str, Job], workplace: Project) -> None:
    _build_all(workplace, jobs)
    record = jobs["accuracy"].link / "stage.json"
    record.unlink()
    record.write_text("{")
    assert _states(workplace, jobs)["accuracy"].reasons == ("stage.json is truncated or not ours",)


def test_an_own_data_file_counts_by_its_content_not_by_its_path(jobs: dict[str, Job], workplace: Project) -> None:
    for name in ("here.npz", "there"):
        (workplace.root / name).write_bytes(b"data")
    here, there = (
        Assessor(workplace)
        .assess(dataclasses.replace(jobs["dataset"], sections={"dataset": Npz(path=path)}), {})
        .inputs
        for path in ("here.npz", "there")
    )
    assert here is not None
    assert there is not None
    assert list(here["files"].values()) == list(there["files"].values())
    assert here["config"] == there["config"]


def test_who_watches_all_day_sees_what_doit_forgot_when_it_looks_again(
    jobs: dict[str, Job], workplace: Project
) -> None:
    _build_all(workplace, jobs)
    assessor, job = Assessor(workplace), jobs["dataset"]
    workplace.forgotten.add(job.name)
    assert assessor.assess(job, {}).fresh
    assessor.look_again()
    assert not assessor.assess(job, {}).fresh
    assessor.remember(job)
    assert assessor.assess(job, {}).fresh, "it was made"
    assert workplace.forgotten.names() == frozenset()


def _delete(record: Path) -> None:
    record.unlink()


def _truncate(record: Path) -> None:
    record.write_bytes(record.read_bytes()[:100])


def _empty(record: Path) -> None:
    record.write_bytes(b"")


def _age(record: Path) -> None:
    record.write_bytes(record.read_bytes().replace(b'"schema": 2', b'"schema": 0'))


def _replace_by_a_folder(record: Path) -> None:
    record.unlink()
    record.mkdir()


def _let_the_clock_tick(folder: Path) -> None:
    """Wait until a change has another time than all that were before: within one tick it would not show."""
    probe = folder / "probe"
    probe.touch()
    before = probe.stat().st_ctime_ns
    while probe.stat().st_ctime_ns == before:
        probe.touch()


@pytest.mark.parametrize(
    ("damage", "says"),
    [
        (_delete, "stage.json is missing"),
        (_truncate, "stage.json is truncated or not ours"),
        (_empty, "stage.json is truncated or not ours"),
        (_age, f"stage.json has schema 0, this version writes {SCHEMA}"),
        (_replace_by_a_folder, "stage.json can't be read: Is a directory"),
    ],
)
def test_who_watches_all_day_sees_a_record_that_was_damaged_after_it_was_read(
    jobs: dict[str, Job], damage: Callable[[Path], None], says: str, workplace: Project
) -> None:
    _build_all(workplace, jobs)
    assessor = Assessor(workplace)
    job = jobs["dataset"]
    assert assessor.assess(job, {}).fresh
    _let_the_clock_tick(job.link.parent)
    record = job.link / "stage.json"
    whole = record.read_bytes()
    damage(record)
    state = assessor.assess(job, {})
    assert (state.fresh, state.record, state.reasons) == (False, None, (says,))
    assert not state.remembered
    _let_the_clock_tick(job.link.parent)
    record.rmdir() if record.is_dir() else record.unlink(missing_ok=True)
    record.write_bytes(whole)
    assert assessor.assess(job, {}).fresh, "and that it was put back"


def test_who_watches_all_day_sees_a_result_that_was_made_again(jobs: dict[str, Job], workplace: Project) -> None:
    _build_all(workplace, jobs)
    assessor = Assessor(workplace)
    before = assessor.assess(jobs["dataset"], {})
    _make(workplace, jobs["dataset"], before, "other data", metrics={"samples": 3})
    after = assessor.assess(jobs["dataset"], {}).record
    assert after is not None
    assert after.metrics == {"samples": 3}


def test_who_watches_all_day_sees_a_result_that_was_removed(jobs: dict[str, Job], workplace: Project) -> None:
    _build_all(workplace, jobs)
    assessor = Assessor(workplace)
    assert assessor.assess(jobs["dataset"], {}).fresh
    jobs["dataset"].link.unlink()
    state = assessor.assess(jobs["dataset"], {})
    assert (state.reasons, state.remembered) == (("never built",), True)
