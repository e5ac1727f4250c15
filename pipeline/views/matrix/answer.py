"""What the dodo file answers beside building: what the model costs everywhere, and why."""

import json
import sys
from collections.abc import Mapping, Sequence
from itertools import groupby
from typing import Any, NamedTuple

import msgspec
from doit.exceptions import TaskFailed

from pipeline.engine.build import Build
from pipeline.engine.job_graph import Job, provider
from pipeline.metrics import costs
from pipeline.npu import boards, points
from pipeline.npu.boards import Board, BoardError
from pipeline.npu.points import Point
from pipeline.npu.section import Strategy
from pipeline.stages.catalogue import STAGES
from pipeline.text import tables
from pipeline.text.nearest import did_you_mean
from pipeline.text.quantities import MILLISECONDS
from pipeline.views.matrix import compiling, explain
from pipeline.views.matrix.compiling import Matrix, Row
from pipeline.views.matrix.explain import Claim

SCHEMA = 2
STRATEGIES: Mapping[str, tuple[Strategy, ...]] = {
    "Performance": ("Performance",),
    "Size": ("Size",),
    "both": ("Performance", "Size"),
}


class Asked(NamedTuple):
    """Whom to ask about what."""

    build: Build
    jobs: Sequence[Job]
    """Every job of one experiment."""
    twin: Sequence[Job] = ()
    """Every job of the same experiment without ``[compress]``, if it has that section."""

    @property
    def experiment(self) -> str:
        """Return its name."""
        return self.jobs[0].experiment

    @property
    def targets(self) -> dict[str, Point]:
        """Return what the experiment itself is compiled for."""
        return {job.target: points.of_config(job.config) for job in self.jobs if job.target and job.compiles}


def answer_matrix(
    asked: Asked,
    as_json: bool,  # noqa: FBT001 - doit calls it with this name
    every: bool,  # noqa: FBT001 - as above
    optimise: str,
    target: str,
) -> TaskFailed | None:
    """Print what a model costs at every point, and why it costs what it does on one of its targets."""
    targets = asked.targets
    name = target or next(iter(targets))
    if name not in targets:
        return TaskFailed(f"--target {target}: {did_you_mean(target, list(targets))}")
    if optimise not in STRATEGIES:
        return TaskFailed(f"--optimise {optimise}: {did_you_mean(optimise, list(STRATEGIES))}")
    try:
        found = make_matrix(asked, every=every, strategies=STRATEGIES[optimise])
    except BoardError as error:
        return TaskFailed(str(error))
    about = found.row(targets[name])
    said = explain.claims(found, about) if about and about.record else []
    if as_json:
        _print_json(matrix_as_json(found, name, said))
    else:
        print("\n".join(lines(found, name, said)))  # noqa: T201 - what was asked for
    return TaskFailed("", report=False) if found.failed else None


def make_matrix(asked: Asked, *, every: bool, strategies: tuple[Strategy, ...]) -> Matrix:
    """Compile what is missing of the matrix of an experiment, and of its own targets with either strategy."""
    needed = provider(asked.jobs, "quantized")
    own = [
        Point(**{**point.as_config(), "optimise": way})
        for point in asked.targets.values()
        for way in STRATEGIES["both"]
    ]
    chosen = sorted({*own, *points.points(every=every, strategies=strategies)}, key=points.place)
    variants = [msgspec.structs.replace(point, clusters=explain.CLUSTERS) for point in asked.targets.values()]
    known = boards.load_all(asked.build.project.root)
    wanted = list(dict.fromkeys([*chosen, *variants, *(board.point() for board in known)]))
    compiled = compiling.jobs_of(wanted, needed)
    failures = compiling.compile_all(asked.build, compiled)
    rows = dict(zip(wanted, compiling.rows(asked.build, compiled, failures, asked.targets), strict=True))
    return Matrix(
        experiment=asked.experiment,
        rows=tuple(rows[point] for point in chosen),
        variants=tuple(rows[point] for point in dict.fromkeys(variants)),
        boards=tuple((board, rows[board.point()]) for board in known),
        impossible=tuple(points.impossible(every=every)),
    )


COLUMNS = costs(STAGES["vela"].metrics)
"""What a point costs; the use of the MACs stands behind what they take."""
MAC_USE = sum(metric.per_inference for metric in COLUMNS)
HEADER = (
    "accelerator",
    "memory mode",
    *(metric.column for metric in COLUMNS[:MAC_USE]),
    "MAC use",
    *(metric.column for metric in COLUMNS[MAC_USE:]),
    "",
)
RIGHT = tuple(range(2, len(HEADER) - 1))


def cells(row: Row) -> tuple[str, ...]:
    """Return a row of the matrix as text, under ``HEADER``."""
    point = row.point
    mode = point.memory_mode + (f" ({point.optimise})" if point.optimise != "Performance" else "")
    if row.record is None:
        return (point.accelerator, mode, *["-"] * len(RIGHT), f"failed: {row.failure}")
    shown = [metric.cell(metric.of(row.record.metrics)) for metric in COLUMNS]
    use = row.mac_utilization
    shown.insert(MAC_USE, "-" if use is None else tables.percent(use, 1))
    return (point.accelerator, mode, *shown, f"<- {row.target}" if row.target else "")


