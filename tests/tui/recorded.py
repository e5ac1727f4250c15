"""A project whose results are laid down instead of built: the same numbers and times every time.

Everything is written in the form in which the build leaves it, and read by the real code.
"""

import json
import os
import platform
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from pipeline.engine import job_graph
from pipeline.engine.job_graph import Job
from pipeline.engine.project import Project
from pipeline.engine.results.record import SCHEMA, Record
from pipeline.engine.status import Assessor, State
from pipeline.experiments import experiment
from pipeline.experiments.twin import with_twin
from pipeline.npu import boards, points
from pipeline.views.matrix import compiling
from tests.pipeline.records import layers_of_keras

NOW = 1_800_000_000.0
"""Seconds since the epoch at which every recorded screen is looked at."""
MINUTE, HOUR = 60.0, 3600.0

EXPERIMENT = """
description = "{description}"

[dataset]
name = "mnist"
stand_in = "digits"

[model]
cell = "gru"
units = {units}

"""
TARGET = """
[vela.targets.u55-128]
accelerator = "ethos-u55-128"
system_config = "Ethos_U55_High_End_Embedded"
memory_mode = "Shared_Sram"
"""
BUDGET = "\n[budget]\nsram_max = 262144\nflash_max = 524288\ninference_ms_max = 20.0\n"

SECONDS = {
    "dataset": 1.5,
    "network": 26.6,
    "compressed": 31.2,
    "unrolled": 7.1,
    "quantized": 7.6,
    "accuracy": 9.7,
    "vela": 0.6,
    "verify": 9.1,
}
BY_CLASS = (0.99, 0.995, 0.985, 0.98, 0.978, 0.976, 0.986, 0.972, 0.98, 0.97)


def writable(artefact: Path) -> Path:
    """Let an artefact be damaged, which the store keeps read-only for everybody but root."""
    artefact.chmod(0o644)
    return artefact


