"""What ``doit check`` is asked about: an experiment, its jobs and its budget."""

from collections.abc import Sequence
from typing import NamedTuple

from pipeline.engine.job_graph import Job
from pipeline.experiments.schema import Budget
from pipeline.metrics import compared


def is_checked(job: Job) -> bool:
    """Tell whether a job's result is held against budgets and baselines."""
    return bool(compared(job.stage.metrics))


class Subject(NamedTuple):
    """An experiment to check."""

    name: str
    jobs: Sequence[Job]
    budget: Budget
    twin: Sequence[Job] = ()
    """Jobs of the same experiment without ``[compress]``, if it has that section."""

    @property
    def judged(self) -> list[Job]:
        """Return the jobs whose results are looked at."""
        return [job for job in [*self.jobs, *self.twin] if is_checked(job)]
