"""The NPU tab: what each target costs, against the budget, and where the cycles go."""

from collections.abc import Iterable, Sequence

from textual.app import ComposeResult
from textual.content import Content
from textual.widgets import Static

from pipeline.engine.project import Project
from pipeline.engine.results.record import Record
from pipeline.engine.results.store import resolve
from pipeline.metrics import Metric, costs, told
from pipeline.npu import on_cpu
from pipeline.text.tables import percent
from pipeline.views import uncompressed
from pipeline.views.budget import LIMITS, Verdict
from pipeline.views.metric_rows import placement
from pipeline.views.uncompressed import Payback
from tui.data import explanations, formats, matrix, operators
from tui.data.artefacts import UnreadableError
from tui.data.operators import Operator
from tui.data.project import StageStatus
from tui.data.results import target_name
from tui.data.view import View
from tui.widgets import styling
from tui.widgets.details_tab import TextTab

MOST_ROLES = 8
LEAST_SHARE = 7
"""Columns of the screen for a share, which has more digits the smaller it is."""


class NpuTab(TextTab):
    """Cycles, time, memory and placement of every target of the experiment; of one when it is selected."""

    TITLE = "NPU"
    ORDER = 3

    def compose(self) -> ComposeResult:
        """Make a place for it."""
        yield Static()

    def key(self, view: View) -> object:
        """Return the results, the budgets, and when the matrix last changed, which explains them."""
        return (
            self.columns,
            view.experiment.verdicts,
            view.experiment.paybacks,
            [(stage.job.name, stage.record, stage.state, stage.reasons, stage.note) for stage in view.compiles()],
            matrix.last_change(view.snapshot.project, view.experiment.name),
        )

    def draw(self, view: View) -> None:
        """Draw every target, or the one that is selected."""
        self.query_one(Static).update(npu_text(view, self.columns))


def npu_text(view: View, columns: int) -> Content:
    """Return all that the tab shows."""
    parts = [_target(view, stage, columns) for stage in view.compiles()]
    return styling.lines(parts or ["no target: the experiment's file has a mistake"])


def _target(view: View, stage: StageStatus, columns: int) -> Content:
    experiment, record, config = view.experiment, stage.record, stage.job.config["target"]
    name, state = styling.text(str(stage.job.target), styling.HEADING), styling.state(stage.state)
    head: list[Content | str] = [
        styling.row(name, f"  {target_name(config)}  ", state),
        styling.text(f"{config['accelerator']}, {config['system_config']}", styling.MUTED),
    ]
    if record is None:
        return styling.lines([*head, f"no result yet: {stage.note}", ""])
    if stage.reasons:
        head.append(styling.text(formats.from_previous_build(stage.reasons), "$text-warning"))
    if record.stand_in:
        head.append(styling.text(f"on STAND-IN data: {record.stand_in}", "$text-warning bold"))
    cycles: list[Content | str] = []
    try:
        executed = operators.read_operators(resolve(stage.job.link))
        if operators.cycles_by_bound(executed):
            cycles = [*_bound_lines(executed, columns), "", *_role_lines(executed, columns), ""]
    except operators.NoOperatorsError as error:
        cycles = [styling.text(f"no operator's cycles: {error}", "$text-warning"), ""]
    except UnreadableError as error:
        return styling.lines([*head, styling.text(str(error), "$text-error"), ""])
    verdicts = [verdict for verdict in experiment.verdicts if verdict.target == stage.job.target]
    return styling.lines(
        [
            *head,
            *cost_lines(stage.job.stage.metrics, record, verdicts, columns),
            *(styling.text(f"not known: {why}", "$text-warning") for why in _why_not_known(record, verdicts)),
            "",
            *_payback_lines(stage, experiment.paybacks),
            *cycles,
            *_reason_lines(view.snapshot.project, stage, record),
            *_placement(record),
            "",
        ]
    )


def _why_not_known(record: Record, verdicts: Sequence[Verdict]) -> Iterable[str]:
    """Return why numbers could not be had, each reason once."""
    of_budgets = (verdict.unavailable for verdict in verdicts if verdict.unavailable)
    return dict.fromkeys([*record.unavailable.values(), *of_budgets])


def _payback_lines(stage: StageStatus, paybacks: Sequence[Payback]) -> list[Content]:
    """Return what compressing the weights pays back on this target; nothing for an experiment without [compress]."""
    of_target = [each for each in paybacks if each.target == stage.job.target]
    if not of_target:
        return []
    rows: list[styling.Cells] = [
        [
            styling.text(name, styling.MUTED),
            before,
            "->",
            styling.text(now, styling.HEADING),
            gain,
            styling.text(basis, styling.MUTED),
        ]
        for name, before, now, gain, basis in uncompressed.cells(of_target[0])
    ]
    return [
        styling.text("what compressing the weights pays back", styling.HEADING),
        *styling.table(rows),
        *(styling.text(sentence, styling.MUTED) for sentence in uncompressed.sentences(of_target)),
        Content(""),
    ]


