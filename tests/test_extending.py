"""What docs/extending.md shows works as it stands there: one file each, and nothing else is touched."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import ROOT, Project, lay_out
from tests.examples import example, examples

TESTED_ELSEWHERE = {
    "tests/pipeline/emulator/proof/operators/more/absolute.py",  # tests/.../operators/test_an_operator_more.py
    "tests/pipeline/new_metric.py",  # tests/pipeline/test_metrics.py
    "tui/tabs/notes.py",  # tests/tui/tabs/test_tabs.py
}
HERE = {
    "boards/desk.toml",
    "pipeline/data/sources/waves.py",
    "pipeline/network/layers/swish.py",
    "pipeline/stages/inventory.py",
}
EXPERIMENT = """
[dataset]
name = "waves"
noise = 0.2
[model]
cell = "gru"
units = 4
[training]
epochs = 1
[quantization]
representative_samples = 30
[vela.targets.u55]
accelerator = "ethos-u55-64"
system_config = "Ethos_U55_High_End_Embedded"
memory_mode = "Shared_Sram"
"""
LAYER = """if True:
    import numpy as np
    from pathlib import Path
    from pipeline.lowering import way
    from pipeline.network.graph import Network
    from pipeline.network.layer import kinds
    from pipeline.network.values import Value
    from pipeline.runtime import litert

    swish = kinds()["swish"](name="swish_1", inputs=("input",), output="output")
    network = Network((Value("input", (6,), 1),), (swish,), ("output",))
    network.check()
    x = np.random.default_rng(0).normal(0, 3, (20, 1, 6)).astype(np.float32)
    expected = network.run({"input": x.astype(np.float64)})["output"]
    way.way("tied").write(network, {"one.tflite": 1}, Path(), state=False)
    computed = litert.outputs(Path("one.tflite"), x, litert.BUILTIN)["output"].reshape(expected.shape)
    assert np.abs(expected - x / (1 + np.exp(-x.astype(np.float64)))).max() < 1e-6
    print("largest difference", np.abs(computed - expected).max())
"""


@pytest.fixture
def extended(tmp_path: Path) -> Project:
    """Return a project with every example in its place."""
    project = lay_out(tmp_path / "extended")
    for path in HERE:
        (project.folder / path).parent.mkdir(exist_ok=True)
        (project.folder / path).write_text(example(path), encoding="utf-8")
    for name in ("mnist-gru", "tiny"):
        (project.folder / "experiments" / f"{name}.toml").unlink()
    (project.folder / "experiments" / "waves.toml").write_text(EXPERIMENT, encoding="utf-8")
    return project


def test_every_example_is_run_by_a_test() -> None:
    assert set(examples()) == HERE | TESTED_ELSEWHERE
    for path in TESTED_ELSEWHERE - {"tui/tabs/notes.py"}:
        assert example(path) in (ROOT / path).read_text(encoding="utf-8")


def test_a_source_and_a_stage_with_a_metric_are_built_and_told(extended: Project) -> None:
    printed = extended.doit("inventory:waves")
    assert "done      inventory:waves" in printed
    folder = extended.folder / "build" / "waves"
    counts = json.loads((folder / "inventory" / "operators.json").read_text(encoding="utf-8"))
    record = json.loads((folder / "inventory" / "stage.json").read_text(encoding="utf-8"))
    assert record["metrics"] == {"inventory_operators": sum(counts.values())}
    assert counts["FULLY_CONNECTED"] > 16, "a product of the state at each of 16 steps"
    dataset = json.loads((folder / "dataset" / "stage.json").read_text(encoding="utf-8"))
    assert dataset["metrics"]["dataset"] == "waves"
    assert (dataset["metrics"]["train_samples"], dataset["metrics"]["classes"]) == (600, 3)
    assert "pipeline/data/sources/waves.py" in dataset["inputs"]["source"]

    extended.change("noise = 0.2", "noise = 0.3", "waves")
    reasons = {row["stage"]: row["reasons"] for row in extended.status("waves").values()}
    assert reasons["dataset"] == ["noise 0.2 -> 0.3"]
    assert "downstream of quantized" in reasons["inventory"]
    extended.change("noise = 0.3", "noise = 3", "waves")
    assert "dataset.noise = 3: expected a number <= 1" in extended.doit("inventory:waves", check=1).replace(".0", "")


def _python(project: Project, code: str) -> str:
    done = subprocess.run([sys.executable, "-c", code], cwd=project.folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_a_layer_computes_its_formula_in_the_graph_that_is_written(extended: Project) -> None:
    printed = _python(extended, LAYER)
    assert float(printed.split()[-1]) < 1e-5


def test_a_board_is_found(extended: Project) -> None:
    code = "from pathlib import Path; from pipeline.npu import boards; print([b.name for b in boards.load_all(Path())])"
    assert "The board on my desk, Ethos-U55-128" in _python(extended, code)
