"""An author's mistakes in words: the nearest name, what is allowed, what is missing."""

from pathlib import Path

import pytest

from tests.pipeline.experiments.files import VELA, refusal, with_change

UNKNOWN_KEYS = {
    "at the top": ("[dataset]", 'desciption = "x"\n[dataset]', "desciption: unknown key; did you mean description?"),
    "a section": ("[training]", "[trainig]", "trainig: unknown key; did you mean training?"),
    "in a section": (
        "units = 8",
        "unit = 8",
        "model.unit: unknown key; did you mean units? allowed: cell, units,",
    ),
    "in deployment": (
        "[vela.targets.board]",
        "[deployment]\ngrpah = 'tied'\n[vela.targets.board]",
        "deployment.grpah: unknown key; did you mean graph? allowed: graph, state or steps_per_inference",
    ),
    "in quantization": (
        "representative_samples = 5",
        "activation = 'int8'",
        "quantization.activation: unknown key; did you mean activations?",
    ),
    "a backward layer": (
        "units = 8",
        "units = 8\nbidirectional = true",
        "model.bidirectional: a backward layer needs the end of the sequence before it begins; only forward ones",
    ),
    "in training": (
        "seed = 0",
        "learnig_rate = 1e-3",
        "training.learnig_rate: unknown key; did you mean learning_rate?",
    ),
    "in vela": ("[vela.targets.board]", "[vela.target.board]", "vela.target: unknown key; did you mean targets?"),
    "in a target": (
        "memory_mode =",
        'optimize = "Size"\nmemory_mode =',
        "vela.targets.board.optimize: unknown key; did you mean optimise? allowed: accelerator, system_config,",
    ),
    "like nothing known": ("units = 8", "units = 8\nzzz = 1", "model.zzz: unknown key; allowed: cell, units, layers,"),
    "of a target put under vela": ("[vela.targets.board]", "[vela]", "vela.accelerator: unknown key; allowed: targets"),
}


@pytest.mark.parametrize(("old", "new", "says"), UNKNOWN_KEYS.values(), ids=UNKNOWN_KEYS)
def test_an_unknown_key_names_the_nearest_known_one(tmp_path: Path, old: str, new: str, says: str) -> None:
    assert refusal(tmp_path, with_change(old, new)).startswith(says)


def test_an_unknown_key_that_is_written_on_two_lines_is_told_on_one(tmp_path: Path) -> None:
    assert "unknown" in refusal(tmp_path, with_change("units = 8", 'units = 8\n"a\\nb" = 1'))


def test_an_unknown_key_that_looks_like_an_error_message_is_just_an_unknown_key(tmp_path: Path) -> None:
    assert "unknown key" in refusal(tmp_path, with_change("units = 8", 'units = 8\n"a` - at `$.b" = 1'))


