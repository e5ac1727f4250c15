"""The lines and the progress bar of a running build, on a terminal or in a pipe."""

import sys
import time
from typing import TYPE_CHECKING, Any, TextIO

from pipeline.engine import events
from pipeline.text import tables

if TYPE_CHECKING:
    from rich.console import Console
    from rich.progress import Progress, TaskID

    from pipeline.views.metric_rows import Rows

PLAIN_SECONDS = 5.0
"""How often a pipe gets a line of progress; a terminal has a bar instead."""
KNOWN_FROM = 0.05
"""The share of its work after which a stage's pace says how long it will take; loading libraries comes before it."""
PLAIN_WIDTH = 100
"""Columns of a table in a pipe or a log."""


class ProgressView:
    """Shows the events of one build. ``rich`` is only loaded when there is something to show."""

    def __init__(self, file: TextIO | None = None) -> None:
        """Show nothing yet; what there is goes to the program's standard output, or to this file."""
        self._file = file or sys.__stdout__
        self._bars: dict[str, TaskID] = {}
        self._progress: Progress | None = None
        self._began: dict[str, float] = {}
        self._last_line: dict[str, float] = {}
        self._made: Console | None = None

    @property
    def _console(self) -> "Console":
        if self._made is None:
            from rich.console import Console  # noqa: PLC0415 - a no-op build shows one line and owes rich nothing

            # Names are the user's: vela:loop:u55 has no emoji in it, and brackets are no markup.
            self._made = Console(file=self._file, highlight=False, soft_wrap=True, markup=False, emoji=False)
            if not self._made.is_terminal:
                self._made.width = PLAIN_WIDTH
        return self._made

    def say(self, line: str) -> None:
        """Print one plain line."""
        if self._made is None:
            print(line, file=self._file, flush=True)
        else:
            self._print(line)

    def warn(self, line: str) -> None:
        """Print a line that must not be overlooked."""
        self.say(f"WARNING: {line}")

    def fail(self, name: str, sentence: str) -> None:
        """Print what failed and the sentence that says why."""
        self._print(f"FAILED {name}: {sentence}", "bold red")

    def _print(self, line: str, style: str = "") -> None:
        from rich.text import Text  # noqa: PLC0415 - see above

        # A Text, because a style given to print() itself would colour the bar below, too.
        self._console.print(Text(line, style=style))

    def show(self, event: dict[str, Any]) -> None:
        """Show one event of the build."""
        name = events.job_name(event)
        match event["event"]:
            case "stage_started":
                self._start(name, "; ".join(event["reasons"]))
            case "stage_progress":
                self._advance(name, event)
            case "stage_done":
                self._end(name, f"done      {name}  {tables.seconds(event['seconds'])}", "green")
            case "stage_restored":
                self._end(name, f"restored  {name}  from the store", "green")
            case "stage_failed":
                self._end(name, f"{'stopped' if event['message'] == 'stopped' else 'failed':<8}  {name}", "red")

    def table(self, title: str, rows: "Rows", times: "Rows") -> None:
        """Print the summary of an experiment."""
        from rich.table import Table  # noqa: PLC0415 - see above

        table = Table(title=title, title_justify="left", show_header=False)
        for row in rows:
            table.add_row(*row)
        table.add_section()
        for name, seconds, importing in times:
            table.add_row(name, seconds, importing)
        self._console.print(table, soft_wrap=False)

    def close(self) -> None:
        """Take the bars away."""
        if self._progress is not None:
            self._progress.stop()
            self._progress = None

    def _start(self, name: str, why: str) -> None:
        self._began[name] = time.monotonic()
        self._print(f"start     {name}  {why}", "dim")
        if self._console.is_terminal:
            if self._progress is None:
                self._progress = _bars(self._console)
                self._progress.start()
            self._bars[name] = self._progress.add_task(name, total=None, facts="")

    def _advance(self, name: str, event: dict[str, Any]) -> None:
        facts = _facts(event)
        if self._progress is not None and name in self._bars:
            self._progress.update(self._bars[name], completed=event["done"], total=event["total"], facts=facts)
            return
        now = time.monotonic()
        if now - self._last_line.get(name, 0.0) > PLAIN_SECONDS or event["done"] == event["total"]:
            self._last_line[name] = now
            share = event["done"] / max(event["total"], 1)
            to_go = _to_go(now - self._began.get(name, now), share)
            self._print(f"          {name}  {100 * share:3.0f} %  {to_go}{facts}".rstrip())

    def _end(self, name: str, line: str, style: str) -> None:
        bar = self._bars.pop(name, None)
        if self._progress is not None and bar is not None:
            self._progress.remove_task(bar)
            self._progress.refresh()
        self._print(line, style)


def _bars(console: "Console") -> "Progress":
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn  # noqa: PLC0415 - see above

    columns = (
        TextColumn("          {task.description}", markup=False),
        BarColumn(bar_width=24),
        TimeRemainingColumn(),
        TextColumn("{task.fields[facts]}", markup=False),
    )
    return Progress(*columns, console=console, transient=True)


def _to_go(elapsed: float, share: float) -> str:
    """Say how long a stage will still take at its pace so far, if that is known."""
    if not KNOWN_FROM < share < 1 or elapsed < PLAIN_SECONDS:
        return ""
    return f"{tables.duration(elapsed / share - elapsed)} to go  "


def _facts(event: dict[str, Any]) -> str:
    """Show what a stage says of itself beside how far it is."""
    return "  ".join(
        f"{name} {value:.4g}" if isinstance(value, float) else f"{name} {value}" if name != "what" else str(value)
        for name, value in events.said(event)
    )
