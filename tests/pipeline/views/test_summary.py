from collections.abc import Mapping
from typing import Any

import msgspec

from pipeline.engine.job_graph import Job
from pipeline.engine.results.record import Record
from pipeline.views import accuracies, summary
from tests.pipeline.records import a_record, scores

ACCURACY = {"test_samples": 10_000, "changed_predictions": 10, **scores(float=0.9819, quantized=0.9825)}
VELA = {
    "cycles_total": 6_218_057,
    "inference_ms": 12.436,
    "sram_bytes": 3088,
    "flash_bytes": 674_112,
    "dram_bytes": 0,
    "npu_operators": 306,
    "cpu_operators": 1,
    "command_streams": 2,
    "cpu_operators_by_name": [{"operator": "Sin", "name": "gru/Sin", "graph": None, "reason": "Unsupported opType"}],
}
VERIFY = {
    **scores(compiled=0.9824),
    "emulated_samples": 10_000,
    "identical_samples": 10_000,
    "max_difference": 0,
    "checks": [{"name": "whole tables", "unit": "input pairs", "checked": 65_536, "failed": 0}],
    "only_by_samples": ["SOFTMAX output"],
    "not_verified": [],
    "failures": [],
    "verdict": "proved",
}
METRICS: dict[str, dict[str, Any]] = {
    "dataset": {"dataset": "mnist", "train_samples": 60_000, "test_samples": 10_000},
    "network": {"weights_bytes": 1024},
    "unrolled": {"inferences_per_sequence": 1},
    "quantized": {"model_bytes": 2048, "activations": "int8"},
    "accuracy": ACCURACY,
    "vela": VELA,
    "verify": VERIFY,
}


STREAMING = {
    "streaming_identical": 10_000,
    "sequences_in_a_row": 100,
    "scores_in_a_row": {"with_reset": {"accuracy": 0.98}, "without_reset": {"accuracy": 0.715}},
    "reset_bytes": {"lstm_1_cell": 3, "lstm_1_hidden": 0},
}


def _records(
    jobs: dict[str, Job],
    metrics: Mapping[str, Any] = METRICS,
    warnings: Mapping[str, list[str]] | None = None,
    **facts: Any,
) -> list[Record]:
    return [
        a_record(
            stage=stage,
            target=job.target,
            metrics=metrics[stage],
            warnings=(warnings or {}).get(stage, []),
            seconds=2.5,
            seconds_importing=1.25,
            **facts,
        )
        for stage, job in jobs.items()
    ]


def test_every_number_says_its_unit_and_what_it_is(jobs: dict[str, Job]) -> None:
    rows = summary.rows(list(jobs.values()), _records(jobs))
    assert ("float accuracy", "98.19 %", "measured") in rows
    assert ("int8 accuracy", "98.25 % (+0.06 points)", "measured") in rows
    assert ("predictions changed by int8", "10 of 10,000", "measured") in rows
    assert ("u55-128: inference", "6,218,057 cycles, 12.44 ms; the CPU's time is not counted", "estimated") in rows
    assert ("u55-128: memory", "SRAM 3.0 KiB, flash 658.3 KiB", "estimated") in rows
    assert ("u55-128: operators", "306 on the NPU in 2 command streams, 1 on the CPU", "counted") in rows
    assert ("u55-128: on the CPU", "Sin gru/Sin: Unsupported opType", "") in rows
    assert ("files", "build/tiny/", "") in rows


def test_a_model_of_16_bits_is_called_so(jobs: dict[str, Job]) -> None:
    accuracy = {**ACCURACY, "activations": "int16"}
    model = {**METRICS["quantized"], "activations": "int16"}
    records = _records(jobs, {**METRICS, "accuracy": accuracy, "quantized": model})

    rows = summary.rows(list(jobs.values()), records)

    assert ("int16 accuracy", "98.25 % (+0.06 points)", "measured") in rows
    assert ("predictions changed by int16", "10 of 10,000", "measured") in rows
    assert ("int16 model", "2.0 KiB", "measured") in rows
    assert [name for name, *_ in rows if "int8" in name] == []
    assert summary.line(list(jobs.values()), records).startswith("tiny: int16 98.25 % (+0.06 points); ")


