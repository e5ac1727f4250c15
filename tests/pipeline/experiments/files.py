"""An experiment file that is good, and what its author is told of one that is not."""

from pathlib import Path

import pytest

from pipeline.experiments import experiment
from pipeline.experiments.schema import Experiment

VELA = """\
[vela.targets.board]
accelerator = "ethos-u55-128"
system_config = "Ethos_U55_High_End_Embedded"
memory_mode = "Shared_Sram"
"""


GOOD = f"""\
[dataset]
name = "mnist"

[model]
cell = "gru"
units = 8

[training]
seed = 0

[quantization]
representative_samples = 5

{VELA}"""


def write(folder: Path, text: str | bytes, name: str = "mine") -> Path:
    path = folder / f"{name}.toml"
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return path


def with_change(old: str, new: str) -> str:
    assert GOOD.count(old) == 1
    return GOOD.replace(old, new)


def trained(folder: Path, name: str = "mine") -> Experiment:
    """Load an experiment whose model is trained here."""
    loaded = experiment.load(name, folder)
    assert isinstance(loaded, Experiment)
    return loaded


def refusal(folder: Path, text: str | bytes, name: str = "mine") -> str:
    """Return what the author is told after the file's name, which must come first on the only line."""
    path = write(folder, text, name)
    with pytest.raises(experiment.ExperimentError) as caught:
        experiment.load(name, folder)
    said = str(caught.value)
    assert len(said.splitlines()) == 1, said
    assert said.startswith(f"{path.as_posix()}: "), said
    assert " | " not in said, f"not the words of TOML: {said}"
    return said.removeprefix(f"{path.as_posix()}: ")
