"""The first tab: how the selected stage or experiment stands, why, and how far it is."""

import math
import textwrap
from collections.abc import Iterable, Sequence
from typing import Any

from textual.app import ComposeResult
from textual.content import Content
from textual.widgets import Label, Sparkline, Static

from pipeline.engine.results.record import Record
from pipeline.views import summary
from tui.data import formats
from tui.data.project import ExperimentStatus, StageStatus
from tui.data.view import View
from tui.widgets import styling
from tui.widgets.details_tab import TextTab
from tui.widgets.failure_card import FailureCard


class StageTab(TextTab):
    """State, reasons, progress with its curves, failure, and the numbers of the result."""

    TITLE = "Stage"
    ORDER = 1

    DEFAULT_CSS = """
    StageTab {
        .curve { margin: 0; height: 1; }
        Sparkline.curve { height: 2; margin-bottom: 1; width: 100%; max-width: 70; }
    }
    """

    def compose(self) -> ComposeResult:
        """Make the parts; those without content hide."""
        yield Static(id="headline")
        yield FailureCard()
        yield Static(id="progress")
        yield Label("loss", id="loss-label", classes="curve")
        yield Sparkline([], id="loss", classes="curve", summary_function=min)
        yield Label("accuracy", id="accuracy-label", classes="curve")
        yield Sparkline([], id="accuracy", classes="curve")
        yield Static(id="result")

    def draw(self, view: View) -> None:
        """Draw the selected stage, or the experiment."""
        stage = view.stage
        self.query_one("#headline", Static).update(_stage_head(stage) if stage else _experiment_head(view.experiment))
        self.query_one(FailureCard).show(stage)
        watched = stage or next((each for each in view.experiment.stages if each.state == "running"), None)
        self._draw_progress(watched, view)
        lines = _stage_lines(stage, self.columns) if stage else _experiment_lines(view, self.columns)
        self.query_one("#result", Static).update(styling.lines(lines))

    def _draw_progress(self, stage: StageStatus | None, view: View) -> None:
        running = stage is not None and stage.state == "running"
        progress = stage.latest.progress if stage and stage.latest else None
        line = self.query_one("#progress", Static)
        line.display = running
        if running and stage:
            line.update(styling.lines(progress_lines(stage, view, self.columns)))
        curves = {"loss": _known(progress.losses), "accuracy": _known(progress.accuracies)} if progress else {}
        for name in ("loss", "accuracy"):
            values = curves.get(name, [])
            seen = len(values) > 1 and (stage is view.stage or running)
            self.query_one(f"#{name}-label").display = seen
            curve = self.query_one(f"#{name}", Sparkline)
            curve.display = seen
            if seen:
                self.query_one(f"#{name}-label", Label).update(
                    styling.row(styling.text(name, styling.MUTED), f"  {values[0]:.4g} to {values[-1]:.4g}")
                )
                curve.data = values


def _known(values: Sequence[float]) -> list[float]:
    """Return what can be drawn: a loss that became nan has no height."""
    return [value for value in values if math.isfinite(value)]


def progress_lines(stage: StageStatus, view: View, columns: int) -> list[Content]:
    """Return the bar of a running stage, its time to go, what it says of itself, and what comes next."""
    latest = stage.latest
    progress = latest.progress if latest else None
    since = formats.duration(view.now - latest.started) if latest else ""
    following = view.snapshot.next_stage()
    coming = [styling.row(styling.text("next  ", styling.MUTED), following.job.name)] if following else []
    if progress is None:
        return [styling.text(f"{stage.job.name} is starting, {since}"), *coming, Content("")]
    remaining = progress.remaining(view.now)
    to_go = f"{formats.duration(remaining)} to go" if remaining is not None else "how long is not known yet"
    report = "   ".join(
        f"{name} {_value(value)}" if name != "what" else _value(value) for name, value in progress.report
    )
    bar = styling.row(styling.bar(progress.share, min(columns - 8, 60)), f" {100 * progress.share:3.0f} %")
    return [bar, styling.text(f"{since} so far, {to_go}"), styling.text(report), *coming, Content("")]


