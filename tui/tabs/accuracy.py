"""The accuracy tab: the ladder, the classes, the confusion matrix, and the samples that changed class."""

import textwrap
from collections.abc import Sequence
from pathlib import Path

from textual import work
from textual.app import ComposeResult
from textual.content import Content
from textual.widgets import Static

from pipeline import proof
from pipeline.ladder import Rung
from pipeline.record import Record
from pipeline.schema import Budget
from pipeline.store import resolve
from pipeline.summary import accuracy_drop, has_accuracy, quantized_accuracy, quantized_rung, why_no_accuracy
from tui.data import accuracy, formats, role_losses
from tui.data.accuracy import Matrix, UnreadableError
from tui.data.project import StageStatus
from tui.messages import SamplesDrawn
from tui.widgets import sample_picture, styling
from tui.widgets.role_table import role_lines
from tui.widgets.tab import Panel, View

MOST_SAMPLES = 12
MOST_CLASSES = 20
"""A matrix of more classes can't be read on a screen."""


class AccuracyTab(Panel):
    """Accuracies of every rung, measured over the whole test set."""

    def __init__(self) -> None:
        """Show nothing yet."""
        super().__init__()
        self._shown: tuple[object, ...] = ()

    def compose(self) -> ComposeResult:
        """Make a place for the numbers and one for the samples, which come later."""
        yield Static(id="ladder")
        yield Static(id="samples")

    def draw(self, view: View) -> None:
        """Draw the experiment's accuracy, anew only when it is another result."""
        stage = view.experiment.stage("accuracy") or view.experiment.stage("quantized")  # of a model made elsewhere
        record = stage.record if stage else None
        why = (stage.reasons, stage.note if record is None else "") if stage else ()
        proofs = [(facts, facts.record) for facts in view.all_of("verify")]
        shown = (view.experiment.name, record, why, view.experiment.budget, self.columns, *(made for _, made in proofs))
        if shown == self._shown:
            return
        same = self._shown[:2] == shown[:2] and record is not None
        self._shown = shown
        if not same:  # else the samples keep their place until they are drawn for the new width
            self.query_one("#samples", Static).update("")
        if stage is None or record is None or not has_accuracy(record.metrics):
            self.query_one("#ladder", Static).update(_nothing(stage))
            return
        self.query_one("#ladder", Static).update(styling.lines(self._lines(stage, record, view)))
        self._load_samples(record, stage, shown, columns=self.columns, color=not self.app.no_color)

    def _lines(self, stage: StageStatus, record: Record, view: View) -> list[Content | str]:
        rungs = view.experiment.ladder
        found: list[Content | str] = []
        if stage.reasons:
            found += [styling.row(styling.state("stale"), f"  of before: {'; '.join(stage.reasons)}"), ""]
        if record.stand_in:
            found += [styling.text(f"on STAND-IN data: {record.stand_in}", "$text-warning bold"), ""]
        bases = " and ".join(dict.fromkeys(rung.basis for rung in rungs if rung.accuracy is not None))
        title = f"accuracy over {record.metrics['test_samples']:,} test samples, {bases}"
        found += [styling.text(title, styling.HEADING)]
        found += ladder_lines(rungs, self.columns)
        found += _proof_lines(view.all_of("verify"), self.columns)
        found += [*_budget_lines(record, view.experiment.budget), _changed(record)]
        found += [*_before(record, rungs, view.now), ""]
        found += _class_lines(accuracy.by_class(record), self.columns)
        try:
            matrices = accuracy.confusion(resolve(stage.job.link))
        except UnreadableError as error:
            return [*found, "", styling.text(str(error), "$text-error")]
        name = next(reversed(matrices), "")
        found += ["", *_confusion_lines(name, matrices.get(name, []), self.columns), ""]
        return [*found, *_role_lines(resolve(stage.job.link.with_name("quantized")), self.columns)]

    @work(thread=True, exclusive=True, group="samples")
    def _load_samples(
        self, record: Record, stage: StageStatus, shown: tuple[object, ...], *, columns: int, color: bool
    ) -> None:
        from tui.data import changed_samples  # noqa: PLC0415 - reads arrays, which nothing else here does

        folder = resolve(stage.job.link)
        try:
            found = changed_samples.changed(record, folder, folder.parent / "dataset", MOST_SAMPLES)
        except UnreadableError as error:
            drawn = styling.text(str(error), "$text-error")
        else:
            changed = record.metrics["changed_predictions"]
            drawn = sample_picture.gallery(found, changed, columns, color=color)
        self.post_message(SamplesDrawn(drawn, shown))  # which goes nowhere when the dashboard ends meanwhile

    def on_samples_drawn(self, message: SamplesDrawn) -> None:
        """Show the samples, unless something else was selected meanwhile."""
        message.stop()
        if message.shown == self._shown:
            self.query_one("#samples", Static).update(message.drawn)


def _role_lines(quantized: Path, columns: int) -> list[Content]:
    try:
        return role_lines(role_losses.roles(quantized), columns)
    except UnreadableError as error:
        return [styling.text(str(error), "$text-error")]


def _nothing(stage: StageStatus | None) -> Content:
    if stage and stage.record:
        return styling.lines([styling.text("accuracy not available", styling.HEADING), why_no_accuracy(stage.record)])
    why = stage.note if stage else "the experiment's file has a mistake"
    return styling.lines([styling.text("no accuracy yet", styling.HEADING), why])