BAD_NAMES = {
    "cell": ('"gru"', '"gur"', "model.cell = 'gur'", "did you mean gru? allowed: gru, lstm or simple_rnn"),
    "cell in capitals": ('"gru"', '"GRU"', "model.cell = 'GRU'", "did you mean gru? allowed: gru, lstm or simple_rnn"),
    "cell, empty": ('"gru"', '""', "model.cell = ''", "allowed: gru, lstm or simple_rnn"),
    "data set": ('"mnist"', '"mnsit"', "dataset.name = 'mnsit'", "did you mean mnist? allowed: digits, mnist or npz"),
    "stand-in": (
        '"mnist"',
        '"mnist"\nstand_in = "digit"',
        "dataset.stand_in = 'digit'",
        "did you mean digits? allowed: digits",
    ),
    "another activation": (
        "units = 8",
        'units = 8\nactivation = "relu"',
        "model.activation = 'relu'",
        "allowed: tanh",
    ),
    "another activation of the gates": (
        "units = 8",
        'units = 8\nrecurrent_activation = "hard_sigmoid"',
        "model.recurrent_activation = 'hard_sigmoid'",
        "did you mean sigmoid? allowed: sigmoid",
    ),
    "a cell that is not recurrent": ('"gru"', '"dense"', "model.cell = 'dense'", "allowed: gru, lstm or simple_rnn"),
    "a graph": (
        "[vela.targets.board]",
        '[deployment]\ngraph = "keras3"\n[vela.targets.board]',
        "deployment.graph = 'keras3'",
        "did you mean keras? allowed: tied or keras",
    ),
    "activations": (
        "representative_samples = 5",
        'activations = "int4"',
        "quantization.activations = 'int4'",
        "did you mean int8? allowed: int8 or int16",
    ),
    "ranges": (
        "representative_samples = 5",
        'ranges = "minmax"',
        "quantization.ranges = 'minmax'",
        "did you mean min_max? allowed: mse, min_max or percentile",
    ),
    "schedule": (
        "seed = 0",
        'schedule = "cosine"',
        "training.schedule = 'cosine'",
        "did you mean warmup_cosine? allowed: warmup_cosine or constant",
    ),
    "accelerator": (
        '"ethos-u55-128"',
        '"ethos-u55-218"',
        "vela.targets.board.accelerator = 'ethos-u55-218'",
        "did you mean ethos-u55-128? allowed: ethos-u55-32, ethos-u55-64,",
    ),
    "accelerator like no other": (
        '"ethos-u55-128"',
        '"zzz"',
        "vela.targets.board.accelerator = 'zzz'",
        ": allowed: ethos-u55-32,",
    ),
    "system config": (
        '"Ethos_U55_High_End_Embedded"',
        '"Ethos_U55_High_End_Embeded"',
        "vela.targets.board.system_config = 'Ethos_U55_High_End_Embeded'",
        "did you mean Ethos_U55_High_End_Embedded? allowed: Ethos_U55_Deep_Embedded,",
    ),
    "memory mode": (
        '"Shared_Sram"',
        '"shared_sram"',
        "vela.targets.board.memory_mode = 'shared_sram'",
        "did you mean Shared_Sram? allowed: Sram_Only,",
    ),
    "optimisation": (
        '"Shared_Sram"',
        '"Shared_Sram"\noptimise = "Speed"',
        "vela.targets.board.optimise = 'Speed'",
        "allowed: Performance or Size",
    ),
}


@pytest.mark.parametrize(("old", "new", "wrong", "remedy"), BAD_NAMES.values(), ids=BAD_NAMES)
def test_a_name_that_is_not_known_is_answered_with_the_nearest_and_all_that_are(
    tmp_path: Path, old: str, new: str, wrong: str, remedy: str
) -> None:
    said = refusal(tmp_path, with_change(old, new))

    assert said.startswith(f"{wrong}: ")
    assert remedy in said


def test_a_value_of_several_lines_is_told_on_one(tmp_path: Path) -> None:
    assert refusal(tmp_path, with_change('"gru"', '"a\\nb"')).startswith(r"model.cell = 'a\nb': ")


MISSING = {
    "dataset section": ('[dataset]\nname = "mnist"\n', "", "dataset is missing; add the table with name"),
    "model section": ('[model]\ncell = "gru"\nunits = 8\n', "", "model is missing; add the table with cell, units"),
    "vela section": (VELA, "", "vela is missing; add the table with targets"),
    "targets": (VELA, "[vela]\n", "vela.targets is missing; at least one named target"),
    "name of the data set": ('name = "mnist"\n', "", "dataset.name is missing; allowed: digits, mnist or npz"),
    "cell": ('cell = "gru"\n', "", "model.cell is missing; allowed: gru, lstm or simple_rnn"),
    "units": ("units = 8\n", "", "model.units is missing; width of the hidden state"),
    "accelerator": (
        'accelerator = "ethos-u55-128"\n',
        "",
        "vela.targets.board.accelerator is missing; allowed: ethos-",
    ),
    "system config": (
        'system_config = "Ethos_U55_High_End_Embedded"\n',
        "",
        "vela.targets.board.system_config is missing; allowed: Ethos_U55_",
    ),
    "memory mode": (
        'memory_mode = "Shared_Sram"\n',
        "",
        "vela.targets.board.memory_mode is missing; allowed: Sram_Only",
    ),
}


@pytest.mark.parametrize(("old", "new", "says"), MISSING.values(), ids=MISSING)
def test_what_is_missing_is_named_with_what_to_write(tmp_path: Path, old: str, new: str, says: str) -> None:
    assert refusal(tmp_path, with_change(old, new)).startswith(says)


def test_a_table_of_no_targets_asks_for_one(tmp_path: Path) -> None:
    said = refusal(tmp_path, with_change(VELA, "[vela.targets]\n"))

    assert said.startswith("vela.targets")
    assert said.endswith("at least one named target")


def test_an_empty_file_asks_for_the_first_section(tmp_path: Path) -> None:
    assert refusal(tmp_path, "").startswith("dataset is missing")
