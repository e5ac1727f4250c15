"""The dashboard: watches the project, shows it, and drives doit."""

import os
import subprocess
import time
from collections.abc import Callable, Sequence
from typing import ClassVar

from textual import work
from textual.app import App, SuspendNotSupported
from textual.binding import Binding, BindingType

from pipeline.engine.project import Project
from pipeline.errors import UnrollError
from tui import engine
from tui.commands import GoToProvider
from tui.data import formats
from tui.data.project import ProjectWatcher, Snapshot
from tui.engine import Ending, Engine
from tui.messages import Assessed
from tui.screens.confirm import ConfirmScreen
from tui.screens.help import HelpScreen
from tui.screens.main import MainScreen

TICK_SECONDS = 0.25
LEAST_PAUSE_SECONDS = 1.0
PAUSES_PER_LOOK = 80
"""Looking at the files takes at most one part in so many of the time."""


class Dashboard(App[None]):
    """Everything it shows is read from ``build/``; everything it does is a doit of its own."""

    CSS_PATH = "app.tcss"
    TITLE = "Unroll"
    COMMANDS: ClassVar = App.COMMANDS | {GoToProvider}
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (72, "-medium"), (116, "-wide")]  # noqa: RUF012 - as App declares it
    BINDINGS: ClassVar[list[BindingType]] = [Binding("ctrl+c", "copy_or_leave", "Quit", show=False, priority=True)]

    def __init__(self, now: Callable[[], float] = time.time, project: Project | None = None) -> None:
        """Begin with a look at nothing; the first look at the files comes after the first paint.

        Args:
            now: seconds since the epoch.
            project: what it shows; the one in the current folder by default.

        """
        super().__init__()
        self.now = now
        self.project = project or Project()
        self.watcher = ProjectWatcher(now, self.project)
        self.engine = Engine(self.project)
        self.snapshot: Snapshot | None = None
        self._leaving = False
        self._looking = False
        self._look_at = 0.0
        self._shown_at = 0.0

    def get_default_screen(self) -> MainScreen:
        """Begin with the main screen."""
        return MainScreen(self.now)

    @property
    def main(self) -> MainScreen:
        """The main screen, whatever lies above it."""
        screen = self.screen_stack[0]
        if not isinstance(screen, MainScreen):
            raise TypeError
        return screen

    def on_mount(self) -> None:
        """Begin to watch."""
        self.set_interval(TICK_SECONDS, self._tick)
        self.call_after_refresh(self._begin)

    def _begin(self) -> None:
        """Hear of the run before the first look, or what runs would be shown as stale until the next tick."""
        self.watcher.poll()
        self._look()

    def _tick(self) -> None:
        """Hear of the run, look at the files when it is time, and show what changed."""
        if not self._is_up:
            return
        if self._terminal_is_gone():
            self.exit()
        self.main.keep_focus()
        heard = self.watcher.poll()
        ending = self.engine.poll()
        if ending and self._leaving:
            self.exit()
        elif ending:
            self._tell(ending)
        due = time.monotonic() >= self._look_at
        if heard or ending or due or self.watcher.files_changed():
            self._look()
        running = self.snapshot is not None and self.snapshot.running
        if heard or ending or (running and time.monotonic() - self._shown_at > 1):
            self._show()

    @property
    def _is_up(self) -> bool:
        """Tell whether there are widgets to show things in: not yet at the start, no more while Textual ends."""
        return self.is_running and self.main.is_mounted

    def _terminal_is_gone(self) -> bool:
        """Tell whether nobody can see this any more; Textual would read from nothing, at full speed."""
        return not (self.is_headless or self.is_web or os.isatty(0))

    def _look(self) -> None:
        if not self._looking:
            self._looking = True
            self._assess()

    @work(thread=True, group="assess")
    def _assess(self) -> None:
        began = time.monotonic()
        try:
            self.watcher.assess()
        finally:
            took = time.monotonic() - began
            self._look_at = time.monotonic() + max(LEAST_PAUSE_SECONDS, PAUSES_PER_LOOK * took)
            self._looking = False
        self.post_message(Assessed())  # which goes nowhere when the dashboard ends meanwhile

    def on_assessed(self, message: Assessed) -> None:
        """Show how things stand now."""
        del message
        self._show()

    def _show(self) -> None:
        if not (self.watcher.assessed and self._is_up):
            return  # events alone are no picture
        snapshot = self.watcher.snapshot()
        self._shown_at = time.monotonic()
        if snapshot != self.snapshot or snapshot.running:
            self.snapshot = snapshot
            self.main.show(snapshot)

    def _tell(self, ending: Ending) -> None:
        command = " ".join(ending.command)
        if ending.stopped:
            self.notify("stopped; finished stages are kept", title=command)
        elif ending.exit_code:
            self.notify(
                ending.last_line or f"exit code {ending.exit_code}",
                title=f"{command} failed",
                severity="error",
                markup=False,
            )
        else:
            self.notify(ending.last_line or "done", title=command, markup=False)

    def _run(self, *commands: Sequence[str]) -> None:
        if self.engine.running or (self.snapshot and self.snapshot.running):
            self.notify("a run is going on already; s stops it", severity="warning")
            return
        try:
            self.engine.start(*commands)
        except OSError as error:
            self.notify(f"doit can't be started: {error}", severity="error", markup=False)
        else:
            self.notify(
                " and then ".join(" ".join(["doit", *command]) for command in commands), title="started", markup=False
            )

    def action_run_selected(self) -> None:
        """Run the selected stage and what it needs, or all that is stale of the selected experiment."""
        stage, experiment = self.main.stage(), self.main.experiment()
        if experiment and experiment.problem:
            self.notify("the experiment's file has a mistake; e edits it", severity="error")
        elif stage:
            self._run([stage.job.name])
        elif experiment:
            self._run([f"build:{experiment.name}"])

    def action_run_all(self) -> None:
        """Run all that is stale of every experiment, as far as one failing does not stop the others."""
        self._run(["run", "--continue", "build"])

    def action_run_matrix(self) -> None:
        """Compile the selected experiment for every Ethos-U, as far as that was not done."""
        experiment = self.main.experiment()
        if experiment and experiment.problem:
            self.notify("the experiment's file has a mistake; e edits it", severity="error")
        elif experiment:
            self._run([f"matrix:{experiment.name}"])

    def action_force(self) -> None:
        """Make the selected stage again, though it may be fresh."""
        stage = self.main.stage()
        if stage is None:
            self.notify("select a stage first; an experiment is not made again as a whole", severity="warning")
        else:
            self._run(["forget", stage.job.name], [stage.job.name])

    @work
    async def action_stop(self) -> None:
        """Stop the run that is going on, after a question when it is somebody else's."""
        run = self.snapshot.run if self.snapshot and self.snapshot.running else None
        if self.engine.running:
            self.engine.stop()
            self.notify("stopping; what finished is kept")
        elif run is None:
            self.notify("nothing is running")
        else:
            question = (
                f"Stop a run that was started elsewhere (doit {' '.join(run.command)}, pid {run.pid} on {run.host})?"
            )
            if await self.push_screen_wait(ConfirmScreen(question, {"n": "let it run", "y": "stop it"})) == "y":
                try:
                    engine.stop_foreign(run)
                except UnrollError as error:
                    self.notify(str(error), severity="error", markup=False)

    @work
    async def action_leave(self) -> None:
        """Quit; a run of the dashboard's own goes on unless the user says otherwise."""
        if self.engine.running:
            question = "A run that you started here is going on."
            answers = {"c": "cancel", "k": "keep it running", "y": "stop it and quit"}
            answer = await self.push_screen_wait(ConfirmScreen(question, answers))
            if answer == "c":
                return
            if answer == "y":
                self.engine.stop()
                self.notify("stopping; what finished is kept")
                self._leaving = True  # when the tick hears of its end
                return
        self.exit()

    def action_edit(self) -> None:
        """Open the selected experiment in the user's editor; what became stale shows at once."""
        experiment = self.main.experiment()
        if experiment is None:
            self.notify("select an experiment first", severity="warning")
            return
        path = self.project.experiments / f"{experiment.name}.toml"
        command = engine.edit_command(path)
        if command is None:
            self.notify(f"no editor found: set $EDITOR, or edit {path} elsewhere", severity="error", markup=False)
        else:
            try:
                with self.suspend():
                    subprocess.run(command, check=False)
            except SuspendNotSupported:
                self.notify(
                    f"this terminal can't be lent to an editor; edit {path} elsewhere", severity="error", markup=False
                )
            except OSError as error:
                self.notify(f"{command[0]}: {error.strerror}", severity="error", markup=False)
            self._look()

    @work
    async def action_compare(self) -> None:
        """Open the comparison of results; its plotting library is loaded now."""
        from tui.data import results  # noqa: PLC0415 - not before it is asked for
        from tui.screens.compare import CompareScreen  # noqa: PLC0415
        from tui.widgets.stage_table import StageTable  # noqa: PLC0415

        if self.snapshot is not None and self.screen is self.main:  # a key pressed twice opens it once
            marked = self.main.query_one(StageTable).marked
            await self.push_screen(CompareScreen(results.catalogue(self.snapshot), marked, self.now))

    def go_to(self, experiment: str, job: str | None) -> None:
        """Show an experiment, or one of its stages, whatever screen lies above."""
        while self.screen is not self.main:
            self.pop_screen()
        self.main.select(experiment, job)

    def action_help(self) -> None:
        """Show the keys, the signs and the words."""
        self.push_screen(HelpScreen())

    def action_copy_or_leave(self) -> None:
        """Copy what the mouse selected; without a selection, quit as in any terminal program."""
        selected = self.screen.get_selected_text()
        if selected:
            self._copy(selected)
            self.screen.clear_selection()
        else:
            self.action_leave()

    def action_copy(self) -> None:
        """Copy what the cursor is on: an operator, a line of the log, a stage and why, an experiment's path."""
        self._copy(self.main.under_cursor())

    def _copy(self, text: str) -> None:
        if text:
            self.copy_to_clipboard(text)
            self.notify(formats.clipped(text, 300), title="copied", markup=False)

    def action_picture(self) -> None:
        """Save the screen as an SVG."""
        self.notify(self.save_screenshot(), title="picture saved", markup=False)
