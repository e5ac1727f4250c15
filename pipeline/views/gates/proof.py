"""The gate of ``[verify] require``: results that are proved less than that fail the build, and stay where they are."""

from collections.abc import Iterable, Sequence

from doit.exceptions import TaskFailed

from pipeline.engine.build import Build
from pipeline.engine.job_graph import Job
from pipeline.engine.results.record import Record
from pipeline.verification.verdicts import ENOUGH, EXIT_CODES, FULL, NONE, PARTLY, SEVEREST, SOME
from pipeline.views import verified


class Unproved(TaskFailed):  # type: ignore[misc] # doit has no types
    """Results that are there, and not proved as far as they must be; doit ends with a code of its own."""

    def __init__(self, sentence: str, verdicts: Sequence[str]) -> None:
        """Take the sentence, and the verdicts that are not enough."""
        super().__init__(sentence)
        self.code = severest(EXIT_CODES[verdict] for verdict in verdicts)


def severest(codes: Iterable[int]) -> int:
    """Return the exit code that says most of several."""
    return min(codes, key=SEVEREST.index)


def short(build: Build, jobs: Sequence[Job], require: str) -> dict[str, Record]:
    """Return by target the results of verifying that prove less than is required."""
    records = {job.target or "": record for job in jobs if (record := build.known(job).record)}
    return {target: record for target, record in records.items() if verified.verdict(record) not in ENOUGH[require]}


def gate(build: Build, jobs: Sequence[Job], require: str) -> Unproved | None:
    """Fail, with what was not proved of which target and the remedy, when that is less than is required."""
    less = short(build, jobs, require)
    if not less:
        return None
    targets: dict[tuple[str, str], list[str]] = {}
    for target, record in less.items():
        targets.setdefault((verified.verdict(record), "; ".join(verified.lacking(record))), []).append(target)
    found = "; ".join(f"{verdict} for {' and '.join(of)} ({why})" for (verdict, why), of in targets.items())
    verdicts = [verified.verdict(record) for record in less.values()]
    allowed = SOME if require == FULL and set(verdicts) == {PARTLY} else NONE
    return Unproved(
        f'verify.require = "{require}" is not met: {found}. Change the model or the target, or allow it with [verify]'
        f' require = "{allowed}"; what was made is in place',
        verdicts,
    )
