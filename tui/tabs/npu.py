"""The NPU tab: what each target costs, against the budget, and where the cycles go."""

from collections.abc import Sequence

from textual.app import ComposeResult
from textual.content import Content
from textual.widgets import Static

from pipeline import payback
from pipeline.payback import Payback
from pipeline.record import Record
from pipeline.schema import Budget
from pipeline.store import resolve
from tui.data import explanations, formats, operators
from tui.data.accuracy import UnreadableError
from tui.data.operators import Cost, Layer
from tui.data.project import ExperimentStatus, StageStatus
from tui.data.results import target_name
from tui.widgets import styling
from tui.widgets.tab import Panel, View

MOST_ROLES = 8


class NpuTab(Panel):
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
            explanations.changed(view.experiment.name),
        )
        if shown != self._shown:
            self._shown = shown
            parts = [_target(stage, view.experiment, self.columns) for stage in stages]
            self.query_one("#npu", Static).update(
                styling.lines(parts or ["no target: the experiment's file has a mistake"])
            )


def _target(stage: StageStatus, experiment: ExperimentStatus, columns: int) -> Content:
    record, config = stage.record, stage.job.config
    head: list[Content | str] = [
        styling.row(
            styling.text(str(stage.job.target), styling.HEADING),
            f"  {target_name(config)}  ",
            styling.state(stage.state),
        ),
        styling.text(f"{config['accelerator']}, {config['system_config']}", styling.MUTED),
    ]
    if record is None:
        return styling.lines([*head, f"no result yet: {stage.note}", ""])
    if stage.reasons:
        head.append(styling.text(f"of before: {'; '.join(stage.reasons)}", "$text-warning"))
    if record.stand_in:
        head.append(styling.text(f"on STAND-IN data: {record.stand_in}", "$text-warning bold"))
    try:
        found = operators.layers(resolve(stage.job.link))
    except UnreadableError as error:
        return styling.lines([*head, styling.text(str(error), "$text-error"), ""])
    return styling.lines(
        [
            *head,
            *cost_lines(record, experiment.budget, columns),
            "",
            *_payback_lines(stage, experiment.paybacks),
            *_bound_lines(found, columns),
            "",
            *_role_lines(found, columns),
            "",
            *_reason_lines(stage, record),
            *_placement(record),
            "",
        ]
    )


def _payback_lines(stage: StageStatus, found: Sequence[Payback]) -> list[Content]:
    """Return what compressing the weights pays back on this target; nothing for an experiment without [compress]."""
    mine = [each for each in found if each.target == stage.job.target]
    if not mine:
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
        for name, before, now, gain, basis in payback.cells(mine[0])
    ]
    return [
        styling.text("what compressing the weights pays back", styling.HEADING),
        *styling.table(rows),
        *(styling.text(sentence, styling.MUTED) for sentence in payback.sentences(mine)),
        Content(""),
    ]


def cost_lines(record: Record, budget: Budget, columns: int) -> list[Content]:
    """Return inference time, cycles, SRAM and flash, with bars where there is a budget."""
    found = [cost for cost in operators.costs(record, budget) if cost.name != "cpu_operators" or cost.most is not None]
    rows: list[styling.Cells] = [
        [
            styling.text(_NAMES[cost.name], styling.MUTED),
            styling.text(_shown(cost.name, cost.value), styling.HEADING),
            styling.text(record.basis.get(cost.name, ""), styling.MUTED),
        ]
        for cost in found
    ]
    if record.metrics.get("dram_bytes"):
        rows.append([styling.text("DRAM", styling.MUTED), formats.size(record.metrics["dram_bytes"]), ""])
    lines = [*styling.table(rows), Content("")]
    budgeted = [cost for cost in found if cost.most is not None]
    if budgeted:
        width = min(max(columns - 36, 6), 40)
        lines += [
            styling.text("budget", styling.HEADING),
            *styling.table([_against(cost, width) for cost in budgeted], gap=1),
        ]
    else:
        lines.append(styling.text("no [budget] in the experiment: sram_max, flash_max, ...", styling.MUTED))
    return lines


_NAMES = {
    "inference_ms": "inference",
    "cycles_total": "cycles",
    "sram_bytes": "SRAM",
    "flash_bytes": "flash",
    "cpu_operators": "CPU operators",
}


def _shown(name: str, value: float) -> str:
    if name == "inference_ms":
        return f"{value:,.2f} ms"
    return formats.size(value) if name.endswith("_bytes") else f"{value:,.0f}"


def _against(cost: Cost, width: int) -> list[Content]:
    most = cost.most or 0
    share = cost.value / most if most else float(cost.value > 0)
    verdict, style, bar = ("of", "", styling.BAR) if cost.within else ("OVER", "$text-error bold", "$error")
    return [
        styling.text(_NAMES[cost.name], styling.MUTED),
        styling.bar(share, width, bar),
        styling.text(f"{100 * share:.0f} % {verdict} {_shown(cost.name, most)}", style),
    ]


def _bound_lines(found: list[Layer], columns: int) -> list[Content]:
    split = operators.bounds(found)
    total = sum(cycles for _, cycles in split) or 1
    width = min(max(columns - 30, 6), 50)
    rows: list[styling.Cells] = [
        [
            bound,
            f"{100 * cycles / total:5.1f} %",
            styling.bar(cycles / total, width),
            styling.text(formats.short(cycles), styling.MUTED),
        ]
        for bound, cycles in split
    ]
    return [styling.text("what the cycles are spent on or wait for", styling.HEADING), *styling.table(rows, gap=1)]


def _role_lines(found: list[Layer], columns: int) -> list[Content]:
    groups = sorted(operators.groups(found, "role"), key=lambda group: -group.cycles)
    width = min(max(columns - 34, 6), 50)
    rows: list[styling.Cells] = [
        [
            group.name,
            f"{100 * group.share:5.1f} %",
            styling.bar(group.share, width),
            styling.text(formats.short(group.cycles), styling.MUTED),
        ]
        for group in groups[:MOST_ROLES]
    ]
    return [styling.text("which operators they go to", styling.HEADING), *styling.table(rows, gap=1)]


def _reason_lines(stage: StageStatus, record: Record) -> list[Content | str]:
    said = explanations.sentences(stage.job, record)
    if not said:
        return []
    more = styling.text(f"doit matrix:{stage.job.experiment} compares it with every other Ethos-U", styling.MUTED)
    compared = explanations.changed(stage.job.experiment) > 0
    return [
        styling.text("why, as Vela estimates it", styling.HEADING),
        *(f"- {sentence}" for sentence in said),
        *([] if compared else [more]),
        "",
    ]


def _placement(record: Record) -> list[Content]:
    found = record.metrics
    on_cpu = found.get("cpu_operators_by_name", [])
    style = "$text-error" if on_cpu else "$text-success"
    rows = [styling.text(f"{found['npu_operators']} operators on the NPU, {found['cpu_operators']} on the CPU", style)]
    return rows + [styling.text(f"  {row['operator']} {row['name']}: {row['reason']}") for row in on_cpu]
