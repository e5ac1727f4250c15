"""The bounds and types of an experiment's keys, and their defaults."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from pipeline.experiments import experiment
from pipeline.experiments.schema import Experiment
from tests.pipeline.experiments.files import GOOD, VELA, refusal, trained, with_change, write

WRONG_TYPES = {
    "text for a whole number": ("units = 8", 'units = "8"', "model.units = '8': expected a whole number, got text;"),
    "fraction for a whole number": ("units = 8", "units = 8.0", "model.units = 8.0: expected a whole number, got a"),
    "true for a whole number": ("units = 8", "units = true", "model.units = true: expected a whole number"),
    "list for a whole number": ("units = 8", "units = [8]", "model.units = [8]: expected a whole number"),
    "date for a whole number": ("units = 8", "units = 2020-01-01", "model.units = "),
    "text for a number": ("seed = 0", 'learning_rate = "1e-3"', "training.learning_rate = '1e-3': expected a number"),
    "false for a number": ("seed = 0", "clip_norm = false", "training.clip_norm = false: expected a number"),
    "number for text": (
        "[dataset]",
        "description = 3\n[dataset]",
        "description = 3: expected text, got a whole number;",
    ),
    "number for an optional text": ('"mnist"', '"mnist"\npath = 3', "dataset.path = 3: expected text"),
    "text for an optional whole number": (
        '"mnist"',
        '"mnist"\ntrain_samples = "all"',
        "dataset.train_samples = 'all': expected a whole number",
    ),
    "number for a flag": (
        "units = 8",
        "units = 8\nreset_after = 1",
        "model.reset_after = 1: expected",
    ),
    "number for widths": ("units = 8", "units = 8\ndense = 8", "model.dense = 8: expected"),
    "text for a state": (
        "[vela.targets.board]",
        "[deployment]\nstate = 'true'\n[vela.targets.board]",
        "deployment.state = 'true': expected",
    ),
    "number for a cell": ('"gru"', "1", "model.cell = 1: expected text, got a whole number; allowed: gru, lstm or"),
    "number for an accelerator": ('"ethos-u55-128"', "128", "vela.targets.board.accelerator = 128: expected text"),
    "number for a section": ('[dataset]\nname = "mnist"\n', "dataset = 3\n", "dataset = 3: expected a table"),
    "list of sections": ("[dataset]", "[[dataset]]", "dataset = [{'name': 'mnist'}]: expected a table"),
    "number for a target": (VELA, "[vela.targets]\nboard = 5\n", "vela.targets.board = 5: expected a table"),
    "number for all targets": (VELA, "[vela]\ntargets = 5\n", "vela.targets = 5: expected a table"),
    "list of targets": ("[vela.targets.board]", "[[vela.targets]]", "vela.targets = ["),
}


@pytest.mark.parametrize(("old", "new", "says"), WRONG_TYPES.values(), ids=WRONG_TYPES)
def test_a_value_of_the_wrong_type_is_shown_with_what_is_expected(
    tmp_path: Path, old: str, new: str, says: str
) -> None:
    assert refusal(tmp_path, with_change(old, new)).startswith(says)


OUT_OF_RANGE = {
    "units = 0": ("units = 8", "model.units", "0", ">= 1"),
    "units = -1": ("units = 8", "model.units", "-1", ">= 1"),
    "units = 5000": ("units = 8", "model.units", "5000", "<= 4096"),
    "units = 99999999999999999999999": ("units = 8", "model.units", "99999999999999999999999", "<= 4096"),
    "epochs = 0": ("seed = 0", "training.epochs", "0", ">= 1"),
    "batch_size = 0": ("seed = 0", "training.batch_size", "0", ">= 1"),
    "learning_rate = 0": ("seed = 0", "training.learning_rate", "0", "> 0"),
    "learning_rate = -1e-3": ("seed = 0", "training.learning_rate", "-0.001", "> 0"),
    "learning_rate = 11.0": ("seed = 0", "training.learning_rate", "11.0", "<= 10"),
    "learning_rate = nan": ("seed = 0", "training.learning_rate", "nan", "> 0"),
    "learning_rate = inf": ("seed = 0", "training.learning_rate", "inf", "<= 10"),
    "learning_rate = -inf": ("seed = 0", "training.learning_rate", "-inf", "> 0"),
    "warmup = nan": ("seed = 0", "training.warmup", "nan", ">= 0"),
    "warmup = 1.0": ("seed = 0", "training.warmup", "1.0", "< 1"),
    "warmup = -0.1": ("seed = 0", "training.warmup", "-0.1", ">= 0"),
    "clip_norm = -1.0": ("seed = 0", "training.clip_norm", "-1.0", ">= 0"),
    "clip_norm = nan": ("seed = 0", "training.clip_norm", "nan", ">= 0"),
    "clip_norm = inf": ("seed = 0", "training.clip_norm", "inf", "<= 1000000"),
    "seed = -1": ("seed = 0", "training.seed", "-1", ">= 0"),
    "seed = 4294967296": ("seed = 0", "training.seed", "4294967296", "<= 4294967295"),
    "units = 8\nlayers = 0": ("units = 8", "model.layers", "0", ">= 1"),
    "units = 8\nlayers = 9": ("units = 8", "model.layers", "9", "<= 8"),
    "[deployment]\nsteps_per_inference = 0": ("seed = 0", "deployment.steps_per_inference", "0", ">= 1"),
    "percentile = 50.0": ("representative_samples = 5", "quantization.percentile", "50.0", "> 50"),
    "percentile = 100.0": ("representative_samples = 5", "quantization.percentile", "100.0", "< 100"),
    "representative_samples = 0": ("representative_samples = 5", "quantization.representative_samples", "0", ">= 1"),
}


@pytest.mark.parametrize("wrong", OUT_OF_RANGE)
def test_a_value_out_of_range_is_shown_with_its_bound(tmp_path: Path, wrong: str) -> None:
    old, key, value, bound = OUT_OF_RANGE[wrong]

    said = refusal(tmp_path, with_change(old, wrong))

    assert said.startswith(f"{key} = {value}: expected")
    assert bound in said


@pytest.mark.parametrize("key", ["train_samples", "test_samples"])
def test_a_data_set_of_no_samples_is_refused(tmp_path: Path, key: str) -> None:
    said = refusal(tmp_path, with_change('"mnist"', f'"mnist"\n{key} = 0'))

    assert said.startswith(f"dataset.{key} = 0: expected a whole number >= 1")


def test_widths_of_dense_layers_have_their_bounds(tmp_path: Path) -> None:
    write(tmp_path, with_change("units = 8", "units = 8\nlayers = 3\ndense = [1, 4096]"))
    assert trained(tmp_path).model.dense == [1, 4096]

    for wrong in ("[0]", "[4097]", '["8"]', "[1, 2, 3, 4, 5, 6, 7, 8, 9]"):
        said = refusal(tmp_path, with_change("units = 8", f"units = 8\ndense = {wrong}"))
        assert re.match(r"model\.dense = \[.*\]: expected ", said), said


@pytest.mark.parametrize(
    "wrong", ["units = [0]", "rows_per_step = 4", "sparsity = [1.0]", 'clusters = ["16"]', "epochs = [1]"]
)
def test_a_grid_is_lists_of_what_may_be_chosen(tmp_path: Path, wrong: str) -> None:
    write(tmp_path, f"{GOOD}[grid]\nunits = [8, 16]\nrows_per_step = []\n")
    found = experiment.load("mine", tmp_path)
    assert isinstance(found, Experiment)
    assert found.grid.units == [8, 16]

    assert refusal(tmp_path, f"{GOOD}[grid]\n{wrong}\n").startswith(f"grid.{wrong.split(maxsplit=1)[0]}")


def test_a_key_that_came_later_is_left_out_of_what_results_are_kept_by_while_it_changes_nothing(tmp_path: Path) -> None:
    write(tmp_path, with_change("units = 8", "units = 8\nrows_per_step = 1"))
    assert "rows_per_step" not in experiment.load("mine", tmp_path).model.as_dict()

    write(tmp_path, with_change("units = 8", "units = 8\nrows_per_step = 4"))
    assert experiment.load("mine", tmp_path).model.as_dict()["rows_per_step"] == 4


def test_what_is_required_of_a_proof_is_no_setting_that_a_stage_reads(tmp_path: Path) -> None:
    write(tmp_path, f'{GOOD}[verify]\nsamples = 9\nrequire = "partly"\n')
    verify = experiment.load("mine", tmp_path).verify
    assert verify.require == "partly"
    assert verify.as_dict() == {"samples": 9}

    assert refusal(tmp_path, f'{GOOD}[verify]\nrequire = "all"\n').startswith("verify.require = 'all'")


def test_defaults_are_written_out(tmp_path: Path) -> None:
    write(tmp_path, f'[dataset]\nname = "mnist"\n[model]\ncell = "lstm"\nunits = 4\n{VELA}')

    written: dict[str, Any] = experiment.load("mine", tmp_path).as_dict()

    assert written == {
        "description": "",
        "dataset": {"name": "mnist", "path": None, "stand_in": None, "train_samples": None, "test_samples": None},
        "model": {
            "cell": "lstm",
            "units": 4,
            "layers": 1,
            "dense": [],
            "activation": "tanh",
            "recurrent_activation": "sigmoid",
            "reset_after": True,
            "rows_per_step": 1,
        },
        "compress": None,
        "deployment": {"graph": "tied", "state": False, "steps_per_inference": None},
        "verify": {"samples": None, "require": "full"},
        "grid": {"rows_per_step": [1, 2, 4], "units": None, "sparsity": [], "clusters": []},
        "budget": {
            "accuracy_min": None,
            "accuracy_drop_max": None,
            "compression_drop_max": None,
            "cycles_max": None,
            "inference_ms_max": None,
            "sram_max": None,
            "flash_max": None,
            "cpu_operators_max": None,
        },
        "training": {
            "epochs": 1,
            "batch_size": 64,
            "learning_rate": 0.003,
            "schedule": "warmup_cosine",
            "warmup": 0.1,
            "clip_norm": 1.0,
            "seed": 0,
        },
        "quantization": {
            "activations": "int8",
            "representative_samples": 100,
            "ranges": "mse",
            "percentile": 99.9,
        },
        "vela": {
            "targets": {
                "board": {
                    "accelerator": "ethos-u55-128",
                    "system_config": "Ethos_U55_High_End_Embedded",
                    "memory_mode": "Shared_Sram",
                    "optimise": "Performance",
                    "config": None,
                }
            }
        },
    }
    json.dumps(written, allow_nan=False)


def test_a_whole_number_will_do_for_a_number(tmp_path: Path) -> None:
    write(tmp_path, with_change("seed = 0", "learning_rate = 1"))

    rate = trained(tmp_path).training.learning_rate

    assert isinstance(rate, float)
    assert rate == 1.0


BUDGET = {
    "accuracy_min": (0, 1, (-0.01, 1.01)),
    "accuracy_drop_max": (0, 100, (-0.1, 100.5)),
    "cycles_max": (1, 2**40, (0, -1)),
    "inference_ms_max": (1e-6, 1e9, (0, -1.5)),
    "sram_max": (1, 2**40, (0, -1)),
    "flash_max": (1, 2**40, (0, -1)),
    "cpu_operators_max": (0, 10_000, (-1,)),
}
"""Key of ``[budget]`` -> least and most that is good, and what is not."""


@pytest.mark.parametrize("key", BUDGET)
def test_a_budget_reaches_to_its_bounds_and_no_further(tmp_path: Path, key: str) -> None:
    least, most, wrong = BUDGET[key]
    for good in (least, most):
        write(tmp_path, f"{GOOD}[budget]\n{key} = {good}\n")
        assert getattr(experiment.load("mine", tmp_path).budget, key) == good
    for bad in wrong:
        assert refusal(tmp_path, f"{GOOD}[budget]\n{key} = {bad}\n").startswith(f"budget.{key} = {bad}: expected")


@pytest.mark.parametrize("key", BUDGET)
@pytest.mark.parametrize("value", ['"512 KiB"', "true", "[1]"])
def test_a_budget_of_the_wrong_type_is_refused(tmp_path: Path, key: str, value: str) -> None:
    said = refusal(tmp_path, f"{GOOD}[budget]\n{key} = {value}\n")
    assert said.startswith(f"budget.{key} = ")
    assert re.search("expected a (whole )?number, got ", said)


def test_a_budget_counts_bytes_and_operators_in_whole_numbers(tmp_path: Path) -> None:
    assert "whole number" in refusal(tmp_path, f"{GOOD}[budget]\nsram_max = 1.5\n")


def test_a_budget_that_is_not_a_number_is_refused(tmp_path: Path) -> None:
    assert refusal(tmp_path, f"{GOOD}[budget]\ninference_ms_max = nan\n").startswith("budget.inference_ms_max = nan:")


def test_an_unknown_budget_names_the_nearest_known_one(tmp_path: Path) -> None:
    said = refusal(tmp_path, f"{GOOD}[budget]\nsram_min = 3\n")
    assert said.startswith("budget.sram_min: unknown key; did you mean sram_max? allowed: accuracy_min,")


def test_an_experiment_cannot_be_changed_after_it_was_checked(tmp_path: Path) -> None:
    write(tmp_path, GOOD)
    loaded = trained(tmp_path)

    with pytest.raises(AttributeError):
        loaded.model.units = -1  # type: ignore[misc]
