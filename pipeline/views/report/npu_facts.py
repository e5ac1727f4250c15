"""What the report says of the NPU: targets with their proof and layers, the matrix, the boards."""

from collections.abc import Sequence
from typing import Any

from pipeline.engine.job_graph import Job
from pipeline.engine.results.record import Record
from pipeline.npu.vela_report import bound
from pipeline.views.gates.placement import on_cpu
from pipeline.views.matrix import answer, explain
from pipeline.views.matrix.answer import Asked
from pipeline.views.matrix.compiling import Matrix
from pipeline.views.verified import result


def verified(made: Sequence[tuple[Job, Record]], compiled: Job) -> dict[str, Any] | None:
    """Return what was verified of a target's compiled file."""
    found = next((record for job, record in made if job.stage.name == "verify" and job.target == compiled.target), None)
    if found is None:
        return None
    return {
        "result": result(found),
        "checks": [
            (check["name"], f"{check['checked']:,} {check['unit']}", f"{check['failed']:,}")
            for check in found.metrics["checks"]
        ],
        "only_by_samples": found.metrics["only_by_samples"],
        "not_verified": found.metrics["not_verified"],
        "failures": found.metrics["failures"],
    }


def target(asked: Asked, job: Job, found: Matrix, proved: dict[str, Any] | None) -> dict[str, Any]:
    """Return what a target costs: by bound, by role and by layer."""
    row = found.row(asked.targets[job.target or ""])
    here = explain.read(row) if row and row.record else None
    shares = here.bound_by if here else []
    total = sum(cycles for _, cycles in shares) or 1
    return {
        "name": job.target,
        "proof": proved,
        "config": ", ".join(str(value) for value in job.config["target"].values() if value is not None),
        "bounds": [(name, cycles / total, f"{cycles:,}") for name, cycles in shares],
        "roles": [(name, cycles / total, f"{cycles:,}") for name, cycles in (here.by_role if here else [])],
        "no_layers": here.no_layers if here else "",
        "on_cpu": [str(operator) for operator in on_cpu(asked.build, job)],
        "layers": [
            (
                layer["name"],
                layer["operator"],
                role.name,
                role.step or "",
                layer["target"],
                f"{layer['cycles']:,}",
                bound(layer) if layer["cycles"] else "",
            )
            for layer, role in (zip(here.layers, here.roles, strict=True) if here else ())
        ],
    }


def matrix(found: Matrix) -> dict[str, Any]:
    """Return the rows of the matrix by system config, and the pairs that can't be."""
    systems: dict[str, list[tuple[str, ...]]] = {}
    for row in found.rows:
        systems.setdefault(row.point.system_config, []).append(answer.cells(row))
    return {
        "header": answer.HEADER,
        "right": answer.RIGHT,
        "systems": systems,
        "impossible": [*answer.not_known_lines(found), *answer.impossible_lines(found)],
    }


def boards(found: Matrix) -> dict[str, Any]:
    """Return whether each board can hold the model, with the sources of what is known of it."""
    rows = [
        (*cells, "; ".join(f"{key}: {source}" for key, source in board.sources.items()))
        for cells, (board, _) in zip(answer.board_cells(found), found.boards, strict=True)
    ]
    return {"header": (*answer.BOARD_HEADER, "sources"), "rows": rows}
