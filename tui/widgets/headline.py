"""The top line: how the project stands, and what is going on."""

from textual.content import Content
from textual.widgets import Static

from tui.data import formats
from tui.data.project import Snapshot
from tui.widgets import styling


class Headline(Static):
    """One line that is true at a glance."""

    def show(self, snapshot: Snapshot, now: float) -> None:
        """Show how things stand now."""
        self.update(headline(snapshot, now))


def headline(snapshot: Snapshot, now: float) -> Content:
    """Return the line's text."""
    stages = snapshot.stages()
    stand = (
        "all fresh"
        if stages and not snapshot.stale
        else f"{snapshot.stale:,} of {formats.count(len(stages), 'stage')} not fresh"
    )
    wrong = [experiment.name for experiment in snapshot.experiments if experiment.problem]
    parts: list[Content | str] = [styling.text("Unroll", "bold"), "   "]
    if stages or not wrong:
        parts += [stand if stages else "no experiments", "   "]
    if wrong:
        parts += [styling.text(f"! {wrong[0]} has a mistake", "$text-error bold"), "   "]
    if any(experiment.stand_in for experiment in snapshot.experiments):
        parts += [styling.text("STAND-IN data", "$text-warning bold"), "   "]
    running = next((stage for stage in stages if stage.state == "running"), None)
    if running:
        progress = running.latest.progress if running.latest else None
        remaining = progress.remaining(now) if progress else None
        share = f" {100 * progress.share:.0f} %" if progress else ""
        to_go = f", {formats.duration(remaining)} to go" if remaining is not None else ""
        parts += [styling.text(f"▶ {running.job.name}{share}{to_go}", "$text-accent bold")]
    elif snapshot.running:
        parts += [styling.text("▶ a build is going on", "$text-accent bold")]
    elif snapshot.run and snapshot.run.failed:
        parts += [styling.text(f"✗ {snapshot.run.failed[0]} failed", "$text-error bold")]
    return styling.row(*parts)
