"""The reason in the dashboard: the words of the matrix, from what is there, and nothing is compiled for it."""

import json
import shutil
from pathlib import Path

import msgspec
import pytest

from pipeline.engine.job_graph import Job
from pipeline.engine.project import Project
from pipeline.engine.results.record import Record, read_record
from tests.tui.recorded import Recorded
from tui.data import explanations, matrix

HOME = Path("build/keyword/vela/u55-128")


@pytest.fixture
def compiled(recorded: Recorded) -> tuple[Job, Record]:
    recorded.write()
    recorded.build()
    job = next(job for job in recorded.jobs() if job.target)
    return job, read_record(HOME)


def compile_too(name: str, cycles: int, **changed: object) -> None:
    """Leave a compile of the same model, as ``doit matrix`` does."""
    record = read_record(HOME)
    inputs = {**record.inputs, "config": {"target": {**record.inputs["config"]["target"], **changed}}}
    folder = Path("build/.store") / f"{name}.1"
    shutil.copytree(HOME, folder)
    metrics = {**record.metrics, "cycles_total": cycles}
    (folder / "stage.json").chmod(0o644)
    (folder / "stage.json").write_bytes(
        msgspec.json.encode(msgspec.structs.replace(record, inputs=inputs, metrics=metrics))
    )
    link = matrix.folder(Project(), "keyword") / name
    link.parent.mkdir(parents=True, exist_ok=True)
    link.symlink_to(Path("../../.store") / folder.name)


def test_a_target_alone_is_explained_by_its_own_layers(compiled: tuple[Job, Record]) -> None:
    said = explanations.sentences(Project(), *compiled)
    assert said[0].startswith("99.0 % of the ")
    assert said[0].endswith(" cycles wait for off-chip flash")
    assert any("196,608 bytes of recurrent weights are read 28 times" in sentence for sentence in said)
    assert not any("MACs per cycle" in sentence for sentence in said)
    assert matrix.last_change(Project(), "keyword") == 0


def test_the_compiles_of_the_matrix_are_compared(compiled: tuple[Job, Record]) -> None:
    total = compiled[1].metrics["cycles_total"]
    compile_too("more-macs", total // 2, accelerator="ethos-u55-256")
    compile_too("in-sram", total // 7, memory_mode="Sram_Only")
    compile_too("clustered", total // 2, clusters=16)
    said = explanations.sentences(Project(), *compiled)
    assert any("256 take 50.0 % fewer cycles" in sentence for sentence in said)
    assert any(sentence.startswith("constants in SRAM (Sram_Only) gain 7.0x") for sentence in said)
    assert any(sentence.startswith("clustering the weights to 16 values saves 2.0x") for sentence in said)
    assert matrix.last_change(Project(), "keyword") > 0


def test_compiles_of_another_model_or_broken_ones_are_passed_over(compiled: tuple[Job, Record]) -> None:
    compile_too("more-macs", 1, accelerator="ethos-u55-256")
    record = Path("build/.store/more-macs.1/stage.json")
    text = record.read_text(encoding="utf-8")
    record.write_text(text.replace('"files":{"', '"files":{"quantized/x":"y","'), encoding="utf-8")
    compile_too("broken", 1, accelerator="ethos-u55-32")
    Path("build/.store/broken.1/stage.json").write_text("{", encoding="utf-8")
    assert not any("MACs per cycle" in sentence for sentence in explanations.sentences(Project(), *compiled))


@pytest.mark.parametrize("content", ["", "[]", '{"layers": []}'])
def test_layers_of_another_version_say_nothing(compiled: tuple[Job, Record], content: str) -> None:
    (HOME / "layers.json").chmod(0o644)
    (HOME / "layers.json").write_text(content, encoding="utf-8")
    assert explanations.sentences(Project(), *compiled) == []
    assert json.loads((HOME / "stage.json").read_bytes())["stage"] == "vela"