def test_the_weakest_role_of_a_tied_graph_is_named(jobs: dict[str, Job]) -> None:
    weak = {**METRICS["quantized"], "weakest_role": "gru_1/input_product", "weakest_role_noise": 0.0193}
    rows = summary.rows(list(jobs.values()), _records(jobs, {**METRICS, "quantized": weak}))

    assert ("weakest role", "gru_1/input_product, noise 1.93 %", "measured") in rows
    assert "weakest role" not in {name for name, *_ in summary.rows(list(jobs.values()), _records(jobs))}


def test_a_stateless_model_has_nothing_to_say_of_streaming(jobs: dict[str, Job]) -> None:
    names = {name for name, *_ in summary.rows(list(jobs.values()), _records(jobs))}
    assert not names & {"reset", "whole, in pieces, step by step", "warning"}


def test_a_model_with_state_says_what_streaming_and_resets_do(jobs: dict[str, Job]) -> None:
    rows = summary.rows(list(jobs.values()), _records(jobs, {**METRICS, "accuracy": {**ACCURACY, **STREAMING}}))

    assert ("whole, in pieces, step by step", "10,000 of 10,000 byte-identical", "measured") in rows
    assert ("100 sequences in a row", "98.00 % with reset, 71.50 % without", "measured") in rows
    assert ("reset", "lstm_1_cell = 3, lstm_1_hidden = 0", "") in rows


def test_the_guides_graph_with_state_is_not_called_identical(jobs: dict[str, Job]) -> None:
    streaming = {name: value for name, value in STREAMING.items() if name != "streaming_identical"}

    rows = summary.rows(list(jobs.values()), _records(jobs, {**METRICS, "accuracy": {**ACCURACY, **streaming}}))

    assert "whole, in pieces, step by step" not in [name for name, *_ in rows]
    assert "100 sequences in a row" in [name for name, *_ in rows]


def test_cycles_of_a_piece_are_added_up_for_the_sequence(jobs: dict[str, Job]) -> None:
    rows = summary.rows(list(jobs.values()), _records(jobs, {**METRICS, "unrolled": {"inferences_per_sequence": 4}}))

    cycles = "6,218,057 cycles, 12.44 ms; 4 a sequence: 24,872,228 cycles; the CPU's time is not counted"
    assert ("u55-128: inference", cycles, "estimated") in rows


def test_a_time_step_that_is_not_a_row_of_the_data_is_explained(jobs: dict[str, Job]) -> None:
    folded = {"rows_per_step": 4, "time_steps": 7, "steps_per_inference": 7, "inferences_per_sequence": 1}
    rows = summary.rows(list(jobs.values()), _records(jobs, {**METRICS, "unrolled": folded}))
    assert ("time step", "4 rows of the data; 7 steps a sequence", "") in rows

    folded |= {"steps_per_inference": 1, "inferences_per_sequence": 7}
    rows = summary.rows(list(jobs.values()), _records(jobs, {**METRICS, "unrolled": folded}))
    assert ("time step", "4 rows of the data; 7 steps a sequence, 1 an inference", "") in rows

    folded["rows_per_step"] = 1
    rows = summary.rows(list(jobs.values()), _records(jobs, {**METRICS, "unrolled": folded}))
    assert "time step" not in {name for name, *_ in rows}


def test_warnings_are_shown_with_the_stage_that_gave_them(jobs: dict[str, Job]) -> None:
    records = _records(jobs, warnings={"quantized": ["too few samples", "a role saturates"]})

    rows = summary.rows(list(jobs.values()), records)

    assert [row for row in rows if row[0] == "warning"] == [
        ("warning", "quantized:tiny: too few samples", ""),
        ("warning", "quantized:tiny: a role saturates", ""),
    ]
    assert summary.line(list(jobs.values()), records).endswith("to TFLite Micro; see its warnings")


def test_a_stand_in_can_not_be_overlooked(jobs: dict[str, Job]) -> None:
    rows = summary.rows(list(jobs.values()), _records(jobs, stand_in="digits"))
    assert rows[0][1].startswith("STAND-IN")


def test_one_line_for_one_of_many(jobs: dict[str, Job]) -> None:
    line = summary.line(list(jobs.values()), _records(jobs))
    assert line == (
        "tiny: int8 98.25 % (+0.06 points); u55-128 6,218,057 cycles; "
        "proved; 10,000 of 10,000 samples byte-identical to TFLite Micro"
    )


