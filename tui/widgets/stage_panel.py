"""The first tab: how the selected stage or experiment stands, why, and how far it is."""

import math
import textwrap
from collections.abc import Iterable, Sequence
from typing import Any

from textual.app import ComposeResult
from textual.content import Content
from textual.widgets import Label, Sparkline, Static

from pipeline import summary
from tui.facts import words
from tui.facts.board import ExperimentFacts, StageFacts
from tui.widgets import paint
from tui.widgets.failure_card import FailureCard
from tui.widgets.panel import Panel, View


class StagePanel(Panel):
    """State, reasons, progress with its curves, failure, and the facts of the result."""

    def compose(self) -> ComposeResult:
        """Make the parts; those without content hide."""
        yield Static(id="headline")
        yield FailureCard()
        yield Static(id="progress")
        yield Label("loss", id="loss-label", classes="curve")
        yield Sparkline([], id="loss", classes="curve", summary_function=min)
        yield Label("accuracy", id="accuracy-label", classes="curve")
        yield Sparkline([], id="accuracy", classes="curve")
        yield Static(id="facts")

    def draw(self, view: View) -> None:
        """Draw the selected stage, or the experiment."""
        stage = view.stage
        self.query_one("#headline", Static).update(_stage_head(stage) if stage else _experiment_head(view.experiment))
        self.query_one(FailureCard).show(stage)
        shown = stage or next((facts for facts in view.experiment.stages if facts.state == "running"), None)
        self._draw_progress(shown, view)
        facts = _stage_facts(stage, self.columns) if stage else _experiment_facts(view, self.columns)
        self.query_one("#facts", Static).update(paint.lines(facts))

    def _draw_progress(self, stage: StageFacts | None, view: View) -> None:
        running = stage is not None and stage.state == "running"
        progress = stage.latest.progress if stage and stage.latest else None
        line = self.query_one("#progress", Static)
        line.display = running
        if running and stage:
            line.update(paint.lines(progress_lines(stage, view, self.columns)))
        curves = {"loss": _known(progress.losses), "accuracy": _known(progress.accuracies)} if progress else {}
        for name in ("loss", "accuracy"):
            values = curves.get(name, [])
            seen = len(values) > 1 and (stage is view.stage or running)
            self.query_one(f"#{name}-label").display = seen
            curve = self.query_one(f"#{name}", Sparkline)
            curve.display = seen
            if seen:
                self.query_one(f"#{name}-label", Label).update(
                    paint.row(paint.text(name, paint.MUTED), f"  {values[0]:.4g} to {values[-1]:.4g}")
                )
                curve.data = values


def _known(values: Sequence[float]) -> list[float]:
    """Return what can be drawn: a loss that became nan has no height."""
    return [value for value in values if math.isfinite(value)]


def progress_lines(stage: StageFacts, view: View, columns: int) -> list[Content]:
    """Return the bar of a running stage, its time to go, what it says of itself, and what comes next."""
    latest = stage.latest
    progress = latest.progress if latest else None
    since = words.duration(view.now - latest.started) if latest else ""
    following = view.snapshot.next_stage()
    coming = [paint.row(paint.text("next  ", paint.MUTED), following.job.name)] if following else []
    if progress is None:
        return [paint.text(f"{stage.job.name} is starting, {since}"), *coming, Content("")]
    remaining = progress.remaining(view.now)
    to_go = f"{words.duration(remaining)} to go" if remaining is not None else "how long is not known yet"
    said = "   ".join(f"{name} {_value(value)}" if name != "what" else _value(value) for name, value in progress.facts)
    bar = paint.row(paint.bar(progress.share, min(columns - 8, 60)), f" {100 * progress.share:3.0f} %")
    return [bar, paint.text(f"{since} so far, {to_go}"), paint.text(said), *coming, Content("")]


