"""Every shipped experiment, as it is but for the amount of data, on every family of Ethos-U."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import ROOT, Project

SHIPPED = sorted(path.stem for path in (ROOT / "experiments").glob("mnist-*.toml"))
TARGETS = {
    "u65-512": ("ethos-u65-512", "Ethos_U65_High_End"),
    "u85-512": ("ethos-u85-512", "Ethos_U85_SYS_DRAM_Mid"),
}


def _less_data(text: str) -> str:
    """Let an experiment take half a minute: handwritten digits instead of MNIST, and few of them."""
    few = '[dataset]\nname = "digits"\ntrain_samples = 1280\ntest_samples = 100\n'
    head, _, rest = text.partition("[dataset]")
    return head + few + rest[rest.index("\n[") :]


def _metrics(folder: Path, result: str) -> dict[str, Any]:
    metrics: dict[str, Any] = json.loads((folder / result / "stage.json").read_bytes())["metrics"]
    return metrics


@pytest.mark.slow
def test_every_shipped_experiment_computes_what_was_trained_and_lands_on_every_npu(project: Project) -> None:
    for name in SHIPPED:
        text = _less_data((ROOT / "experiments" / f"{name}.toml").read_text(encoding="utf-8"))
        for target, (accelerator, system) in TARGETS.items():
            text += f'\n[vela.targets.{target}]\naccelerator = "{accelerator}"\nsystem_config = "{system}"\n'
            text += 'memory_mode = "Shared_Sram"\n'
        (project.folder / "experiments" / f"{name}.toml").write_text(text, encoding="utf-8")
    project.doit(*(f"build:{name}" for name in SHIPPED), timeout=1200)

    assert len(SHIPPED) >= 6
    for name in SHIPPED:
        build = project.folder / "build" / name
        assert _metrics(build, "unrolled")["max_difference"] < 1e-5, name
        for target in ("u55-128", *TARGETS):
            assert _metrics(build, f"vela/{target}")["cpu_operators"] == 0, (name, target)
            verified = _metrics(build, f"verify/{target}")
            assert verified["emulated_samples"] == 100, (name, target)
            if not name.endswith("int16"):  # where Vela rounds some multipliers otherwise
                assert verified["identical_samples"] == 100, (name, target)
            assert verified["verdict"] == "proved", (name, target)
        accuracy = _metrics(build, "accuracy")
        assert accuracy["activations"] == ("int16" if name.endswith("int16") else "int8"), name
        scores = accuracy["scores"]
        assert abs(scores["float"]["accuracy"] - scores["quantized"]["accuracy"]) <= 0.03, name
        if name.endswith("state"):
            assert accuracy["streaming_identical"] == 100, name