def test_what_the_compiled_file_was_proved_to_compute_is_told(jobs: dict[str, Job]) -> None:
    accuracy = {**ACCURACY, **scores(float=0.9819, quantized=0.9825, micro=0.9824)}
    rows = summary.rows(list(jobs.values()), _records(jobs, {**METRICS, "accuracy": accuracy}))

    assert ("u55-128: accuracy", "98.24 % over 10,000 samples", "emulated") in rows
    proved = "proved; 10,000 of 10,000 samples byte-identical to TFLite Micro"
    assert ("u55-128: compiled file", proved, "emulated") in rows
    assert ("u55-128: for every input", "65,536 input pairs", "emulated") in rows


def test_rungs_that_could_not_be_had_say_why(jobs: dict[str, Job]) -> None:
    accuracy = {**ACCURACY, **scores(float=0.9819, quantized=0.9825, micro=None)}
    verify = {**VERIFY, **scores(compiled=None), "identical_samples": None, "verdict": "nothing proved"}
    why = {"scores.micro": "no package", "identical_samples": "a CPU operator"}
    metrics = {**METRICS, "accuracy": accuracy, "verify": verify}
    rows = summary.rows(list(jobs.values()), _records(jobs, metrics, unavailable=why))

    assert ("TFLite Micro accuracy", "not known: no package", "") in rows
    assert ("u55-128: compiled file", "nothing proved; not compared: a CPU operator", "emulated") in rows


def test_times_show_what_importing_costs(jobs: dict[str, Job]) -> None:
    assert ("network:tiny", "2.5 s", "1.2 s importing") in summary.times(list(jobs.values()), _records(jobs))


def test_a_drop_of_exactly_a_limit_is_that_limit() -> None:
    drops = {
        accuracies.drop(scores(float=right / 10_000, quantized=(right - 50) / 10_000)) for right in range(50, 10_001)
    }
    assert drops == {0.5}
    drop = accuracies.drop(scores(float=0.9825, quantized=0.9775 - 1e-6))
    assert drop is not None
    assert drop > 0.5, "one sample of a million"


def _imported(jobs: dict[str, Job]) -> tuple[list[Job], list[Record]]:
    """Return the jobs and records of a model that was made elsewhere."""
    kept = {name: jobs[name] for name in ("quantized", "vela")}
    absent = scores(float=None, quantized=None)
    metrics = {**METRICS, "quantized": {**METRICS["quantized"], **absent}}
    records = _records(kept, metrics)
    records[0] = msgspec.structs.replace(
        records[0], unavailable=dict.fromkeys(("scores.float", "scores.quantized"), "made elsewhere")
    )
    return list(kept.values()), records


def test_a_model_that_was_made_elsewhere_says_why_it_has_no_accuracy(jobs: dict[str, Job]) -> None:
    rows = summary.rows(*_imported(jobs))
    assert ("int8 accuracy", "not available: made elsewhere", "") in rows
    assert ("int8 model", "2.0 KiB", "measured") in rows
    assert "u55-128: inference" in [name for name, *_ in rows]
    assert not {"data", "trained weights"} & {name for name, *_ in rows}
    assert summary.line(*_imported(jobs)) == "tiny: accuracy not available; u55-128 6,218,057 cycles"


def test_what_vela_does_not_tell_is_said_in_words(jobs: dict[str, Job]) -> None:
    numbers = ("cycles_total", "inference_ms", "sram_bytes", "dram_bytes", "npu_operators")
    compiled = {**VELA, **dict.fromkeys(numbers)}
    records = _records(jobs, {**METRICS, "vela": compiled}, unavailable=dict.fromkeys(numbers, "it has 2 graphs"))

    rows = summary.rows(list(jobs.values()), records)

    assert ("u55-128: inference", "not known: it has 2 graphs", "") in rows
    assert ("u55-128: memory", "flash 658.3 KiB; SRAM and DRAM not known: it has 2 graphs", "") in rows
    assert ("u55-128: operators", "not known how many on the NPU in 2 command streams, 1 on the CPU", "counted") in rows
    assert "u55-128 cycles not known" in summary.line(list(jobs.values()), records)