class Recorded:
    """Lays down experiments, results and events in the current folder."""

    def __init__(self) -> None:
        """Lay down nothing yet."""
        self.project = Project()

    def write(
        self, name: str = "keyword", *, units: int = 256, description: str = "wakes the board", budget: bool = False
    ) -> None:
        """Write an experiment's file."""
        Path("experiments").mkdir(exist_ok=True)
        text = EXPERIMENT.format(units=units, description=description) + TARGET + BUDGET * budget
        Path(f"experiments/{name}.toml").write_text(text, encoding="utf-8")

    def write_imported(self, name: str = "elsewhere") -> None:
        """Write an experiment whose model was made elsewhere, and the model."""
        text = f'description = "made elsewhere"\n[model]\ntflite = "{name}.tflite"\n{TARGET}'
        Path(f"experiments/{name}.toml").write_text(text, encoding="utf-8")
        Path(f"{name}.tflite").write_text(f"model of {name}", encoding="utf-8")

    def jobs(self, name: str = "keyword", *, twin: bool = False) -> list[Job]:
        """Return the jobs of an experiment, or of the same without ``[compress]``."""
        return job_graph.jobs(*with_twin(name, experiment.load(name))[-1 if twin else 0])

    def build(  # noqa: PLR0913 - what tests vary
        self,
        name: str = "keyword",
        *,
        int8: float = 0.9825,
        cycles: int = 6_000_000,
        finished: float = NOW - HOUR,
        stand_in: str | None = None,
        twin: bool = False,
    ) -> None:
        """Lay down the result of every stage, as doit would have left it."""
        states: dict[str, State] = {}
        assessor = Assessor(self.project)
        for job in self.jobs(name, twin=twin):
            inputs = assessor.assess(job, states).inputs
            assert inputs is not None
            with self.project.store.scratch_folder() as scratch:
                self._publish(scratch, job, inputs, int8=int8, cycles=cycles, finished=finished, stand_in=stand_in)
            states[job.name] = assessor.assess(job, states)

    def compile_matrix(self, name: str = "keyword", *, points_left_out: int = 0) -> None:
        """Lay down the compiles of ``doit matrix``, those for boards as well."""
        states: dict[str, State] = {}
        assessor = Assessor(self.project)
        for job in self.jobs(name):
            states[job.name] = assessor.assess(job, states)
        needed = next(job for job in self.jobs(name) if job.stage.name == "quantized")
        chosen = list(points.points(every=False))[points_left_out:]
        wanted = dict.fromkeys([*chosen, *(board.point() for board in boards.load_all())])
        for point, job in zip(wanted, compiling.jobs_of(list(wanted), needed), strict=True):
            inputs = assessor.assess(job, states).inputs
            assert inputs is not None
            cycles = 800_000 if point.memory_mode == "Sram_Only" else 6_000_000 - 1000 * point.macs_per_cycle
            with self.project.store.scratch_folder() as scratch:
                self._publish(scratch, job, inputs, int8=0.0, cycles=cycles, finished=NOW - HOUR, stand_in=None)

    def _publish(
        self, scratch: Path, job: Job, inputs: dict[str, Any], *, finished: float, stand_in: str | None, **found: Any
    ) -> None:
        folder = scratch / "result"
        folder.mkdir()
        metrics, basis = _results(job, folder, **found)
        record = Record(
            schema=SCHEMA,
            stage=job.stage.name,
            experiment=job.experiment,
            target=job.target,
            key=State(fresh=False, reasons=(), inputs=inputs, record=None, in_place=False).key or "",
            inputs=inputs,
            outputs=self.project.store.describe_outputs(folder),
            metrics=metrics,
            unavailable=dict.fromkeys(_absent(metrics), "there is no test set"),
            basis=dict.fromkeys(metrics, basis),
            stand_in=stand_in,
            seconds=SECONDS[job.stage.name],
            seconds_importing=SECONDS[job.stage.name] / 4,
            peak_memory_bytes=512 * 2**20,
            finished=finished,
        )
        self.project.store.publish(folder, record, job.link)

    def event(self, event: str, time: float, **facts: Any) -> None:
        """Append an event of the recorded run."""
        self.project.events.file.parent.mkdir(exist_ok=True)
        with self.project.events.file.open("a", encoding="utf-8") as file:
            file.write(json.dumps({"time": time, "event": event, "run": "recorded", **facts}) + "\n")

    def stage_event(self, event: str, time: float, name: str, **facts: Any) -> None:
        """Append an event of a stage, given the name of its job."""
        stage, experiment_name, target = (*name.split(":"), None)[:3]
        self.event(event, time, stage=stage, experiment=experiment_name, target=target, **facts)

    def start_run(self, time: float, name: str = "keyword") -> None:
        """Announce a run of everything, and hold the build's lock as it would."""
        plan = [job.name for job in self.jobs(name)]
        who = {"pid": os.getpid(), "host": platform.node()}
        self.event("run_started", time, **who, command=[f"build:{name}"], plan=plan)
        self._lock = self.project.lock.acquire(print)

    def end_run(self, time: float, failed: list[str]) -> None:
        """Announce its end, and release the lock."""
        self.event("run_ended", time, failed=failed)
        self._lock.release()

    def log(self, name: str, text: str) -> None:
        """Write the log of a job."""
        path = next(job.log for job in self.jobs(name.split(":")[1]) if job.name == name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")


def _absent(metrics: dict[str, Any]) -> Iterator[str]:
    """Yield the names of the metrics that are null, with dots where they are a part of a table."""
    yield from (name for name, value in metrics.items() if value is None)
    yield from (f"scores.{form}" for form, value in metrics.get("scores", {}).items() if value is None)


def _results(job: Job, folder: Path, *, int8: float, cycles: int) -> tuple[dict[str, Any], str]:
    """Write a stage's artefacts; return its metrics and their basis."""
    units = job.experiment, job.config
    match job.stage.name:
        case "dataset":
            samples = np.zeros((40, 28, 28), np.float32)
            samples[:, 4:24, 12:16] = 1.0  # a one
            samples[1::2, 4:8, 6:22] = 1.0  # a seven
            np.savez(folder / "dataset.npz", x_test=samples)
            return {"dataset": "mnist", "train_samples": 60_000, "test_samples": 10_000}, "measured"
        case "network" | "compressed":
            (folder / "model.weights.h5").write_text(f"{job.stage.name} of {units}", encoding="utf-8")
            return {"parameters": 222_218, "training_loss": 0.31, "weights_bytes": 903_960}, "measured"
        case "unrolled":
            (folder / "unrolled.tflite").write_text(f"graph of {units}", encoding="utf-8")
            return {"largest_difference": 3e-7}, "measured"
        case "quantized":
            (folder / "quantized.tflite").write_text(f"int8 {int8} {cycles}", encoding="utf-8")
            known: dict[str, Any] = {"model_bytes": 964_096, "activations": "int8"}
            absent = {"scores": {"float": None, "quantized": None}} if "model" in job.config else {}
            return known | absent, "measured"
        case "accuracy":
            return _accuracy(folder, int8), "measured"
    return (_vela(folder, cycles), "estimated") if job.compiles else (_verify(int8), "emulated")


def _accuracy(folder: Path, int8: float) -> dict[str, Any]:
    labels = np.arange(40) % 10
    in_float, in_int8 = labels.copy(), labels.copy()
    in_int8[[7, 21]] = [1, 7]
    np.savez(folder / "predictions.npz", labels=labels, float=in_float, quantized=in_int8)
    matrix = np.diag(np.full(10, 970))
    matrix[4, 9], matrix[7, 2] = 14, 8
    confusion = {"float": matrix.tolist(), "quantized": matrix.tolist()}
    (folder / "confusion.json").write_text(json.dumps(confusion), encoding="utf-8")
    return {
        "test_samples": 10_000,
        "task": "classification",
        "activations": "int8",
        "scores": {
            "float": {"accuracy": 0.9819, "accuracy_by_class": list(BY_CLASS)},
            "quantized": {
                "accuracy": int8,
                "accuracy_by_class": [share + 0.001 * (label % 3 == 0) for label, share in enumerate(BY_CLASS)],
            },
            "micro": {"accuracy": int8 - 0.0001},
        },
        "micro_identical": 8570,
        "changed_predictions": 2,
        "changed_to_wrong": 1,
        "changed_to_right": 1,
    }


def _verify(int8: float) -> dict[str, Any]:
    checks = {"input pairs": 10_879_232, "weights": 5_332_480, "output channels": 21_514, "commands": 228}
    return {
        "task": "classification",
        "scores": {"compiled": {"accuracy": int8 - 0.0001}},
        "emulated_samples": 10_000,
        "identical_samples": 10_000,
        "max_difference": 0,
        "first_difference": None,
        "checks": [{"name": unit, "unit": unit, "checked": many, "failed": 0} for unit, many in checks.items()],
        "only_by_samples": ["SOFTMAX output"],
        "not_verified": [],
        "failures": [],
        "verdict": "proved",
    }


CELL = (
    ("MatMul_1;gru_cell_{cell}/add", "FullyConnected", 85),
    ("MatMul;gru_cell_{cell}/BiasAdd", "FullyConnected", 14),
    ("Sigmoid_1", "Add", 0.3),
    ("mul", "Mul", 0.2),
    ("Tanh", "Add", 0.3),
    ("add_4", "Add", 0.2),
)
"""Operators of a step: name, kind, and share of the cycles in percent."""
STEPS = 28


def _vela(folder: Path, cycles: int) -> dict[str, Any]:
    each = cycles // STEPS
    rows = [
        _layer(f"net/gru/gru_cell_{2 * step + 1}/{name.format(cell=2 * step + 1)}", kind, round(each * share / 100))
        for step in range(STEPS)
        for name, kind, share in CELL
    ]
    rows.append(_layer("net/output/MatMul", "FullyConnected", 3000))
    rows += [_layer(f"net/output_softmax_{number}", "Softmax", 20) for number in range(20)]
    products = [row["name"] for row in rows if "MatMul_1" in row["name"]]
    moved = {
        f"{memory}_{what}_bytes": 5_700_000 if memory == "off_chip_flash" else 0
        for memory in ("sram", "dram", "on_chip_flash", "off_chip_flash")
        for what in ("weight_read", "total")
    }
    constants = [{"name": "kernel", "bytes": 196_608, "readers": products, "weights": True}]
    document = {"layers": layers_of_keras(rows), "summary": moved, "constants": constants, "layers_unavailable": ""}
    (folder / "layers.json").write_text(json.dumps(document), encoding="utf-8")
    (folder / "compiled.tflite").write_text("compiled", encoding="utf-8")
    total = sum(row["cycles"] for row in rows)
    return {
        "cycles_total": total,
        "inference_ms": total / 500_000,
        "core_clock_hz": 500e6,
        "sram_bytes": 3072,
        "dram_bytes": 0,
        "flash_bytes": 674_099,
        "macs": 6_000_000,
        "npu_operators": len(rows),
        "cpu_operators": 0,
        "cpu_operators_by_name": [],
        "command_streams": 1,
    }


def _layer(name: str, kind: str, cycles: int) -> dict[str, Any]:
    product = kind == "FullyConnected"
    return {
        "name": name,
        "operator": kind,
        "npu_operator": kind,
        "target": "NPU",
        "cycles": cycles,
        "cycles_npu": cycles // 8 if product else cycles,
        "cycles_sram": cycles // 20,
        "cycles_dram": 0,
        "cycles_on_chip_flash": 0,
        "cycles_off_chip_flash": cycles if product else 0,
        "macs": 196_608 if product else 0,
        "staging_bytes": 0,
    }
