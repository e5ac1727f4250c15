"""The NPU tab: what each target costs, against the budget, and where the cycles go."""

from collections.abc import Sequence

from textual.app import ComposeResult
from textual.content import Content
from textual.widgets import Static

from pipeline import payback
from pipeline.npu import on_cpu
from pipeline.payback import Payback
from pipeline.record import Record
from pipeline.schema import Budget
from pipeline.store import resolve
from pipeline.summary import placement
from pipeline.tables import percent
from tui.facts import npu, reasons, words
from tui.facts.accuracy import UnreadableError
from tui.facts.board import ExperimentFacts, StageFacts
from tui.facts.npu import Cost, Layer
from tui.facts.results import target_name
from tui.widgets import paint
from tui.widgets.panel import Panel, View

MOST_ROLES = 8


class NpuPanel(Panel):
    """Cycles, time, memory and placement of every target of the experiment; of one when it is selected."""

    def __init__(self) -> None:
        """Show nothing yet."""
        super().__init__()
        self._shown: tuple[object, ...] = ()

    def compose(self) -> ComposeResult:
        """Make a place for it."""
        yield Static(id="npu")

    def draw(self, view: View) -> None:
        """Draw, anew only when a result or the budget changed."""
        stages = view.compiles()
        budget = view.experiment.budget
        shown = (
            self.columns,
            budget,
            view.experiment.paybacks,
            *((stage.job.name, stage.record, stage.state, stage.reasons, stage.note) for stage in stages),
            reasons.changed(view.experiment.name),
        )
        if shown != self._shown:
            self._shown = shown
            parts = [_target(stage, view.experiment, self.columns) for stage in stages]
            self.query_one("#npu", Static).update(
                paint.lines(parts or ["no target: the experiment's file has a mistake"])
            )


def _target(stage: StageFacts, experiment: ExperimentFacts, columns: int) -> Content:
    record, config = stage.record, stage.job.config
    head: list[Content | str] = [
        paint.row(
            paint.text(str(stage.job.target), paint.HEADING), f"  {target_name(config)}  ", paint.state(stage.state)
        ),
        paint.text(f"{config['accelerator']}, {config['system_config']}", paint.MUTED),
    ]
    if record is None:
        return paint.lines([*head, f"no result yet: {stage.note}", ""])
    if stage.reasons:
        head.append(paint.text(f"of before: {'; '.join(stage.reasons)}", "$text-warning"))
    if record.stand_in:
        head.append(paint.text(f"on STAND-IN data: {record.stand_in}", "$text-warning bold"))
    cycles: list[Content | str] = []
    try:
        found = npu.layers(resolve(stage.job.link))
        if npu.bounds(found):
            cycles = [*_bound_lines(found, columns), "", *_role_lines(found, columns), ""]
    except npu.NoLayersError as error:
        cycles = [paint.text(f"no operator's cycles: {error}", "$text-warning"), ""]
    except UnreadableError as error:
        return paint.lines([*head, paint.text(str(error), "$text-error"), ""])
    return paint.lines(
        [
            *head,
            *cost_lines(record, experiment.budget, columns),
            *(paint.text(f"not known: {why}", "$text-warning") for why in dict.fromkeys(record.unavailable.values())),
            "",
            *_payback_lines(stage, experiment.paybacks),
            *cycles,
            *_reason_lines(stage, record),
            *_placement(record),
            "",
        ]
    )


def _payback_lines(stage: StageFacts, found: Sequence[Payback]) -> list[Content]:
    """Return what compressing the weights pays back on this target; nothing for an experiment without [compress]."""
    mine = [each for each in found if each.target == stage.job.target]
    if not mine:
        return []
    rows: list[paint.Cells] = [
        [
            paint.text(name, paint.MUTED),
            before,
            "->",
            paint.text(now, paint.HEADING),
            gain,
            paint.text(basis, paint.MUTED),
        ]
        for name, before, now, gain, basis in payback.cells(mine[0])
    ]
    return [
        paint.text("what compressing the weights pays back", paint.HEADING),
        *paint.table(rows),
        *(paint.text(sentence, paint.MUTED) for sentence in payback.sentences(mine)),
        Content(""),
    ]


