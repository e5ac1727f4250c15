"""What failed, why, and what to do: the card of a failed stage."""

from textual.content import Content
from textual.reactive import reactive
from textual.widgets import Static

from tui.data import formats, logs
from tui.data.project import StageStatus
from tui.widgets import styling

LINES = 20
"""How much of the log's end is shown."""


class FailureCard(Static):
    """Hidden unless the stage failed."""

    DEFAULT_CSS = """
    FailureCard { border-left: thick $error; padding: 0 1; margin-bottom: 1; }
    """

    failure: reactive[tuple[str, float] | None] = reactive(None)
    """Which failure is shown: the job, and when it failed."""

    def __init__(self) -> None:
        """Show nothing yet."""
        super().__init__(id="failure")
        self._stage: StageStatus | None = None

    def show(self, stage: StageStatus | None) -> None:
        """Show the failure of a stage, if it has one."""
        failed = stage is not None and stage.state == "failed"
        self.display = failed
        self._stage = stage
        self.failure = (stage.job.name, stage.latest.time) if stage and stage.latest and failed else None

    def watch_failure(self) -> None:
        """Draw another failure; the log's end is read once for each."""
        if self.failure and self._stage:
            self.update(card(self._stage))


def card(stage: StageStatus) -> Content:
    """Return the card's text."""
    latest = stage.latest
    if latest is None:
        return Content("")
    tail = [formats.clipped(line, 400) for line in logs.last_lines(stage.job.log, LINES)]
    ended = f" ({latest.ended})" if latest.ended else ""
    keys = ("run again  ", styling.text("r", "bold"), "     whole log  ", styling.text("l", "bold"))
    return styling.lines(
        [
            styling.text(f"✗ {stage.job.name} failed{ended}", "$text-error bold"),
            styling.text(latest.message),
            "",
            styling.row(*keys),
            styling.text(f"log  {stage.job.shown_log}", styling.MUTED),
            *([styling.text(f"its last {formats.count(len(tail), 'line')}:", styling.MUTED)] if tail else []),
            *tail,
        ]
    )
