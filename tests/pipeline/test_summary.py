from typing import Any

from pipeline import store, summary
from pipeline.graph import Job
from pipeline.store import Record

ACCURACY = {"test_samples": 10_000, "float_accuracy": 0.9819, "int8_accuracy": 0.9825, "changed_predictions": 10}
VELA = {
    "cycles_total": 6_218_057,
    "inference_ms": 12.436,
    "sram_bytes": 3088,
    "flash_bytes": 674_112,
    "dram_bytes": 0,
    "npu_operators": 306,
    "cpu_operators": 1,
    "cpu_operators_by_name": [{"operator": "Sin", "name": "gru/Sin", "reason": "Unsupported opType"}],
}
METRICS: dict[str, dict[str, Any]] = {
    "dataset": {"dataset": "mnist", "train_samples": 60_000, "test_samples": 10_000},
    "weights": {"weights_bytes": 1024},
    "unrolled": {},
    "quantized": {"model_bytes": 2048},
    "accuracy": ACCURACY,
    "vela": VELA,
}


def _records(jobs: dict[str, Job], **facts: Any) -> list[Record]:
    return [
        Record(
            schema=store.SCHEMA,
            stage=stage,
            experiment="tiny",
            target=job.target,
            key="",
            inputs={},
            outputs={},
            metrics=METRICS[stage],
            seconds=2.5,
            seconds_importing=1.25,
            peak_memory_bytes=1,
            finished=0.0,
            **facts,
        )
        for stage, job in jobs.items()
    ]


def test_every_number_says_its_unit_and_what_it_is(jobs: dict[str, Job]) -> None:
    rows = summary.rows(list(jobs.values()), _records(jobs))
    assert ("float accuracy", "98.19 %", "measured") in rows
    assert ("int8 accuracy", "98.25 % (+0.06 points)", "measured") in rows
    assert ("predictions changed by int8", "10 of 10,000", "measured") in rows
    assert ("u55-128: inference", "6,218,057 cycles, 12.44 ms", "estimated") in rows
    assert ("u55-128: memory", "SRAM 3.0 KiB, flash 658.3 KiB", "estimated") in rows
    assert ("u55-128: operators", "306 on the NPU, 1 on the CPU", "estimated") in rows
    assert ("u55-128: on the CPU", "Sin gru/Sin: Unsupported opType", "") in rows
    assert ("files", "build/tiny/", "") in rows


def test_a_stand_in_can_not_be_overlooked(jobs: dict[str, Job]) -> None:
    rows = summary.rows(list(jobs.values()), _records(jobs, stand_in="digits"))
    assert rows[0][1].startswith("STAND-IN")


def test_one_line_for_one_of_many(jobs: dict[str, Job]) -> None:
    line = summary.line(list(jobs.values()), _records(jobs))
    assert line == "tiny: int8 98.25 % (+0.06 points); u55-128 6,218,057 cycles"


def test_times_show_what_importing_costs(jobs: dict[str, Job]) -> None:
    assert ("weights:tiny", "2.5 s", "1.2 s importing") in summary.times(list(jobs.values()), _records(jobs))