def cost_lines(record: Record, budget: Budget, columns: int) -> list[Content]:
    """Return inference time, cycles, SRAM and flash, with bars where there is a budget."""
    found = [cost for cost in npu.costs(record, budget) if cost.name != "cpu_operators" or cost.most is not None]
    rows: list[paint.Cells] = [
        [
            paint.text(_NAMES[cost.name], paint.MUTED),
            paint.text(_shown(cost.name, cost.value), paint.HEADING),
            paint.text(record.basis.get(cost.name, ""), paint.MUTED),
        ]
        for cost in found
    ]
    if record.metrics.get("dram_bytes"):
        rows.append([paint.text("DRAM", paint.MUTED), words.size(record.metrics["dram_bytes"]), ""])
    lines = [*paint.table(rows), Content("")]
    budgeted = [cost for cost in found if cost.most is not None]
    if budgeted:
        width = min(max(columns - 36, 6), 40)
        lines += [
            paint.text("budget", paint.HEADING),
            *paint.table([_against(cost, width) for cost in budgeted], gap=1),
        ]
    else:
        lines.append(paint.text("no [budget] in the experiment: sram_max, flash_max, ...", paint.MUTED))
    return lines


_NAMES = {
    "inference_ms": "inference",
    "cycles_total": "cycles",
    "sram_bytes": "SRAM",
    "flash_bytes": "flash",
    "cpu_operators": "CPU operators",
}


def _shown(name: str, value: float | None) -> str:
    if value is None:
        return "-"
    if name == "inference_ms":
        return f"{words.milliseconds(value)} ms"
    return words.size(value) if name.endswith("_bytes") else f"{value:,.0f}"


def _against(cost: Cost, width: int) -> list[Content]:
    most = cost.most or 0
    if cost.value is None:
        name = paint.text(_NAMES[cost.name], paint.MUTED)
        return [name, Content(), paint.text(f"NOT KNOWN, of {_shown(cost.name, most)}", "$text-error bold")]
    share = cost.value / most if most else float(cost.value > 0)
    verdict, style, bar = ("of", "", paint.BAR) if cost.within else ("OVER", "$text-error bold", "$error")
    return [
        paint.text(_NAMES[cost.name], paint.MUTED),
        paint.bar(share, width, bar),
        paint.text(f"{percent(share, 0)} {verdict} {_shown(cost.name, most)}", style),
    ]


def _bound_lines(found: list[Layer], columns: int) -> list[Content]:
    split = npu.bounds(found)
    total = sum(cycles for _, cycles in split) or 1
    width = min(max(columns - 30, 6), 50)
    rows: list[paint.Cells] = [
        [
            bound,
            f"{percent(cycles / total, 1):>7}",
            paint.bar(cycles / total, width),
            paint.text(words.short(cycles), paint.MUTED),
        ]
        for bound, cycles in split
    ]
    return [paint.text("what the cycles are spent on or wait for", paint.HEADING), *paint.table(rows, gap=1)]


def _role_lines(found: list[Layer], columns: int) -> list[Content]:
    groups = sorted(npu.groups(found, "role"), key=lambda group: -group.cycles)
    width = min(max(columns - 34, 6), 50)
    rows: list[paint.Cells] = [
        [
            group.name,
            f"{percent(group.share, 1):>7}",
            paint.bar(group.share, width),
            paint.text(words.short(group.cycles), paint.MUTED),
        ]
        for group in groups[:MOST_ROLES]
    ]
    return [paint.text("which operators they go to", paint.HEADING), *paint.table(rows, gap=1)]


def _reason_lines(stage: StageFacts, record: Record) -> list[Content | str]:
    said = reasons.sentences(stage.job, record)
    if not said:
        return []
    more = paint.text(f"doit matrix:{stage.job.experiment} compares it with every other Ethos-U", paint.MUTED)
    compared = reasons.changed(stage.job.experiment) > 0
    return [
        paint.text("why, as Vela estimates it", paint.HEADING),
        *(f"- {sentence}" for sentence in said),
        *([] if compared else [more]),
        "",
    ]


def _placement(record: Record) -> list[Content]:
    found = record.metrics
    rows = found["cpu_operators_by_name"]
    style = "$text-error" if rows else "$text-success"
    return [
        paint.text(placement(found, in_full=True), style),
        *(paint.text(f"  {on_cpu.line(row)}") for row in rows),
    ]