def _stage_head(stage: StageStatus) -> Content:
    parts: list[Content | str] = [
        styling.row(styling.text(stage.job.name, styling.HEADING), "  ", styling.state(stage.state)),
        styling.text(stage.job.stage.summary, styling.MUTED),
    ]
    if stage.record and stage.record.stand_in:
        parts.append(_stand_in(stage.record.stand_in))
    if stage.record:
        parts += [styling.text(f"warning: {text}", "$text-warning") for text in stage.record.warnings]
    if stage.state in {"stale", "waiting", "running", "failed"}:
        parts += _why(stage)
    return styling.lines([*parts, ""])


def _why(stage: StageStatus) -> Iterable[Content]:
    reasons = stage.latest.reasons if stage.state == "running" and stage.latest else stage.reasons
    yield from (styling.row(styling.text("  because  ", styling.MUTED), reason) for reason in reasons)
    if stage.remembered:
        yield styling.text("  its result is remembered and will be restored, not made again")
    if stage.state == "stale" and stage.latest and stage.latest.kind in {"stopped", "running"}:
        yield styling.text("  the last run was stopped before this stage finished")


def _experiment_head(experiment: ExperimentStatus) -> Content:
    parts: list[Content | str] = [
        styling.row(styling.text(experiment.name, styling.HEADING), "  ", styling.state(experiment.state)),
        styling.text(experiment.description, styling.MUTED),
    ]
    if experiment.problem:
        parts += ["", styling.text(experiment.problem), "", styling.row(styling.text("edit it  ", styling.MUTED), "e")]
    if experiment.stand_in:
        parts.append(_stand_in(experiment.stand_in))
    return styling.lines([*parts, ""])


def _stand_in(name: str) -> Content:
    return styling.text(f"STAND-IN data: {name}, not the data asked for", "$text-warning bold")


def _experiment_lines(view: View, columns: int) -> list[Content | str]:
    stages = view.experiment.stages
    lines: list[Content | str] = []
    for stage in stages:
        if stage.note:
            name = stage.job.name.replace(f":{view.experiment.name}", "")
            lines.append(styling.row(styling.state(stage.state), f"  {name}"))
            lines += [styling.text(f"    {part}") for part in textwrap.wrap(stage.note, max(columns - 4, 20))]
    records = [stage.record for stage in stages if stage.record]
    if stages and len(records) == len(stages):
        stale = any(stage.reasons for stage in stages)
        title = "results; what is stale is from the previous build" if stale else "results"
        summed = summary.rows([stage.job for stage in stages], records)
        lines += [*([""] if lines else []), styling.text(title, styling.HEADING)]
        lines += styling.named(
            [(name, ", ".join(filter(None, (value, basis)))) for name, value, basis in summed], columns
        )
    return lines


def _stage_lines(stage: StageStatus, columns: int) -> list[Content | str]:
    lines: list[Content | str] = []
    record = stage.record
    if record:
        metrics = [
            (name, ", ".join(filter(None, (_value(value), record.basis.get(name.partition(".")[0])))))
            for name, value in _numbers(stage, record)
            if value is not None and not isinstance(value, list | dict)
        ]
        metrics += [(name, f"not available: {why}") for name, why in record.unavailable.items()]
        importing = formats.duration(record.seconds_importing)
        making = [
            ("took", f"{formats.duration(record.seconds)}, {importing} of it importing"),
            ("most memory", formats.size(record.peak_memory_bytes)),
            *((name, formats.size(output["bytes"])) for name, output in record.outputs.items()),
            ("folder", str(stage.job.shown_link)),
        ]
        lines += [styling.text("result", styling.HEADING), *styling.named([*metrics, *making], columns)]
    settings = [(name, _value(value)) for name, value in _settings(stage)]
    if settings:
        lines += ["", styling.text("settings it reads", styling.HEADING), *styling.named(settings, columns)]
    return lines


def _numbers(stage: StageStatus, record: Record) -> Iterable[tuple[str, Any]]:
    """Return what was found, by the names that scripts know; of a table, the numbers that the stage declares."""
    yield from record.metrics.items()
    yield from ((metric.name, metric.of(record.metrics)) for metric in stage.job.stage.metrics if "." in metric.name)


def _settings(stage: StageStatus) -> Iterable[tuple[str, Any]]:
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
