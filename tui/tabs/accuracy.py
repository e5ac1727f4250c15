"""The accuracy tab: the ladder, the classes, the confusion matrix, and the samples that changed class."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from textual import work
from textual.app import ComposeResult
from textual.content import Content
from textual.message import Message
from textual.widgets import Static

from pipeline.engine.project import Project
from pipeline.engine.results.record import Record
from pipeline.engine.results.store import resolve
from pipeline.views import accuracies, budget, metric_rows, verified
from pipeline.views.accuracies import QUANTIZED, Rung
from pipeline.views.budget import Verdict
from tui.data import accuracy, formats, role_losses
from tui.data.artefacts import UnreadableError
from tui.data.project import ExperimentStatus, StageStatus
from tui.data.view import View
from tui.widgets import sample_picture, styling
from tui.widgets.accuracy_bars import class_lines, ladder_lines
from tui.widgets.confusion_table import confusion_lines
from tui.widgets.details_tab import TextTab
from tui.widgets.role_table import role_lines

MOST_SAMPLES = 12


class AccuracyTab(TextTab):
    """Accuracies of every rung, measured over the whole test set."""

    TITLE = "Accuracy"
    ORDER = 2

    @dataclass
    class SamplesDrawn(Message):
        """The samples that changed class are drawn, in a thread of its own."""

        drawn: Content
        key: object
        """For what; something else may have been selected meanwhile."""

    def __init__(self) -> None:
        """Show nothing yet."""
        super().__init__()
        self._samples_of: tuple[str, Record] | None = None

    def compose(self) -> ComposeResult:
        """Make a place for the numbers and one for the samples, which come later."""
        yield Static(id="ladder")
        yield Static(id="samples")

    def key(self, view: View) -> object:
        """Return the result, why it is stale, the budgets, and the results of the compiled files."""
        stage = accuracy_stage(view.experiment)
        record = stage.record if stage else None
        why = (stage.reasons, stage.note if record is None else "") if stage else ()
        proofs = [proven.record for proven in view.all_of("verify")]
        return view.experiment.name, record, why, view.experiment.verdicts, self.columns, proofs

    def draw(self, view: View) -> None:
        """Draw the experiment's accuracy; the samples come later, from a thread."""
        stage = accuracy_stage(view.experiment)
        record = stage.record if stage else None
        samples_of = (view.experiment.name, record) if record else None
        if samples_of is None or samples_of != self._samples_of:  # else they stay until drawn for the new width
            self.query_one("#samples", Static).update("")
        self._samples_of = samples_of
        self.query_one("#ladder", Static).update(accuracy_text(view, self.columns))
        if stage and record and accuracies.score(record.metrics) is not None:
            project, color = view.snapshot.project, not self.app.no_color
            self._draw_samples(project, stage, self.drawn_key, columns=self.columns, color=color)

    @work(thread=True, exclusive=True, group="samples")
    def _draw_samples(self, project: Project, stage: StageStatus, key: object, *, columns: int, color: bool) -> None:
        if stage.record is None:
            return
        from tui.data import changed_samples  # noqa: PLC0415 - reads arrays, which nothing else here does

        record, folder = stage.record, resolve(stage.job.link)
        data = folder.parent / "dataset"
        try:
            samples = changed_samples.read_changed_samples(project, record, folder, data, MOST_SAMPLES)
        except UnreadableError as error:
            drawn = styling.text(str(error), "$text-error")
        else:
            drawn = sample_picture.gallery(samples, record.metrics["changed_predictions"], columns, color=color)
        self.post_message(self.SamplesDrawn(drawn, key))  # which goes nowhere when the dashboard ends meanwhile

    def on_accuracy_tab_samples_drawn(self, message: SamplesDrawn) -> None:
        """Show the samples, unless something else was selected meanwhile."""
        message.stop()
        if message.key == self.drawn_key:
            self.query_one("#samples", Static).update(message.drawn)


def accuracy_stage(experiment: ExperimentStatus) -> StageStatus | None:
    """Return the stage that tells the accuracies; of a model made elsewhere, the quantized one."""
    return experiment.stage("accuracy") or experiment.stage("quantized")


def accuracy_text(view: View, columns: int) -> Content:
    """Return all that the tab shows but the samples."""
    stage = accuracy_stage(view.experiment)
    record = stage.record if stage else None
    if stage is None or record is None:
        why = stage.note if stage else "the experiment's file has a mistake"
        return styling.lines([styling.text("no accuracy yet", styling.HEADING), why])
    if accuracies.score(record.metrics) is None:
        return styling.lines(_without_accuracy(record, view, columns))
    return styling.lines(_lines(stage, record, view, columns))


