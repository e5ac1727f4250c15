"""What compressing pays back: against what it is told, how it is said, and a build that shows it."""

import json
from typing import Any

import msgspec
import pytest

from pipeline.compression.section import Compress
from pipeline.engine import job_graph
from pipeline.engine.job_graph import Job
from pipeline.experiments import experiment
from pipeline.experiments.twin import with_twin
from pipeline.views import uncompressed
from pipeline.views.uncompressed import Made, Payback
from tests.conftest import ROOT, Project
from tests.pipeline.records import scores
from tests.pipeline.views.test_summary import _records


def _made(jobs: dict[str, Job], *, int8: float = 0.9825, **costs: Any) -> Made:
    def changed(stage: str, metrics: Any) -> Any:
        return metrics | (
            scores(float=0.9819, quantized=int8) if stage == "accuracy" else costs if stage == "vela" else {}
        )

    records = [msgspec.structs.replace(each, metrics=changed(each.stage, each.metrics)) for each in _records(jobs)]
    return list(zip(jobs.values(), records, strict=True))


@pytest.fixture
def found(jobs: dict[str, Job]) -> list[Payback]:
    """Return a payback of seven times fewer cycles."""
    before = _made(jobs, encoded_weight_bytes=214_096)
    now = _made(jobs, int8=0.9815, cycles_total=888_294, inference_ms=1.777, encoded_weight_bytes=48_000)
    return uncompressed.paybacks(now, before)


def test_every_number_stands_before_and_now_with_its_gain_and_what_it_is(found: list[Payback]) -> None:
    assert uncompressed.rows(found)[:5] == [
        ("u55-128: accuracy before, now", "98.25 % -> 98.15 % (-0.10 points)", "measured"),
        ("u55-128: cycles before, now", "6,218,057 -> 888,294 (7.0x fewer)", "estimated"),
        ("u55-128: inference before, now", "12.44 ms -> 1.78 ms (7.0x faster)", "estimated"),
        ("u55-128: flash before, now", "658.3 KiB -> 658.3 KiB (=)", "measured"),
        ("u55-128: encoded weights before, now", "209.1 KiB -> 46.9 KiB (4.5x smaller)", "estimated"),
    ]
    assert uncompressed.sentences(found) == [uncompressed.CAVEAT]


def test_a_target_that_gains_nothing_is_named(jobs: dict[str, Job]) -> None:
    (found,) = uncompressed.paybacks(_made(jobs, cycles_total=6_218_000), _made(jobs))
    assert not found.gains_cycles
    nothing, caveat = uncompressed.sentences([found])
    assert "it gains no cycles on u55-128" in nothing
    assert "Sram_Only" in nothing
    assert caveat == uncompressed.CAVEAT


def test_more_cycles_than_before_are_called_more(jobs: dict[str, Job]) -> None:
    (found,) = uncompressed.paybacks(_made(jobs, cycles_total=7_000_000), _made(jobs))
    assert any("1.13x more" in value for _, value, _ in uncompressed.rows([found]))


def test_nothing_is_said_without_both_results(jobs: dict[str, Job]) -> None:
    made = _made(jobs)
    assert uncompressed.paybacks(made, []) == uncompressed.paybacks([], made) == []
    assert not uncompressed.rows([])
    assert not uncompressed.sentences([])


def test_the_twin_is_the_same_experiment_without_compress() -> None:
    plain = experiment.load("mnist-gru", ROOT / "experiments")
    compressing = msgspec.structs.replace(plain, compress=Compress(sparsity=0.9))
    assert with_twin("a", plain) == [("a", plain)]
    (name, same), (twin, without) = with_twin("a", compressing)
    assert (name, same, twin) == ("a", compressing, "a.dense")
    assert [job.config for job in job_graph.jobs(twin, without)] == [job.config for job in job_graph.jobs("x", plain)]


@pytest.mark.slow
def test_a_build_makes_the_twin_from_the_store_and_shows_the_payback(built: Project) -> None:
    text = (built.folder / "experiments" / "tiny.toml").read_text(encoding="utf-8")
    compress = "[compress]\nclusters = 4\nsparsity = 0.5\n\n[budget]\ncompression_drop_max = 100.0\n"
    (built.folder / "experiments" / "small.toml").write_text(f"{text}\n{compress}", encoding="utf-8")

    printed = built.doit("build:small")

    restored = [line.split()[1] for line in printed.splitlines() if line.startswith("restored")]
    assert restored[:2] == ["dataset:small", "network:small"]
    assert {name for name in restored if ".dense" in name} == {
        *(f"{stage}:small.dense" for stage in ("dataset", "network", "unrolled", "quantized", "accuracy")),
        "vela:small.dense:u55-128",
        "verify:small.dense:u55-128",
    }
    assert "u55-128: cycles before, now" in printed
    assert "Vela charges compressed weights" in printed
    document = json.loads(built.doit("status", "--json", "small"))
    (found,) = document["payback"]["small"].values()
    assert found["now"]["encoded_weight_bytes"] < found["before"]["encoded_weight_bytes"]
    assert set(found["before"]) == {
        "scores.quantized.accuracy",
        "cycles_total",
        "inference_ms",
        "flash_bytes",
        "encoded_weight_bytes",
    }
    assert "compression_drop_max" in built.doit("check:small")
    assert "up to date" in built.doit("build:small")
