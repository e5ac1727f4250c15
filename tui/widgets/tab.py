"""What the panels on the right have in common."""

from dataclasses import dataclass
from typing import ClassVar

from textual import events
from textual.binding import BindingType
from textual.containers import VerticalScroll

from tui.data.project import ExperimentStatus, Snapshot, StageStatus
from tui.widgets.keys import SCROLL_KEYS


@dataclass(frozen=True, slots=True)
class View:
    """What is selected, and everything else at that moment."""

    snapshot: Snapshot
    experiment: ExperimentStatus
    stage: StageStatus | None
    """None when the experiment itself is selected."""
    now: float
    """Seconds since the epoch."""

    def all_of(self, kind: str) -> list[StageStatus]:
        """Return the experiment's stages of a kind: one for each target, where there are targets."""
        return [stage for stage in self.experiment.stages if stage.job.stage.name == kind]

    def compiles(self) -> list[StageStatus]:
        """Return the compiles of the selected target; of all, when none is selected."""
        target = self.stage.job.target if self.stage else None
        return [stage for stage in self.all_of("vela") if target in {None, stage.job.target}]


class Panel(VerticalScroll):
    """Shows one aspect of what is selected; draws only when it is in sight, and again when its width changes."""

    BINDINGS: ClassVar[list[BindingType]] = SCROLL_KEYS

    view: View | None = None

    def show(self, view: View) -> None:
        """Show what is selected."""
        self.view = view
        if self.columns > 0:
            self.draw(view)

    def draw(self, view: View) -> None:
        """Draw; ``columns`` tells for which width."""
        raise NotImplementedError

    @property
    def columns(self) -> int:
        """Columns there are for text."""
        return self.scrollable_content_region.width

    def on_resize(self, event: events.Resize) -> None:
        """Draw for the new width."""
        del event
        if self.view is not None and self.columns > 0:
            self.draw(self.view)
