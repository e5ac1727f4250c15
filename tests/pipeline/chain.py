"""A small data set and, for each network, everything the stages make of it, in this process and only once."""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest

from pipeline.data.arrays import DataSet
from pipeline.experiments.schema import Experiment
from pipeline.frontends.section import Model
from pipeline.lowering.section import Deployment
from pipeline.quantization.section import Quantization
from pipeline.stage import Found, Work
from pipeline.stages.catalogue import STAGES

ROOT = Path(__file__).parents[2]

TRAINING: Mapping[str, Any] = {
    "epochs": 2,
    "batch_size": 16,
    "learning_rate": 1e-2,
    "schedule": "warmup_cosine",
    "warmup": 0.1,
    "clip_norm": 1.0,
    "seed": 0,
}
TARGET: Mapping[str, Any] = {
    "accelerator": "ethos-u55-128",
    "system_config": "Ethos_U55_High_End_Embedded",
    "memory_mode": "Shared_Sram",
    "optimise": "Performance",
}
SECTION_OF: Mapping[str, str] = {
    key: section
    for section, kind in {"model": Model, "deployment": Deployment, "quantization": Quantization}.items()
    for key in kind.__struct_fields__
}


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Let one worker have all tests of a cell: what ``chain`` makes of it is made once. All but the GRU's are slow."""
    for item in items:
        if "chain" in getattr(item, "fixturenames", ()):
            cell = next((cell for cell in ("lstm", "simple_rnn") if cell in item.name), "gru")
            item.add_marker(pytest.mark.xdist_group(f"chain of {cell}"))
            if cell != "gru" and item.path.name not in {"test_verify.py", "test_network.py"}:
                item.add_marker(pytest.mark.slow)


@pytest.fixture(scope="session")
def training() -> Mapping[str, Any]:
    """Return an experiment's ``[training]`` that takes a second."""
    return TRAINING


@pytest.fixture(scope="session")
def target() -> Mapping[str, Any]:
    """Return a target as an experiment has it."""
    return TARGET


@pytest.fixture(scope="session")
def data() -> DataSet:
    """Return noise of 8 steps of 6 features in which one feature, the class, is larger; more than a chunk to test."""
    random = np.random.default_rng(0)

    def part(samples: int) -> tuple[Any, Any]:
        labels = np.arange(samples) % 3
        x = random.random((samples, 8, 6), dtype=np.float32) / 2
        x[np.arange(samples), :, labels] += np.float32(0.5)
        return x, labels

    (x_train, y_train), (x_test, y_test) = part(96), part(300)
    return DataSet(x_train=x_train, y_train=y_train, x_test=x_test, y_test=y_test)


@pytest.fixture(scope="session")
def dataset(data: DataSet, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the result of a dataset stage; nobody may change it."""
    folder = tmp_path_factory.mktemp("dataset")
    data.save(folder)
    return folder


@pytest.fixture(scope="session")
def settings() -> Callable[..., Mapping[str, Any]]:
    """Return what gives the sections of an experiment, whose every key may be chosen by its name.

    ``compress`` chooses a whole section, which is not there otherwise.
    """

    def sections(cell: str = "gru", compress: Mapping[str, Any] | None = None, **chosen: Any) -> Mapping[str, Any]:
        document: dict[str, dict[str, Any]] = {
            "dataset": {"name": "npz", "path": "data.npz"},
            "model": {"cell": cell, "units": 4},
            "training": {},
            "deployment": {},
            "quantization": {"representative_samples": 20},
            "vela": {"targets": {"board": dict(TARGET)}},
        }
        if compress:
            document["compress"] = dict(compress)
        for key, value in chosen.items():
            document[SECTION_OF[key]][key] = value
        return msgspec.convert(document, Experiment).as_dict() | {"training": TRAINING, "target": TARGET}

    return sections


@pytest.fixture(scope="session")
def chain(
    dataset: Path, settings: Callable[..., Mapping[str, Any]], tmp_path_factory: pytest.TempPathFactory
) -> Callable[..., tuple[Mapping[str, Path], Mapping[str, Found]]]:
    """Run the stages for a cell, up to one of them; return their folders and what they found.

    ``chain("gru")`` is the tied graph; ``chain("lstm", graph="keras")``, ``chain("gru", state=True)`` and so on
    choose otherwise; ``chain("gru", compress={"clusters": 8})`` has the stage ``compressed``, too. What two networks
    have in common is made once. Nobody may change the folders.
    """
    chain_of = ("network", "compressed", "unrolled", "quantized", "accuracy", "vela")
    results: dict[str, tuple[Path, Found]] = {}

    def run(cell: str, *, until: str = "vela", **chosen: Any) -> tuple[Mapping[str, Path], Mapping[str, Found]]:
        sections = settings(cell, **chosen)
        made, found, key = {"dataset": dataset}, {}, ""
        for name in chain_of:
            if name == "compressed" and not sections["compress"]:
                continue
            stage = STAGES[name]
            config = {title: sections[title] for title in stage.sections if title in sections}
            key += json.dumps([name, config])
            if key not in results:
                folder = tmp_path_factory.mktemp(f"{cell}-{name}")
                work = Work(
                    config=msgspec.convert(config, stage.config),
                    inputs=dict(made),
                    into=folder,
                    report=lambda **_: None,
                )
                results[key] = folder, stage.make(work)
            made[name], found[name] = made[stage.provides], found[stage.provides] = results[key]
            if name == until:
                break
        return made, found

    return run


@pytest.fixture
def start_alone(tmp_path: Path) -> Callable[..., Callable[[], tuple[int, dict[str, Any], Path]]]:
    """Start a stage in a fresh process; return what waits for it: exit code, report, folder of the result."""

    def start(
        name: str, stage: str, config: Mapping[str, Any], inputs: Mapping[str, Path]
    ) -> Callable[[], tuple[int, dict[str, Any], Path]]:
        folder = tmp_path / name
        (folder / "into").mkdir(parents=True)
        order = {
            "module": f"pipeline.stages.{stage}",
            "config": dict(config),
            "shown_as": {},
            "inputs": {stage: str(path) for stage, path in inputs.items()},
            "files": {},
            "source": {},
            "tools": {},
            "into": str(folder / "into"),
            "report": str(folder / "report.json"),
            "log": str(folder / "log"),
            "events": str(folder / "events.jsonl"),
            "run": "test",
        }
        (folder / "order.json").write_text(json.dumps(order), encoding="utf-8")
        command = [
            sys.executable,
            "-m",
            "pipeline.engine.running.run",
            stage,
            "test",
            "--order",
            str(folder / "order.json"),
        ]
        with (folder / "log").open("wb") as log:
            child = subprocess.Popen(
                command,
                cwd=folder,
                env={**os.environ, "PYTHONPATH": str(ROOT), "TF_CPP_MIN_LOG_LEVEL": "3"},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
            )

        def wait() -> tuple[int, dict[str, Any], Path]:
            code = child.wait()
            report = folder / "report.json"
            return code, json.loads(report.read_bytes()) if report.exists() else {}, folder / "into"

        return wait

    return start
