from pathlib import Path

import msgspec

from pipeline.compression.section import Compress
from pipeline.engine import job_graph
from pipeline.experiments import experiment
from pipeline.npu.section import Vela
from pipeline.stages.catalogue import STAGES
from tests.conftest import ROOT


def test_an_experiment_becomes_one_job_a_stage_and_one_a_target() -> None:
    loaded = experiment.load("mnist-gru", ROOT / "experiments")
    jobs = job_graph.jobs("mnist-gru", loaded)
    assert [job.name for job in jobs] == [
        "dataset:mnist-gru",
        "network:mnist-gru",
        "unrolled:mnist-gru",
        "quantized:mnist-gru",
        "accuracy:mnist-gru",
        "vela:mnist-gru:u55-128",
        "verify:mnist-gru:u55-128",
    ]
    assert jobs[-1].link.as_posix() == "build/mnist-gru/verify/u55-128"
    assert jobs[-2].link.as_posix() == "build/mnist-gru/vela/u55-128"
    assert jobs[1].link.as_posix() == "build/mnist-gru/network"
    assert jobs[-1].log.as_posix() == "build/logs/verify.mnist-gru.u55-128.log"


def test_what_is_compiled_for_a_target_is_verified_by_itself() -> None:
    loaded = experiment.load("mnist-gru", ROOT / "experiments")
    (target,) = loaded.vela.targets.values()
    two = msgspec.structs.replace(loaded, vela=Vela(targets={"one": target, "two": target}))
    jobs = {job.name: job for job in job_graph.jobs("mnist-gru", two)}

    for name in ("one", "two"):
        needs = [need.name for need in jobs[f"verify:mnist-gru:{name}"].needs.values()]
        assert needs == ["dataset:mnist-gru", "quantized:mnist-gru", "accuracy:mnist-gru", f"vela:mnist-gru:{name}"]
    assert [job.name for job in jobs.values() if job.compiles] == ["vela:mnist-gru:one", "vela:mnist-gru:two"]


def test_compressed_weights_take_the_place_of_the_trained_ones_and_change_no_other_job() -> None:
    plain = experiment.load("mnist-gru", ROOT / "experiments")
    compressing = msgspec.structs.replace(plain, compress=Compress(clusters=16))
    jobs = {job.stage.name: job for job in job_graph.jobs("mnist-gru", compressing)}
    assert list(jobs) == ["dataset", "network", "compressed", "unrolled", "quantized", "accuracy", "vela", "verify"]
    assert set(jobs["compressed"].config) == {"training", "compress"}
    needs = {name: [need.stage.name for need in job.needs.values()] for name, job in jobs.items()}
    assert needs["compressed"] == ["dataset", "network"]
    assert needs["unrolled"] == ["dataset", "compressed"]
    assert needs["quantized"] == ["dataset", "compressed", "unrolled"]
    without = {job.stage.name: job for job in job_graph.jobs("mnist-gru", plain)}
    assert without.keys() == jobs.keys() - {"compressed"}
    assert all(job.config == jobs[name].config for name, job in without.items())
    assert [need.stage.name for need in without["quantized"].needs.values()] == ["dataset", "network", "unrolled"]


def test_a_stage_sees_only_its_own_sections() -> None:
    loaded = experiment.load("mnist-gru", ROOT / "experiments")
    configs = {job.stage.name: set(job.config) for job in job_graph.jobs("mnist-gru", loaded)}
    assert configs["network"] == {"model", "training"}
    assert configs["quantized"] == {"deployment", "quantization"}
    assert configs["unrolled"] == {"deployment"}
    assert configs["accuracy"] == set()
    assert configs["verify"] == {"target", "verify"}


def test_a_model_that_was_made_elsewhere_is_looked_at_and_compiled(tmp_path: Path) -> None:
    target = (
        'accelerator = "ethos-u85-256"\nsystem_config = "Ethos_U85_SYS_DRAM_Mid"\n'
        'memory_mode = "Dedicated_Sram_384KB"\n'
    )
    text = f'[model]\ntflite = "mine.tflite"\n[vela.targets.a]\n{target}[vela.targets.b]\n{target}'
    (tmp_path / "mine.toml").write_text(text, encoding="utf-8")
    jobs = job_graph.jobs("mine", experiment.load("mine", tmp_path))
    made = ["quantized:mine", "vela:mine:a", "vela:mine:b", "verify:mine:a", "verify:mine:b"]
    assert [job.name for job in jobs] == made
    assert jobs[0].link.as_posix() == "build/mine/quantized", "what follows finds it where it always is"
    assert [need.name for need in jobs[1].needs.values()] == ["quantized:mine"]
    assert jobs[1].stage is STAGES["vela"]
    assert [need.name for need in jobs[3].needs.values()] == ["quantized:mine", "vela:mine:a"]
    assert jobs[3].config["verify"] == {"samples": 100}


def test_jobs_may_show_elsewhere_and_share_those_of_another_experiment() -> None:
    loaded = experiment.load("mnist-gru", ROOT / "experiments")
    dataset, *_ = job_graph.jobs("mnist-gru", loaded)

    jobs = job_graph.jobs("mnist-gru.64-units", loaded, Path("build/mnist-gru/grid/64-units"), {"dataset": dataset})

    assert [job.stage.name for job in jobs] == ["network", "unrolled", "quantized", "accuracy", "vela", "verify"]
    assert jobs[0].needs == {"dataset": dataset}
    assert jobs[0].name == "network:mnist-gru.64-units"
    assert jobs[-1].link.as_posix() == "build/mnist-gru/grid/64-units/verify/u55-128"
