"""The dashboard's facts as plain text, for a pipe or the log of a CI run."""

import os
import sys
import time
from collections.abc import Iterator

from pipeline import payback, proof
from pipeline.ladder import Rung
from pipeline.npu import on_cpu
from pipeline.store import resolve
from pipeline.summary import accuracy_record, has_accuracy, placement, why_no_accuracy
from pipeline.tables import percent
from tui.facts import npu, words
from tui.facts.accuracy import UnreadableError
from tui.facts.board import Board, ExperimentFacts, Snapshot, StageFacts


def main() -> int:
    """Print how everything stands."""
    board = Board()
    board.poll()
    board.assess()
    text = "\n".join(lines(board.snapshot(), time.time())) + "\n"
    encoding = sys.stdout.encoding or "ascii"
    try:
        sys.stdout.write(text.encode(encoding, "replace").decode(encoding))
        sys.stdout.flush()
    except BrokenPipeError:  # the reader has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return 0


def lines(snapshot: Snapshot, now: float) -> Iterator[str]:
    """Return what there is to say of a project; a file or a failure can't add lines or colours of its own."""
    return (words.plain(line).replace("\n", " ") for line in _lines(snapshot, now))


def _lines(snapshot: Snapshot, now: float) -> Iterator[str]:
    stages = snapshot.stages()
    stand = "all fresh" if stages and not snapshot.stale else f"{snapshot.stale} not fresh"
    wrong = sum(facts.problem is not None for facts in snapshot.experiments)
    stand += f", {wrong} invalid" if wrong else ""
    many = f"{words.count(len(snapshot.experiments), 'experiment')}, {words.count(len(stages), 'stage')}"
    yield f"Unroll: {many}, {stand}" if snapshot.experiments else "Unroll: no experiments (experiments/*.toml)"
    if snapshot.running and snapshot.run:
        command = " ".join(["doit", *snapshot.run.command])
        yield f"running: {command}, since {words.duration(now - snapshot.run.started)}"
    for facts in snapshot.experiments:
        yield ""
        yield from _experiment(facts, now)


def _experiment(facts: ExperimentFacts, now: float) -> Iterator[str]:
    yield f"{facts.name}  {facts.description}".rstrip()
    if facts.problem:
        yield f"  invalid   {facts.problem}"
    if facts.stand_in:
        yield f"  STAND-IN data: {facts.stand_in}, not the data asked for"
    width = max((len(_name(stage)) for stage in facts.stages), default=0)
    for stage in facts.stages:
        yield f"  {stage.state:<9} {_name(stage):<{width}}  {_beside(stage, now)}".rstrip()
    yield from (
        f"  warning   {_name(stage)}: {text}"
        for stage in facts.stages
        if stage.record
        for text in stage.record.warnings
    )
    yield from _accuracy(facts)
    for stage in facts.stages:
        if stage.job.compiles and stage.record:
            yield from _target(stage)
        elif stage.job.verifies:
            yield from _proof(stage)
    yield from (f"  {name}  {value}  {basis}".rstrip() for name, value, basis in payback.rows(facts.paybacks))


def _name(stage: StageFacts) -> str:
    return f"{stage.job.stage.name} {stage.job.target}" if stage.job.target else stage.job.stage.name


def _beside(stage: StageFacts, now: float) -> str:
    progress = stage.latest.progress if stage.latest and stage.state == "running" else None
    if progress:
        return f"{100 * progress.share:.0f} %"
    if stage.note:
        return stage.note
    record = stage.record
    return f"{words.duration(record.seconds)}, {words.age(now - record.finished)}" if record else ""


def _accuracy(facts: ExperimentFacts) -> Iterator[str]:
    told = accuracy_record(stage.record for stage in facts.stages)
    if told and not has_accuracy(told.metrics):
        yield f"  accuracy  not available: {why_no_accuracy(told)}"
        return
    before = _of_before(facts.stage("accuracy"))
    rungs = facts.ladder
    for basis in dict.fromkeys(rung.basis for rung in rungs):
        shown = [_rung(rung, rungs[0]) for rung in rungs if rung.basis == basis and rung.accuracy is not None]
        if shown:
            yield f"  accuracy  {', '.join(shown)}, {basis}{before}"
    yield from (f"  accuracy  {rung.name}: {rung.reason}" for rung in rungs if rung.accuracy is None)


def _rung(rung: Rung, first: Rung) -> str:
    difference = rung.difference(first) if rung is not first else None
    beside = "" if difference is None else f" ({words.points(difference)})"
    return f"{rung.name} {words.percent(rung.accuracy)}{beside}"


def _proof(stage: StageFacts) -> Iterator[str]:
    if stage.record:
        found = stage.record
        yield f"  {stage.job.target}  {proof.result(found)}, emulated{_of_before(stage)}"
        yield f"    for every input: {proof.for_every_input(found.metrics)}"


def _target(stage: StageFacts) -> Iterator[str]:
    if stage.record is None:
        return
    found = stage.record.metrics
    cycles, sram = "cycles not known", "SRAM not known"
    if found["cycles_total"] is not None:
        cycles = f"{found['cycles_total']:,.0f} cycles, {words.milliseconds(found['inference_ms'])} ms"
    if found["sram_bytes"] is not None:
        sram = f"SRAM {words.size(found['sram_bytes'])}"
    yield (
        f"  {stage.job.target}  {cycles}, {sram}, flash {words.size(found['flash_bytes'])},"
        f" {placement(found, in_full=True)}, estimated{_of_before(stage)}"
    )
    yield from (f"    not known: {why}" for why in dict.fromkeys(stage.record.unavailable.values()))
    yield from (f"    on the CPU: {on_cpu.line(row)}" for row in found["cpu_operators_by_name"])
    try:
        split = npu.bounds(npu.layers(resolve(stage.job.link)))
    except UnreadableError as error:
        yield f"    {error}"
        return
    if not split:
        return
    total = sum(cycles for _, cycles in split) or 1
    shares = [f"{bound} {percent(cycles / total, 1)}" for bound, cycles in split]
    yield f"    cycles by what bounds them: {', '.join(shares)}"


def _of_before(stage: StageFacts | None) -> str:
    return " (of before what is stale)" if stage and stage.reasons else ""
