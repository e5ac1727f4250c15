"""The log tab: what the selected stage's process prints, live, with search."""

from typing import ClassVar

from rich.style import Style
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.strip import Strip
from textual.widget import Widget
from textual.widgets import Log, Static

from tui.data import formats, logs
from tui.data.logs import LogTail
from tui.data.project import StageStatus
from tui.data.view import View
from tui.widgets import styling
from tui.widgets.details_tab import DetailsTab
from tui.widgets.keys import SCROLL_KEYS

MOST_LINES = 200_000
POLL_SECONDS = 0.1
KEYS = {"f": "follow", "/": "search", "!": "error"}


class LogView(Log):
    """Plain lines; the one that was searched for is turned dark on light."""

    BINDINGS: ClassVar[list[BindingType]] = SCROLL_KEYS

    marked: int | None = None
    """The line that was jumped to last."""

    def render_line(self, y: int) -> Strip:
        """Draw a line, reversed if it is the one that was jumped to."""
        strip = super().render_line(y)
        return strip.apply_style(Style(reverse=True)) if self.scroll_offset.y + y == self.marked else strip

    def find(self, wanted: str, start: int, step: int) -> int | None:
        """Return the next line that contains a text, whatever its case, going round at the end."""
        count = len(self.lines)
        wanted = wanted.lower()
        order = ((start + step * offset) % count for offset in range(count))
        return next((index for index in order if wanted in self.lines[index].lower()), None)

    def under_cursor(self) -> str:
        """Return the line that was jumped to, or else the last one in sight."""
        if not self.lines:
            return ""
        last = min(self.scroll_offset.y + self.size.height, len(self.lines)) - 1
        return self.lines[self.marked if self.marked is not None and self.marked < len(self.lines) else last]

    def jump(self, index: int) -> None:
        """Show a line in the middle and mark it."""
        self.marked = index
        self.scroll_to(y=max(index - self.size.height // 2, 0), animate=False, immediate=True)
        self.refresh()


class LogTab(DetailsTab):
    """Follows the log of what is selected, until the reader scrolls up."""

    TITLE = "Log"
    ORDER = 5
    SHORTCUT = "l"
    HELP_KEYS: ClassVar = {"l": "log of the selected stage: f follow, n N next match, ! first error"}
    FILTERS = "search the log (n next, N before)"

    DEFAULT_CSS = """
    LogTab {
        #log-head { height: auto; text-wrap: nowrap; text-overflow: ellipsis; }
        #log-lines {
            height: 1fr;
            scrollbar-size-vertical: 1;
            scrollbar-size-horizontal: 1;
            background: $background;
        }
    }
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("f", "follow", "Follow", show=False),
        Binding("n", "next(1)", "Next match", show=False),
        Binding("N", "next(-1)", "Match before", show=False),
        Binding("exclamation_mark", "first_error", "First error", show=False, key_display="!"),
    ]

    def __init__(self) -> None:
        """Show nothing yet."""
        super().__init__()
        self._tail: LogTail | None = None
        self._wanted = ""
        self._complete = False
        self._end = 0.0  # where the view stood when it was last brought to the end

    def compose(self) -> ComposeResult:
        """Make the line above and the log."""
        yield Static(id="log-head")
        yield LogView(max_lines=MOST_LINES, id="log-lines")

    def on_mount(self) -> None:
        """Look for new lines all the time; that costs nothing while there are none."""
        self.set_interval(POLL_SECONDS, self._read)

    def key(self, view: View) -> object:
        """Return which log is followed."""
        stage = _followed(view)
        return stage.job.log if stage else None

    def draw(self, view: View) -> None:
        """Begin with another log."""
        stage = _followed(view)
        self._tail = LogTail(stage.job.log) if stage else None
        self._start_over()
        self._draw_head()

    def draw_live(self, view: View) -> None:
        """Show what was written meanwhile; once its stage is over, the last line though it was not ended."""
        stage = _followed(view)
        self._complete = stage is not None and stage.state != "running"
        self._read()

    def focus_target(self) -> Widget:
        """Return the lines."""
        return self.query_one(LogView)

    def under_cursor(self) -> str | None:
        """Return the line that was jumped to, or else the last one in sight."""
        return self.query_one(LogView).under_cursor()

    def _start_over(self) -> None:
        log = self.query_one(LogView)
        log.clear()
        log.marked, self._end = None, 0.0

    def _read(self) -> None:
        if self._tail is None or not self.is_on_screen:
            return
        lines, over = self._tail.new()
        if over:
            self._start_over()
        if not lines and self._complete:
            lines = self._tail.rest()
        log, follows = self.query_one(LogView), self._follows()
        if lines:
            log.write_lines([line or " " for line in lines], scroll_end=False)  # it passes over empty ones
        if follows:
            self._scroll_end(log)
        self._draw_head()

    def _scroll_end(self, log: LogView) -> None:
        if log.scroll_target_y < log.max_scroll_y:
            log.scroll_end(animate=False, x_axis=False, immediate=True)
        self._end = log.scroll_target_y

    def _follows(self) -> bool:
        log = self.query_one(LogView)
        return log.scroll_target_y >= min(self._end, log.max_scroll_y)

    def _draw_head(self) -> None:
        log = self.query_one(LogView)
        count = formats.count(log.line_count, "line")
        follows = "following" if self._follows() else "paused"
        match = f"   {self._wanted!r} at line {log.marked + 1}" if self._wanted and log.marked is not None else ""
        path = str(self._tail.path) if self._tail else "no log: the experiment's file has a mistake"
        drawn = styling.lines(
            [
                styling.text(path, styling.MUTED),
                styling.row(
                    f"{count}, {follows}{match}  ",
                    *(part for key, does in KEYS.items() for part in (styling.text(key, "bold"), f" {does} ")),
                ),
            ]
        )
        head = self.query_one("#log-head", Static)
        if drawn != head.content:  # ten times a second it is the same
            head.update(drawn)

    def filter(self, wanted: str) -> None:
        """Jump to the last line that contains a text, and let ``n`` and ``N`` go on from there."""
        self._wanted = wanted
        log = self.query_one(LogView)
        if not wanted or not log.lines:
            log.marked = None
            log.refresh()
        elif (index := log.find(wanted, len(log.lines) - 1, -1)) is None:
            self.notify(f"no line has {wanted!r}", severity="warning", markup=False)
        else:
            log.jump(index)
        self._draw_head()

    def action_next(self, step: int) -> None:
        """Go to the next match, or the one before."""
        log = self.query_one(LogView)
        if self._wanted and log.lines:
            index = log.find(self._wanted, (log.marked or 0) + step, step)
            if index is not None:
                log.jump(index)
        self._draw_head()

    def action_first_error(self) -> None:
        """Go to the first line that speaks of an error."""
        log = self.query_one(LogView)
        index = logs.first_error(list(log.lines))
        if index is None:
            self.notify("no line speaks of an error")
        else:
            log.jump(index)
        self._draw_head()

    def action_follow(self) -> None:
        """Follow the end again."""
        self._scroll_end(self.query_one(LogView))
        self._draw_head()


def _followed(view: View) -> StageStatus | None:
    """Return the stage whose log is shown: the selected one, or the one that runs, or that failed, or the last."""
    stages = view.experiment.stages
    ranked = [stage for state in ("running", "failed") for stage in stages if stage.state == state]
    return view.stage or next(iter([*ranked, *stages[-1:]]), None)
