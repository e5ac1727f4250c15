"""``doit check``: budgets for CI, and what changed since an earlier result, for a pull request."""

import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec
from doit.exceptions import TaskFailed

from pipeline.engine.build import Build
from pipeline.engine.job_graph import Job
from pipeline.engine.results.record import Record
from pipeline.errors import UnrollError
from pipeline.metrics import Metric, compared
from pipeline.stages.catalogue import STAGES
from pipeline.text import tables
from pipeline.text.quantities import NUMBER
from pipeline.views import budget, verified
from pipeline.views.subject import Subject

SCHEMA = 2
METRICS: Mapping[str, Metric] = {metric.name: metric for stage in STAGES.values() for metric in compared(stage.metrics)}
"""What a baseline keeps, by name."""


class BaselineError(UnrollError):
    """A baseline that can't be used, and why."""


def answer_check(
    build: Build,
    subjects: Sequence[Subject],
    as_json: bool,  # noqa: FBT001 - doit calls it with this name
    baseline: str,
) -> TaskFailed | None:
    """Print every budget with value and margin, or what changed since a baseline; fail when one is not kept."""
    if not subjects:
        return TaskFailed("no experiment has a [budget]: there is nothing to check")
    try:
        earlier = read_baseline(Path(baseline)) if baseline else None
    except BaselineError as error:
        return TaskFailed(f"--baseline {baseline}: {error}")
    found = [_checked(build, subject) for subject in subjects]
    if as_json:
        json.dump(as_document(found, earlier), sys.stdout, indent=1)
        print()  # noqa: T201 - what was asked for
    else:
        lines = [line for each in found for line in (_lines(each) if earlier is None else _markdown(each, earlier))]
        print("\n".join(lines).strip())  # noqa: T201 - what was asked for
    broken = [
        f"{each.name}: {budget.sentence(verdict)}" for each in found for verdict in each.verdicts if not verdict.passed
    ]
    return TaskFailed("; ".join(broken)) if broken else None


class Checked(msgspec.Struct, frozen=True, kw_only=True):
    """An experiment's verdicts, and the numbers that a later check may be compared with."""

    name: str
    stand_in: str | None
    verdicts: list[budget.Verdict]
    metrics: dict[str, float]
    """``scores.quantized.accuracy``, ``u55-128.cycles_total``, ..."""
    proofs: dict[str, str]
    """What is proved of the compiled file, in words, by target."""


def _checked(build: Build, subject: Subject) -> Checked:
    jobs = [job for job in subject.jobs if build.known(job).record]
    records = [record for job in jobs if (record := build.known(job).record)]
    return Checked(
        name=subject.name,
        stand_in=next((record.stand_in for record in records if record.stand_in), None),
        verdicts=budget.verdicts(
            subject.budget, jobs, records, [record for job in subject.twin if (record := build.known(job).record)]
        ),
        metrics=_metrics(jobs, records),
        proofs={
            job.target or "": verified.result(record) for job, record in zip(jobs, records, strict=True) if job.verifies
        },
    )


def _metrics(jobs: Sequence[Job], records: Sequence[Record]) -> dict[str, float]:
    numbers: dict[str, float] = {}
    for job, record in zip(jobs, records, strict=True):
        prefix = f"{job.target}." if job.target else ""
        for metric in compared(job.stage.metrics):
            value = metric.of(record.metrics)
            if value is not None:
                numbers[f"{prefix}{metric.name}"] = value
    return numbers


def as_document(found: Sequence[Checked], earlier: Mapping[str, Mapping[str, float]] | None) -> dict[str, Any]:
    """Return the verdicts for scripts; the document is also what ``--baseline`` takes."""
    experiments = [
        {
            **msgspec.to_builtins(each),
            "passed": all(verdict.passed for verdict in each.verdicts),
            **({} if earlier is None else {"baseline": earlier.get(each.name)}),
        }
        for each in found
    ]
    return {
        "schema": SCHEMA,
        "passed": all(experiment["passed"] for experiment in experiments),
        "experiments": experiments,
    }


def read_baseline(path: Path) -> dict[str, Mapping[str, float]]:
    """Return the metrics of an earlier ``doit check --json`` by experiment.

    Raises:
        BaselineError: the file can't be read, or is something else.

    """
    try:
        document = json.loads(path.read_bytes())
        if document["schema"] != SCHEMA:
            message = f"has schema {document['schema']}, this version reads {SCHEMA}; make it again"
            raise BaselineError(message)
        numbers = {each["name"]: each["metrics"] for each in document["experiments"]}
        return {name: {str(key): float(value) for key, value in found.items()} for name, found in numbers.items()}
    except OSError as error:
        message = f"can't be read: {error.strerror}"
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        message = "is not what doit check --json prints"
    raise BaselineError(message)


def _lines(found: Checked) -> list[str]:
    lines = [f"{found.name}: {_outcome(found)}"]
    if found.verdicts:
        rows = [budget.cells(verdict) for verdict in found.verdicts]
        lines += [f"  {line}" for line in tables.plain(budget.HEADER, rows, right=(2, 3, 4))]
    return [*lines, *(f"  {line}" for line in _proofs(found)), *_warnings(found), ""]


def _proofs(found: Checked) -> list[str]:
    return [f"compiled file for {target}: {words}" for target, words in found.proofs.items()]


def _outcome(found: Checked) -> str:
    broken = sum(not verdict.passed for verdict in found.verdicts)
    if not found.verdicts:
        return f"no [budget] in experiments/{found.name}.toml"
    return (
        f"{broken} of {len(found.verdicts)} budgets not kept" if broken else f"all {len(found.verdicts)} budgets kept"
    )


def _warnings(found: Checked) -> list[str]:
    return [f"WARNING: accuracies are of the stand-in {found.stand_in}"] if found.stand_in else []


def _markdown(found: Checked, earlier: Mapping[str, Mapping[str, float]]) -> list[str]:
    """Return a table of what changed, as a pull request shows it."""
    lines = [f"### {found.name}: {_outcome(found)}", ""]
    before = earlier.get(found.name)
    if before is None:
        lines += ["Not in the baseline.", ""]
    names = list(dict.fromkeys([*found.metrics, *(before or {})]))
    rows = [_change(name, (before or {}).get(name), found.metrics.get(name)) for name in names]
    lines += tables.markdown(("metric", "baseline", "now", "change"), rows, right=(1, 2, 3))
    broken = [f"- **not kept**: {budget.sentence(verdict)}" for verdict in found.verdicts if not verdict.passed]
    proofs = [f"- {line}" for line in _proofs(found)]
    return [*lines, "", *broken, *proofs, *_warnings(found), ""]


def _change(name: str, before: float | None, now: float | None) -> tuple[str, ...]:
    metric = _metric(name)
    show = metric.quantity.exact if metric else str
    shown = ["-" if value is None else show(value) for value in (before, now)]
    return (name, *shown, _difference(metric, before, now))


def _metric(name: str) -> Metric | None:
    """Return the metric of a name in a baseline, which may begin with that of a target; None for one of before."""
    return next((metric for key, metric in METRICS.items() if name == key or name.endswith(f".{key}")), None)


def _difference(metric: Metric | None, before: float | None, now: float | None) -> str:
    if before is None or now is None:
        return "new" if before is None else "gone"
    if before == now:
        return "="
    quantity = metric.quantity if metric else NUMBER
    if quantity.difference is tables.change and not before:
        return f"+{quantity.exact(now)}"
    return quantity.difference(before, now)