def _without_accuracy(record: Record, view: View, columns: int) -> list[Content | str]:
    lines: list[Content | str] = [
        styling.text("accuracy not available", styling.HEADING),
        accuracies.why_no_score(record),
    ]
    proved = _proof_lines(view.all_of("verify"), columns)
    return [*lines, "", *proved] if proved else lines


def _lines(stage: StageStatus, record: Record, view: View, columns: int) -> list[Content | str]:
    rungs = view.experiment.ladder
    lines: list[Content | str] = []
    if stage.reasons:
        lines += [styling.row(styling.state("stale"), f"  {formats.from_previous_build(stage.reasons)}"), ""]
    if record.stand_in:
        lines += [styling.text(f"on STAND-IN data: {record.stand_in}", "$text-warning bold"), ""]
    bases = " and ".join(dict.fromkeys(rung.basis for rung in rungs if rung.score is not None))
    title = f"accuracy over {record.metrics['test_samples']:,} test samples, {bases}"
    lines += [styling.text(title, styling.HEADING)]
    lines += ladder_lines(rungs, columns)
    lines += _proof_lines(view.all_of("verify"), columns)
    lines += [*_budget_lines(view.experiment.verdicts, columns), _changed(record)]
    lines += [*styling.named(_others(stage, record), columns), *_before(view, record, rungs), ""]
    lines += class_lines(accuracy.by_class(record), columns)
    try:
        confusions = accuracy.read_confusions(resolve(stage.job.link))
    except UnreadableError as error:
        return [*lines, "", styling.text(str(error), "$text-error")]
    name = accuracies.name_of(QUANTIZED, record.metrics)
    lines += ["", *confusion_lines(name, confusions.get(QUANTIZED, []), columns), ""]
    return [*lines, *_role_lines(resolve(stage.job.link.with_name("quantized")), columns)]


def _role_lines(quantized: Path, columns: int) -> list[Content]:
    try:
        return role_lines(role_losses.read_role_losses(quantized), columns)
    except UnreadableError as error:
        return [styling.text(str(error), "$text-error")]


def _proof_lines(stages: Sequence[StageStatus], columns: int) -> list[Content]:
    """Say of every target how its compiled file compares with the quantized model."""
    rows = [
        (f"{stage.job.target}, emulated", text)
        for stage in stages
        if stage.record
        for text in (
            f"{verified.result(stage.record)}; for every input: {verified.for_every_input(stage.record.metrics)}",
        )
    ]
    others = [row for stage in stages if stage.record for row in _others(stage, stage.record)]
    return styling.named([*rows, *others], columns)


def _others(stage: StageStatus, record: Record) -> list[tuple[str, str]]:
    """Return what a stage found out that nothing else here tells."""
    return [(name, f"{value}, {basis}") for name, value, basis in metric_rows.rows(stage.job, record, worded=False)]


def _budget_lines(verdicts: Sequence[Verdict], columns: int) -> list[Content]:
    """Say of each limit that all targets share whether it is kept."""
    rows: list[styling.Cells] = [
        [_word(verdict), f"{name} {allowed}: {verdict.unavailable or value}"]
        for verdict in verdicts
        if verdict.target is None
        for name, _, allowed, value, *_ in (budget.cells(verdict),)
    ]
    return [styling.text("budget", styling.HEADING), *styling.table(rows, columns), Content("")] if rows else []


def _word(verdict: Verdict) -> Content:
    if verdict.value is None:
        return styling.text("NOT KNOWN", "$text-error bold")
    return styling.text("kept", "$text-success") if verdict.passed else styling.text("NOT KEPT", "$text-error bold")


def _changed(record: Record) -> Content:
    metrics = record.metrics
    return styling.text(
        f"{metrics['changed_predictions']:,} of {metrics['test_samples']:,} predictions changed"
        f" by {accuracies.name_of(QUANTIZED, metrics)}: {metrics['changed_to_right']:,} to right,"
        f" {metrics['changed_to_wrong']:,} to wrong"
    )


def _before(view: View, record: Record, rungs: Sequence[Rung]) -> list[Content]:
    before = accuracy.previous(view.snapshot.project.store, record)
    if before is None:
        return []
    parts = []
    for rung in rungs:
        value = rung.metric.of(before.metrics)
        if value is not None and rung.score is not None:
            now_is = rung.metric.quantity.difference(value, rung.score)
            parts.append(f"{rung.name} {rung.metric.cell(value)} (now {now_is})")
    return [styling.text(f"the result before, {formats.age(view.now - before.finished)}: {', '.join(parts)}")]
