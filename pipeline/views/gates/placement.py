"""The placement gate: operators that Vela leaves on the CPU fail the build unless the experiment allows them."""

from collections.abc import Sequence
from typing import Any

import msgspec
from doit.exceptions import TaskFailed

from pipeline.engine.build import Build
from pipeline.engine.job_graph import Job
from pipeline.npu.on_cpu import line
from pipeline.npu.roles import roles

MOST_LINES = 20
"""Operators that are printed for each target; all of them stand in its ``stage.json``."""


class OnCpu(msgspec.Struct, frozen=True, kw_only=True):
    """An operator that stays on the CPU."""

    operator: str
    name: str
    """Of its first output; empty where there is none."""
    graph: str | None
    """Its graph, where the compiled file has several."""
    step: int | None
    """Time step, counted from 1; None outside the recurrent layer."""
    reason: str
    """Vela's."""

    def __str__(self) -> str:
        """Say what, where and why."""
        return line(msgspec.structs.asdict(self), self.step)


def surplus(build: Build, jobs: Sequence[Job], allowed: int) -> dict[str, int]:
    """Return how many operators stay on the CPU for each target where that is more than is allowed."""
    counts = {job.target or "": _metrics(build, job)["cpu_operators"] for job in jobs}
    return {target: count for target, count in counts.items() if count > allowed}


def on_cpu(build: Build, job: Job) -> list[OnCpu]:
    """Return the operators that a compile left on the CPU, each graph in order of execution."""
    rows: list[dict[str, Any]] = _metrics(build, job)["cpu_operators_by_name"]
    if not rows:
        return []
    layers = msgspec.json.decode((job.link / "layers.json").read_bytes())["layers"]
    steps = {layer["name"]: role.step for layer, role in zip(layers, roles(layers), strict=True)}
    return [OnCpu(**row, step=steps.get(row["name"])) for row in rows]


def gate(build: Build, jobs: Sequence[Job], allowed: int) -> TaskFailed | None:
    """List what stays on the CPU, and fail when that is more than is allowed."""
    too_many = surplus(build, jobs, allowed)
    for job in jobs:
        if job.target in too_many:
            found = on_cpu(build, job)
            rest = [f"  ... and {len(found) - MOST_LINES} more: {job.shown_link}/stage.json"] * (
                len(found) > MOST_LINES
            )
            print("\n".join([f"{job.target}, on the CPU:", *(f"  {each}" for each in found[:MOST_LINES]), *rest]))  # noqa: T201 - the list is the point
    if not too_many:
        return None
    counts = ", ".join(f"{count} on {target}" for target, count in too_many.items())
    most = max(too_many.values())
    return TaskFailed(
        f"operators stay on the CPU ({counts}), {allowed} allowed: change the model,"
        f" or allow them with budget.cpu_operators_max = {most}"
    )


def _metrics(build: Build, job: Job) -> dict[str, Any]:
    """Return the metrics of a compile; one without a result has left nothing anywhere."""
    record = build.known(job).record
    return record.metrics if record else {"cpu_operators": 0, "cpu_operators_by_name": []}