TIME = next(metric for metric in COLUMNS if metric.quantity is MILLISECONDS)
BOARD_HEADER = ("board", "fits", TIME.column, "what is missing")
FITS = {True: "yes", False: "no", None: "not known"}


def board_cells(found: Matrix) -> list[tuple[str, ...]]:
    """Return every board as text, under ``BOARD_HEADER``."""
    rows: list[tuple[str, ...]] = []
    for board, row in found.boards:
        if row.record is None:
            rows.append((board.name, "-", "-", f"failed: {row.failure}"))
        else:
            metrics = row.record.metrics
            rows.append((board.name, FITS[board.fits(metrics)], TIME.cell(TIME.of(metrics)), board.said(metrics)))
    return rows


def lines(found: Matrix, target: str, said: Sequence[Claim]) -> list[str]:
    """Return the matrix and the reason as lines of text."""
    text = [f"{found.experiment}: what it costs on every Ethos-U, as Vela estimates it"]
    text += [f"WARNING: the model was trained on the stand-in {found.stand_in}"] * bool(found.stand_in)
    table = tables.plain(HEADER, [cells(row) for row in found.rows], RIGHT)
    by_system = groupby(zip(found.rows, table[1:], strict=True), key=lambda pair: pair[0].point.system_config)
    for index, (system, pairs) in enumerate(by_system):
        members = list(pairs)
        clock = next((row.record.metrics["core_clock_hz"] for row, _ in members if row.record), None)
        text += ["", f"{system}{f', {tables.figure(clock / 1e6, 0)} MHz' if clock else ''}"]
        text += [f"  {line}" for line in ([table[0]] if index == 0 else []) + [line for _, line in members]]
    text += ["", *not_known_lines(found), *impossible_lines(found)]
    text += [f"failed: {row.point.name}: {row.failure}" for row in found.variants if row.failure]
    text += ["", "boards:", *(f"  {line}" for line in tables.plain(BOARD_HEADER, board_cells(found), right=(2,)))]
    if said:
        text += ["", f"why, on {target}, as Vela estimates it:", *(f"  - {claim.text}" for claim in said)]
    return text


def not_known_lines(found: Matrix) -> list[str]:
    """Return what a dash in the matrix stands for, the points of one reason in one line."""
    by_reason: dict[str, list[str]] = {}
    for row in found.rows:
        for why in dict.fromkeys(row.record.unavailable.values() if row.record else ()):
            by_reason.setdefault(why, []).append(row.point.name)
    on_cpu = any(row.record and row.record.metrics["cpu_operators"] for row in found.rows)
    return ["cycles and ms are the NPU's alone: what runs on the CPU is in no number here"] * on_cpu + [
        f"not known: {why} ({'every point' if len(names) == len(found.rows) else ', '.join(names)})"
        for why, names in by_reason.items()
    ]


def impossible_lines(found: Matrix) -> list[str]:
    """Return the pairs that can't be, those of one reason in one line."""
    by_reason: dict[str, list[str]] = {}
    for pair in found.impossible:
        by_reason.setdefault(pair.reason, []).append(pair.accelerator)
    return [f"not possible: {', '.join(dict.fromkeys(names))}: {why}" for why, names in by_reason.items()]


def matrix_as_json(found: Matrix, target: str, said: Sequence[Claim]) -> dict[str, Any]:
    """Return the matrix and the reason for scripts."""
    return {
        "schema": SCHEMA,
        "experiment": found.experiment,
        "stand_in": found.stand_in,
        "points": [_row_as_json(row) for row in found.rows],
        "impossible": [pair._asdict() for pair in found.impossible],
        "boards": [_board_as_json(board, row) for board, row in found.boards],
        "reason": {
            "target": target,
            "basis": "estimated",
            "claims": [msgspec.to_builtins(claim) for claim in said],
        },
    }


def _board_as_json(board: Board, row: Row) -> dict[str, Any]:
    found = row.record.metrics if row.record else None
    return {
        **msgspec.to_builtins(board),
        "fits": None if found is None else board.fits(found),
        "missing": None if found is None else board.missing(found),
        "unknown": None if found is None else board.unknown(found),
        "compile": _row_as_json(row),
    }


def _row_as_json(row: Row) -> dict[str, Any]:
    record = row.record
    return {
        "name": row.point.name,
        **row.point.as_config(),
        "target": row.target,
        "failure": row.failure,
        "mac_utilization": row.mac_utilization,
        "metrics": record.metrics if record else None,
        "unavailable": record.unavailable if record else None,
        "basis": record.basis if record else None,
    }


def _print_json(document: Mapping[str, Any]) -> None:
    json.dump(document, sys.stdout, indent=1, ensure_ascii=False)
    print()  # noqa: T201 - what was asked for