def cost_lines(metrics: Sequence[Metric], record: Record, verdicts: Sequence[Verdict], columns: int) -> list[Content]:
    """Return what a target costs, with bars where there is a budget.

    What a sentence tells anyway, such as the operators on the CPU, is listed only where there is a budget.
    """
    limited = {verdict.budget for verdict in verdicts}
    rows: list[styling.Cells] = [
        [
            styling.text(metric.title, styling.MUTED),
            styling.text(formats.or_dash(metric.quantity.show, metric.of(record.metrics)), styling.HEADING),
            styling.text(metric.basis, styling.MUTED),
        ]
        for metric in told(costs(metrics), [record.metrics])
        if metric.budget in limited or not metric.worded
    ]
    return [*styling.table(rows), Content(""), *_budget_lines(verdicts, columns)]


def _budget_lines(verdicts: Sequence[Verdict], columns: int) -> list[Content]:
    if not verdicts:
        return [styling.text("no [budget] in the experiment: sram_max, flash_max, ...", styling.MUTED)]
    width = min(max(columns - 36, 6), 40)
    return [
        styling.text("budget", styling.HEADING),
        *styling.table([_against(verdict, width) for verdict in verdicts], gap=1),
    ]


def _against(verdict: Verdict, width: int) -> list[Content]:
    metric = LIMITS[verdict.budget]
    title, allowed = styling.text(metric.title, styling.MUTED), metric.quantity.show(verdict.allowed)
    if verdict.value is None:
        return [title, Content(), styling.text(f"NOT KNOWN, of {allowed}", "$text-error bold")]
    share = verdict.value / verdict.allowed if verdict.allowed else float(verdict.value > 0)
    word, style, bar = ("of", "", styling.BAR) if verdict.passed else ("OVER", "$text-error bold", "$error")
    return [
        title,
        styling.bar(share, width, bar),
        styling.text(f"{percent(share, 0)} {word} {allowed}", style),
    ]


def _bound_lines(executed: Sequence[Operator], columns: int) -> list[Content]:
    split = operators.cycles_by_bound(executed)
    total = sum(cycles for _, cycles in split) or 1
    shares = [(bound, cycles / total, cycles) for bound, cycles in split]
    title = styling.text("what the cycles are spent on or wait for", styling.HEADING)
    return [title, *_share_lines(shares, min(max(columns - 30, 6), 50))]


def _role_lines(executed: Sequence[Operator], columns: int) -> list[Content]:
    groups = sorted(operators.groups(executed, "role"), key=lambda group: -group.cycles)
    shares = [(group.name, group.share, group.cycles) for group in groups[:MOST_ROLES]]
    title = styling.text("which operators they go to", styling.HEADING)
    return [title, *_share_lines(shares, min(max(columns - 34, 6), 50))]


def _share_lines(shares: Sequence[tuple[str, float, int]], width: int) -> list[Content]:
    """Return a line for each name with its share of the cycles, a bar, and the cycles."""
    longest = max([LEAST_SHARE, *(len(percent(share, 1)) for _, share, _ in shares)])
    rows: list[styling.Cells] = [
        [
            name,
            percent(share, 1).rjust(longest),
            styling.bar(share, width),
            styling.text(formats.short(cycles), styling.MUTED),
        ]
        for name, share, cycles in shares
    ]
    return styling.table(rows, gap=1)


def _reason_lines(project: Project, stage: StageStatus, record: Record) -> list[Content | str]:
    sentences = explanations.sentences(project, stage.job, record)
    if not sentences:
        return []
    more = styling.text(f"doit matrix:{stage.job.experiment} compares it with every other Ethos-U", styling.MUTED)
    compared = matrix.last_change(project, stage.job.experiment) > 0
    return [
        styling.text("why, as Vela estimates it", styling.HEADING),
        *(f"- {sentence}" for sentence in sentences),
        *([] if compared else [more]),
        "",
    ]


def _placement(record: Record) -> list[Content]:
    metrics = record.metrics
    rows = metrics["cpu_operators_by_name"]
    style = "$text-error" if rows else "$text-success"
    return [
        styling.text(placement(metrics, in_full=True), style),
        *(styling.text(f"  {on_cpu.line(row)}") for row in rows),
    ]