def _stage_head(stage: StageFacts) -> Content:
    parts: list[Content | str] = [
        paint.row(paint.text(stage.job.name, paint.HEADING), "  ", paint.state(stage.state)),
        paint.text(stage.job.stage.summary, paint.MUTED),
    ]
    if stage.record and stage.record.stand_in:
        parts.append(_stand_in(stage.record.stand_in))
    if stage.record:
        parts += [paint.text(f"warning: {text}", "$text-warning") for text in stage.record.warnings]
    if stage.state in {"stale", "waiting", "running", "failed"}:
        parts += _why(stage)
    return paint.lines([*parts, ""])


def _why(stage: StageFacts) -> Iterable[Content]:
    reasons = stage.latest.reasons if stage.state == "running" and stage.latest else stage.reasons
    yield from (paint.row(paint.text("  because  ", paint.MUTED), reason) for reason in reasons)
    if stage.remembered:
        yield paint.text("  its result is remembered and will be restored, not made again")
    if stage.state == "stale" and stage.latest and stage.latest.kind in {"stopped", "running"}:
        yield paint.text("  the last run was stopped before this stage finished")


def _experiment_head(facts: ExperimentFacts) -> Content:
    parts: list[Content | str] = [
        paint.row(paint.text(facts.name, paint.HEADING), "  ", paint.state(facts.state)),
        paint.text(facts.description, paint.MUTED),
    ]
    if facts.problem:
        parts += ["", paint.text(facts.problem), "", paint.row(paint.text("edit it  ", paint.MUTED), "e")]
    if facts.stand_in:
        parts.append(_stand_in(facts.stand_in))
    return paint.lines([*parts, ""])


def _stand_in(name: str) -> Content:
    return paint.text(f"STAND-IN data: {name}, not the data asked for", "$text-warning bold")


def _experiment_facts(view: View, columns: int) -> list[Content | str]:
    stages = view.experiment.stages
    found: list[Content | str] = []
    for stage in stages:
        if stage.note:
            name = stage.job.name.replace(f":{view.experiment.name}", "")
            found.append(paint.row(paint.state(stage.state), f"  {name}"))
            found += [paint.text(f"    {part}") for part in textwrap.wrap(stage.note, max(columns - 4, 20))]
    records = [stage.record for stage in stages if stage.record]
    if stages and len(records) == len(stages):
        stale = any(stage.reasons for stage in stages)
        found += [
            *([""] if found else []),
            paint.text("results, of before what is stale" if stale else "results", paint.HEADING),
        ]
        summed = summary.rows([stage.job for stage in stages], records)
        found += paint.named(
            [(name, ", ".join(filter(None, (value, basis)))) for name, value, basis in summed], columns
        )
    return found


def _stage_facts(stage: StageFacts, columns: int) -> list[Content | str]:
    found: list[Content | str] = []
    record = stage.record
    if record:
        metrics = [
            (name, ", ".join(filter(None, (_value(value), record.basis.get(name)))))
            for name, value in record.metrics.items()
            if value is not None and not isinstance(value, list | dict)
        ]
        metrics += [(name, f"not available: {why}") for name, why in record.unavailable.items()]
        importing = words.duration(record.seconds_importing)
        made = [
            ("took", f"{words.duration(record.seconds)}, {importing} of it importing"),
            ("most memory", words.size(record.peak_memory_bytes)),
            *((name, words.size(facts["bytes"])) for name, facts in record.outputs.items()),
            ("folder", str(stage.job.link)),
        ]
        found += [paint.text("result", paint.HEADING), *paint.named([*metrics, *made], columns)]
    settings = [(name, _value(value)) for name, value in _settings(stage)]
    if settings:
        found += ["", paint.text("settings it reads", paint.HEADING), *paint.named(settings, columns)]
    return found


def _settings(stage: StageFacts) -> Iterable[tuple[str, Any]]:
    for section, table in stage.job.config.items():
        if isinstance(table, dict):
            yield from ((f"{section}.{key}", value) for key, value in table.items())
        else:
            yield section, table


def _value(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:,.4g}" if abs(value) < 1000 else f"{value:,.1f}"  # noqa: PLR2004 - large numbers need no more
    if isinstance(value, int) and not isinstance(value, bool):
        return f"{value:,}"
    return "none" if value is None else str(value)
