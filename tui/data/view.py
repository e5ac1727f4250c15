"""What is selected: all that a tab draws from."""

from dataclasses import dataclass

from tui.data.project import ExperimentStatus, Snapshot, StageStatus


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