def ladder_lines(rungs: Sequence[Rung], columns: int) -> list[Content]:
    """Return one line a rung, with a bar from a floor that is named."""
    if not rungs:
        return []
    known = {rung.name: rung.accuracy for rung in rungs if rung.accuracy is not None}
    floor = _floor(list(known.values()))
    width = min(max(columns - max(map(len, known)) - 27, 8), 40)
    rows: list[styling.Cells] = [
        [
            styling.text(rung.name),
            styling.text(formats.percent(rung.accuracy), styling.HEADING),
            styling.bar((known[rung.name] - floor) / (1 - floor), width),
            styling.text(_beside(rung, rungs[0])),
        ]
        for rung in rungs
        if rung.name in known
    ]
    missing = [
        styling.text(part, styling.MUTED)
        for rung in rungs
        if rung.name not in known
        for part in textwrap.wrap(f"{rung.name}: {rung.reason}", columns)
    ]
    return [*styling.table(rows, gap=1), _scale(floor), *missing]


def _beside(rung: Rung, first: Rung) -> str:
    if rung is first:
        return ""
    difference = rung.difference(first)
    return f"of {rung.samples:,}" if difference is None else formats.points(difference)


def _proof_lines(stages: Sequence[StageStatus], columns: int) -> list[Content]:
    """Say of every target how its compiled file compares with the quantized model."""
    rows = [
        (f"{stage.job.target}, emulated", text)
        for stage in stages
        if stage.record and stage.record.metrics["compiled_accuracy"] is not None
        for text in (f"{proof.identity(stage.record)}; for every input: {proof.for_every_input(stage.record.metrics)}",)
    ]
    return styling.named(rows, columns)


def _floor(values: Sequence[float]) -> float:
    """Return where bars begin, so that differences near 100 % are seen."""
    return max(int(10 * min(values)) - (min(values) < 0.95), 0) / 10 if min(values) < 1 else 0.9  # noqa: PLR2004


def _scale(floor: float) -> Content:
    return styling.text(f"bars go from {100 * floor:.0f} % to 100 %", styling.MUTED)


def _budget_lines(record: Record, budget: Budget) -> list[Content]:
    """Say of each limit that the experiment sets whether it is kept."""
    rung, drop = quantized_rung(record.metrics), accuracy_drop(record.metrics)
    limits = {
        f"at least {formats.percent(budget.accuracy_min)}": None
        if budget.accuracy_min is None
        else quantized_accuracy(record.metrics) >= budget.accuracy_min,
        f"at most {budget.accuracy_drop_max} points below float": None
        if budget.accuracy_drop_max is None
        else drop <= budget.accuracy_drop_max,
    }
    verdicts = {True: ("kept", "$text-success"), False: ("NOT KEPT", "$text-error bold")}
    return [
        styling.row(styling.text("budget  ", styling.MUTED), f"{rung} {limit}: ", styling.text(*verdicts[kept]))
        for limit, kept in limits.items()
        if kept is not None
    ]


def _changed(record: Record) -> Content:
    found = record.metrics
    return styling.text(
        f"{found['changed_predictions']:,} of {found['test_samples']:,} predictions changed by {quantized_rung(found)}:"
        f" {found['changed_to_right']:,} to right, {found['changed_to_wrong']:,} to wrong"
    )


def _before(record: Record, rungs: Sequence[Rung], now: float) -> list[Content]:
    before = accuracy.previous(record)
    if before is None:
        return []
    parts = []
    for rung in rungs:
        value = before.metrics.get(rung.metric)
        if isinstance(value, float) and rung.accuracy is not None:
            parts.append(f"{rung.name} {formats.percent(value)} (now {formats.points(rung.accuracy - value)})")
    return [styling.text(f"the result before, {formats.age(now - before.finished)}: {', '.join(parts)}")]


def _class_lines(found: dict[str, list[float | None]], columns: int) -> list[Content]:
    if not found:
        return []
    name, values = list(found.items())[-1]
    first = next(iter(found.values()))
    known = [value for value in values if value is not None]
    floor = _floor(known) if known else 0.0
    width = min(max(columns - 22, 8), 40)
    rows: list[styling.Cells] = [
        [
            styling.text(f"{label:>2}"),
            styling.text(formats.percent(value).rjust(8)),
            styling.bar((value - floor) / (1 - floor) if value is not None else 0.0, width),
            styling.text(
                f"{100 * (value - before):+.2f}"
                if value is not None and before is not None and value != before
                else "",
                styling.MUTED,
            ),
        ]
        for label, (value, before) in enumerate(zip(values, first, strict=False))
    ]
    title = styling.text(f"recall by class, {name} (points above float)", styling.HEADING)
    return [title, *styling.table(rows, gap=1), _scale(floor)]


def _confusion_lines(name: str, matrix: Matrix, columns: int) -> list[Content]:
    if not matrix or not all(matrix):
        return [styling.text("confusion.json holds no matrix", "$text-error")]
    mistakes = [
        f"{label} taken for {predicted} ({samples})" for label, predicted, samples in accuracy.mistaken_most(matrix, 5)
    ]
    most = styling.text(f"commonest mistakes: {', '.join(mistakes)}" if mistakes else "no mistakes")
    width = max(len(str(max(max(row) for row in matrix))), 2) + 1
    if len(matrix) > MOST_CLASSES or 4 + width * len(matrix) > columns:
        return [styling.text(f"confusion, {name}", styling.HEADING), most]
    head = styling.text("    " + "".join(f"{label:>{width}}" for label in range(len(matrix))), styling.MUTED)
    rows = [
        styling.row(
            styling.text(f"{label:>3} ", styling.MUTED),
            *(_cell(label, column, count, width) for column, count in enumerate(row)),
        )
        for label, row in enumerate(matrix)
    ]
    title = styling.text(f"confusion, {name}: rows are labels, columns predictions", styling.HEADING)
    return [title, head, *rows, most]


def _cell(label: int, predicted: int, count: int, width: int) -> Content:
    style = "$text-success" if label == predicted else "$text-error" if count else styling.MUTED
    return styling.text(f"{count or '·':>{width}}", style)
