"""What the dashboard shows as plain text, for a pipe or the log of a CI run."""

import os
import sys
import time
from collections.abc import Iterator

from pipeline.engine.job_graph import Job
from pipeline.engine.results.record import Record
from pipeline.engine.results.store import resolve
from pipeline.metrics import by_group, costs
from pipeline.npu import on_cpu
from pipeline.text.tables import percent
from pipeline.views import accuracies, metric_rows, uncompressed, verified
from pipeline.views.accuracies import Rung
from pipeline.views.metric_rows import known, placement
from tui.data import formats, operators
from tui.data.artefacts import UnreadableError
from tui.data.project import ExperimentStatus, ProjectWatcher, Snapshot, StageStatus


def main() -> int:
    """Print how everything stands."""
    watcher = ProjectWatcher()
    watcher.poll()
    watcher.assess()
    text = "\n".join(lines(watcher.snapshot(), time.time())) + "\n"
    encoding = sys.stdout.encoding or "ascii"
    try:
        sys.stdout.write(text.encode(encoding, "replace").decode(encoding))
        sys.stdout.flush()
    except BrokenPipeError:  # the reader has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return 0


def lines(snapshot: Snapshot, now: float) -> Iterator[str]:
    """Return what there is to say of a project; a file or a failure can't add lines or colours of its own."""
    return (formats.plain(line).replace("\n", " ") for line in _lines(snapshot, now))


def _lines(snapshot: Snapshot, now: float) -> Iterator[str]:
    stages = snapshot.stages()
    stand = "all fresh" if stages and not snapshot.stale else f"{snapshot.stale} not fresh"
    wrong = sum(experiment.problem is not None for experiment in snapshot.experiments)
    stand += f", {wrong} invalid" if wrong else ""
    many = f"{formats.count(len(snapshot.experiments), 'experiment')}, {formats.count(len(stages), 'stage')}"
    yield f"Unroll: {many}, {stand}" if snapshot.experiments else "Unroll: no experiments (experiments/*.toml)"
    if snapshot.running and snapshot.run:
        command = " ".join(["doit", *snapshot.run.command])
        yield f"running: {command}, since {formats.duration(now - snapshot.run.started)}"
    for experiment in snapshot.experiments:
        yield ""
        yield from _experiment(experiment, now)


def _experiment(experiment: ExperimentStatus, now: float) -> Iterator[str]:
    yield f"{experiment.name}  {experiment.description}".rstrip()
    if experiment.problem:
        yield f"  invalid   {experiment.problem}"
    if experiment.stand_in:
        yield f"  STAND-IN data: {experiment.stand_in}, not the data asked for"
    width = max((len(_name(stage)) for stage in experiment.stages), default=0)
    for stage in experiment.stages:
        yield f"  {stage.state:<9} {_name(stage):<{width}}  {_beside(stage, now)}".rstrip()
    yield from (
        f"  warning   {_name(stage)}: {text}"
        for stage in experiment.stages
        if stage.record
        for text in stage.record.warnings
    )
    yield from _accuracy(experiment)
    for stage in experiment.stages:
        if stage.job.compiles and stage.record:
            yield from _target(stage)
        elif stage.job.verifies:
            yield from _proof(stage)
    yield from (f"  {name}  {value}  {basis}".rstrip() for name, value, basis in uncompressed.rows(experiment.paybacks))


def _name(stage: StageStatus) -> str:
    return f"{stage.job.stage.name} {stage.job.target}" if stage.job.target else stage.job.stage.name


def _beside(stage: StageStatus, now: float) -> str:
    progress = stage.latest.progress if stage.latest and stage.state == "running" else None
    if progress:
        return f"{100 * progress.share:.0f} %"
    if stage.note:
        return stage.note
    record = stage.record
    return f"{formats.duration(record.seconds)}, {formats.age(now - record.finished)}" if record else ""


def _accuracy(experiment: ExperimentStatus) -> Iterator[str]:
    record = accuracies.scored_record(stage.record for stage in experiment.stages)
    if record and accuracies.score(record.metrics) is None:
        yield f"  accuracy  not available: {accuracies.why_no_score(record)}"
        return
    rungs = experiment.ladder
    previous = _from_previous_build(next((stage for stage in experiment.stages if stage.record is record), None))
    for basis in dict.fromkeys(rung.basis for rung in rungs):
        scores = [_rung(rung, rungs[0]) for rung in rungs if rung.basis == basis and rung.score is not None]
        if scores:
            yield f"  accuracy  {', '.join(scores)}, {basis}{previous}"
    yield from (f"  accuracy  {rung.name}: {rung.reason}" for rung in rungs if rung.score is None)
    yield from (
        f"  {name}  {value}, {basis}"
        for stage in experiment.stages
        if stage.record and not stage.job.compiles
        for name, value, basis in metric_rows.rows(stage.job, stage.record, worded=False)
    )


def _rung(rung: Rung, first: Rung) -> str:
    beside = rung.beside(first)
    return f"{rung.name} {rung.shown}{f' ({beside})' if beside else ''}"


def _proof(stage: StageStatus) -> Iterator[str]:
    if stage.record:
        record = stage.record
        yield f"  {stage.job.target}  {verified.result(record)}, emulated{_from_previous_build(stage)}"
        yield f"    for every input: {verified.for_every_input(record.metrics)}"


def _target(stage: StageStatus) -> Iterator[str]:
    if stage.record is None:
        return
    record = stage.record
    yield (
        f"  {stage.job.target}  {', '.join(_costs(stage.job, record))}, {placement(record.metrics, in_full=True)},"
        f" estimated{_from_previous_build(stage)}"
    )
    yield from (f"    not known: {why}" for why in dict.fromkeys(record.unavailable.values()))
    yield from (f"    on the CPU: {on_cpu.line(row)}" for row in record.metrics["cpu_operators_by_name"])
    try:
        split = operators.cycles_by_bound(operators.read_operators(resolve(stage.job.link)))
    except UnreadableError as error:
        yield f"    {error}"
        return
    if not split:
        return
    total = sum(cycles for _, cycles in split) or 1
    shares = [f"{bound} {percent(cycles / total, 1)}" for bound, cycles in split]
    yield f"    cycles by what bounds them: {', '.join(shares)}"


def _costs(job: Job, record: Record) -> Iterator[str]:
    """Tell what a target costs; of a group that is not known at all, only the first."""
    of_job = [metric for metric in costs(job.stage.metrics) if not metric.worded]
    for _, metrics in by_group(of_job):
        unknown = [metric for metric in metrics if metric.of(record.metrics) is None]
        yield from (f"{metric.title} not known" for metric in unknown[:1])
        yield from filter(None, [known(metrics, record)])


def _from_previous_build(stage: StageStatus | None) -> str:
    return " (from the previous build)" if stage and stage.reasons else ""
