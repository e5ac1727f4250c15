"""What an experiment file may say, and what its author is told when it says something else."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from pipeline import experiment, graph
from pipeline.errors import UnrollError
from pipeline.experiment import Experiment, Imported

ROOT = Path(__file__).parents[2]

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


def test_the_file_that_the_mistakes_are_made_in_is_good(tmp_path: Path) -> None:
    write(tmp_path, GOOD)

    assert trained(tmp_path).model.units == 8


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


BAD_NAMES = {
    "cell": ('"gru"', '"gur"', "model.cell = 'gur'", "did you mean gru? allowed: gru, lstm or simple_rnn"),
    "cell in capitals": ('"gru"', '"GRU"', "model.cell = 'GRU'", "did you mean gru? allowed: gru, lstm or simple_rnn"),
    "cell, empty": ('"gru"', '""', "model.cell = ''", "allowed: gru, lstm or simple_rnn"),
    "data set": ('"mnist"', '"mnsit"', "dataset.name = 'mnsit'", "did you mean mnist? allowed: mnist, digits or npz"),
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
    "name of the data set": ('name = "mnist"\n', "", "dataset.name is missing; allowed: mnist, digits or npz"),
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


@pytest.mark.parametrize("name", ["a b", "a:b", "a/b", "", "..", "-a", "a=b", r"a\nb", "ä"])
def test_a_target_whose_name_cannot_be_a_folder_and_a_task_is_refused(tmp_path: Path, name: str) -> None:
    said = refusal(tmp_path, with_change("[vela.targets.board]", f'[vela.targets."{name}"]'))

    assert said.startswith("vela.targets.")
    assert said.endswith("a target's name may hold letters, digits, '.', '_' and '-'")


@pytest.mark.parametrize("name", ["u55", "U85-2048", "rev.2", "0", "a_b"])
def test_a_target_may_have_an_ordinary_name(tmp_path: Path, name: str) -> None:
    write(tmp_path, with_change("[vela.targets.board]", f'[vela.targets."{name}"]'))

    assert list(experiment.load("mine", tmp_path).vela.targets) == [name]


def test_the_wrong_one_of_several_targets_is_named(tmp_path: Path) -> None:
    other = VELA.replace("board", "other").replace("Shared_Sram", "Shared")

    assert refusal(tmp_path, f"{GOOD}\n{other}").startswith("vela.targets.other.memory_mode = 'Shared': did you mean")


IMPOSSIBLE = {
    "a U55's config for a U65": (
        '"ethos-u55-128"',
        '"ethos-u65-256"',
        "system_config Ethos_U55_High_End_Embedded is not for ethos-u65-256; use Ethos_U65_Embedded,",
    ),
    "a U85's config for a U55": (
        '"Ethos_U55_High_End_Embedded"',
        '"Ethos_U85_SYS_DRAM_Mid"',
        "system_config Ethos_U85_SYS_DRAM_Mid is not for ethos-u55-128; use Ethos_U55_Deep_Embedded or",
    ),
    "an arena in a U55's flash": ('"Shared_Sram"', '"Dedicated_Sram"', "memory_mode Dedicated_Sram needs DRAM,"),
}


@pytest.mark.parametrize(("old", "new", "says"), IMPOSSIBLE.values(), ids=IMPOSSIBLE)
def test_a_target_that_no_silicon_can_be_is_refused_with_what_can(
    tmp_path: Path, old: str, new: str, says: str
) -> None:
    said = refusal(tmp_path, with_change(old, new))

    assert said.startswith(f"vela.targets.board: {says}")
    assert "; use " in said


def test_an_arena_in_a_u85s_flash_is_refused_with_what_can(tmp_path: Path) -> None:
    vela = VELA.replace("ethos-u55-128", "ethos-u85-256").replace("Shared_Sram", "Dedicated_Sram_256KB")
    said = refusal(tmp_path, with_change(VELA, vela.replace("Ethos_U55_High_End_Embedded", "Ethos_U85_SYS_Flash_High")))

    assert said.startswith("vela.targets.board: memory_mode Dedicated_Sram_256KB puts the arena behind the second port")
    assert "use Shared_Sram or Sram_Only, or a system_config with DRAM" in said


DATASET_RULES = {
    "npz without its file": ('"npz"', "dataset.path is missing: name your .npz file"),
    "npz of no name": ('"npz"\npath = ""', "dataset.path"),
    "mnist in a folder of no name": ('"mnist"\npath = ""', "dataset.path"),
    "digits from a file": ('"digits"\npath = "a.npz"', "dataset.path = 'a.npz': digits ships inside scikit-learn;"),
    "stand-in for npz": ('"npz"\npath = "a.npz"\nstand_in = "digits"', "dataset.stand_in = 'digits': only mnist can"),
    "stand-in for digits": ('"digits"\nstand_in = "digits"', "dataset.stand_in = 'digits': only mnist can have a"),
}


@pytest.mark.parametrize(("new", "says"), DATASET_RULES.values(), ids=DATASET_RULES)
def test_keys_of_a_data_set_that_cannot_go_together_are_refused(tmp_path: Path, new: str, says: str) -> None:
    assert refusal(tmp_path, with_change('"mnist"', new)).startswith(says)


DEPLOYMENT_RULES = {
    "steps without a state": (
        "[deployment]\nsteps_per_inference = 4\n",
        "deployment.steps_per_inference = 4: without a state, an inference takes the whole sequence; set deployment.st",
    ),
    "steps, with a state that is off": (
        "[deployment]\nstate = false\nsteps_per_inference = 1\n",
        "deployment.steps_per_inference = 1: without a state,",
    ),
    "int16 by TFLiteConverter": (
        '[deployment]\ngraph = "keras"\n[quantization]\nactivations = "int16"\n',
        "quantization.activations = 'int16': TFLiteConverter's int16 is silently wrong for unrolled layers",
    ),
}


@pytest.mark.parametrize(("written", "says"), DEPLOYMENT_RULES.values(), ids=DEPLOYMENT_RULES)
def test_a_deployment_that_cannot_be_is_refused_with_the_remedy(tmp_path: Path, written: str, says: str) -> None:
    good = GOOD.replace("[quantization]\nrepresentative_samples = 5\n", "")

    assert refusal(tmp_path, good + written).startswith(says)


@pytest.mark.parametrize("cell", ["lstm", "simple_rnn"])
def test_only_a_gru_can_reset_before_its_product(tmp_path: Path, cell: str) -> None:
    wrong = GOOD.replace('cell = "gru"', f'cell = "{cell}"\nreset_after = false')

    assert refusal(tmp_path, wrong) == "model.reset_after = false: only a gru has a reset gate; remove the key"
    write(tmp_path, with_change("units = 8", "units = 8\nreset_after = false"))
    assert trained(tmp_path).model.reset_after is False


def test_widths_of_dense_layers_have_their_bounds(tmp_path: Path) -> None:
    write(tmp_path, with_change("units = 8", "units = 8\nlayers = 3\ndense = [1, 4096]"))
    assert trained(tmp_path).model.dense == [1, 4096]

    for wrong in ("[0]", "[4097]", '["8"]', "[1, 2, 3, 4, 5, 6, 7, 8, 9]"):
        said = refusal(tmp_path, with_change("units = 8", f"units = 8\ndense = {wrong}"))
        assert re.match(r"model\.dense = \[.*\]: expected ", said), said


def test_a_state_may_be_taken_in_pieces(tmp_path: Path) -> None:
    for kind, steps in (("tied", 7), ("keras", 1)):
        write(tmp_path, f'{GOOD}[deployment]\ngraph = "{kind}"\nstate = true\nsteps_per_inference = {steps}\n')
        assert trained(tmp_path).deployment.steps_per_inference == steps


@pytest.mark.parametrize(
    ("rows", "steps", "said"),
    [
        (3, None, "model.rows_per_step = 3 does not divide the 28 rows of the data set; possible: 1, 2, 4, 7, 14, 28"),
        (1, 5, "deployment.steps_per_inference = 5 does not divide the 28 time steps of a sequence; possible: 1, 2,"),
        (4, 2, "deployment.steps_per_inference = 2 does not divide the 7 time steps of a sequence; possible: 1, 7"),
    ],
)
def test_steps_that_do_not_divide_a_data_set_that_is_known_are_refused_before_anything_is_built(
    tmp_path: Path, rows: int, steps: int | None, said: str
) -> None:
    pieces = f"[deployment]\nstate = true\nsteps_per_inference = {steps}\n" if steps else ""
    wrong = with_change("units = 8", f"units = 8\nrows_per_step = {rows}") + pieces
    assert refusal(tmp_path, wrong).startswith(said)

    own = 'name = "npz"\npath = "mine.npz"'
    write(tmp_path, re.sub(r'name = "(mnist|digits)"', own, wrong))
    found = experiment.load("mine", tmp_path)
    assert isinstance(found, Experiment)
    assert found.model.rows_per_step == rows, "of one's own data, a stage says it"


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


@pytest.mark.parametrize(
    ("old", "new", "where"),
    [
        ("units = 8", "units = ", "line 6"),
        ("[model]", "[model", "line 4"),
        ("units = 8", "units = 8\nunits = 9", "line 7"),
        ('"gru"', '"gru', "line 5"),
    ],
)
def test_a_syntax_error_names_its_line(tmp_path: Path, old: str, new: str, where: str) -> None:
    said = refusal(tmp_path, with_change(old, new))

    assert said.startswith("is not valid TOML: ")
    assert where in said


def test_brackets_without_end_are_a_mistake_like_any_other(tmp_path: Path) -> None:
    assert "TOML" in refusal(tmp_path, f"a = {'[' * 5000}")


@pytest.mark.parametrize("encoding", ["utf-16", "latin-1"])
def test_a_file_that_is_not_utf_8_is_told_what_to_do(tmp_path: Path, encoding: str) -> None:
    said = refusal(tmp_path, f'description = "é"\n{GOOD}'.encode(encoding))

    assert re.fullmatch(r"is not UTF-8 text \(byte \d+\); save it as UTF-8", said)


def test_line_ends_of_windows_are_as_good(tmp_path: Path) -> None:
    write(tmp_path, GOOD.replace("\n", "\r\n"))

    assert trained(tmp_path).model.cell == "gru"


def test_a_missing_file_lists_those_there_are(tmp_path: Path) -> None:
    write(tmp_path, GOOD, "two")
    write(tmp_path, GOOD, "one")

    with pytest.raises(experiment.ExperimentError) as caught:
        experiment.load("three", tmp_path)

    assert str(caught.value) == f"{tmp_path.as_posix()}/three.toml: no such experiment; there are: one, two"


def test_a_missing_file_in_an_empty_folder_says_that_there_are_none(tmp_path: Path) -> None:
    with pytest.raises(experiment.ExperimentError, match="no such experiment; there are: none"):
        experiment.load("mine", tmp_path)


@pytest.mark.parametrize("name", ["a b", "a:b", "-a", "ä", "a=b"])
def test_a_file_whose_name_cannot_be_a_tasks_is_refused(tmp_path: Path, name: str) -> None:
    said = refusal(tmp_path, GOOD, name)

    assert said == "its name can't be a task's: use letters, digits, '.', '_' and '-'"


def test_a_folder_that_is_called_like_a_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "mine.toml").mkdir()

    with pytest.raises(experiment.ExperimentError) as caught:
        experiment.load("mine", tmp_path)

    assert str(caught.value) == f"{tmp_path.as_posix()}/mine.toml: can't be read: Is a directory"


def test_a_mistake_is_an_error_that_is_shown_without_a_traceback() -> None:
    assert issubclass(experiment.ExperimentError, UnrollError)


def test_experiments_are_listed_by_name(tmp_path: Path) -> None:
    for name in ("b", "a", "c.d"):
        write(tmp_path, GOOD, name)
    (tmp_path / "notes.txt").touch()

    assert experiment.names(tmp_path) == ["a", "b", "c.d"]


@pytest.mark.parametrize("name", experiment.names(ROOT / "experiments"))
def test_a_shipped_experiment_loads(name: str) -> None:
    loaded = experiment.load(name, ROOT / "experiments")

    assert loaded.description


def test_the_guides_model_and_a_tiny_one_are_shipped() -> None:
    guide, tiny = (trained(ROOT / "experiments", name) for name in ("mnist-gru", "tiny"))

    assert (guide.dataset.name, guide.model.cell, guide.model.units) == ("mnist", "gru", 256)
    assert (guide.training.epochs, guide.quantization.representative_samples) == (1, 100)
    assert tiny.dataset.name == "digits"


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
        "verify": {"samples": None},
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


def test_a_changed_budget_changes_no_job(tmp_path: Path) -> None:
    def jobs() -> list[graph.Job]:
        return graph.jobs("mine", experiment.load("mine", tmp_path))

    write(tmp_path, GOOD)
    before = jobs()
    write(tmp_path, f"{GOOD}[budget]\nsram_max = 1\naccuracy_min = 0.99\n")
    assert jobs() == before, "so no result becomes stale"


def test_an_experiment_cannot_be_changed_after_it_was_checked(tmp_path: Path) -> None:
    write(tmp_path, GOOD)
    loaded = trained(tmp_path)

    with pytest.raises(AttributeError):
        loaded.model.units = -1  # type: ignore[misc]


MADE_ELSEWHERE = f'[model]\ntflite = "models/mine.tflite"\n{VELA}'


def test_a_model_that_was_made_elsewhere_needs_nothing_but_a_target(tmp_path: Path) -> None:
    write(tmp_path, f'description = "keyword spotting"\n{MADE_ELSEWHERE}[budget]\nsram_max = 1024\n')
    loaded = experiment.load("mine", tmp_path)
    assert isinstance(loaded, Imported)
    assert (loaded.model.tflite, loaded.budget.sram_max) == ("models/mine.tflite", 1024)
    assert loaded.description == "keyword spotting"


@pytest.mark.parametrize("section", ["dataset", "training", "deployment", "quantization"])
def test_what_trains_or_quantizes_is_refused_beside_it(tmp_path: Path, section: str) -> None:
    said = refusal(tmp_path, f"{MADE_ELSEWHERE}[{section}]\n")
    assert said.startswith(f"{section}: model.tflite names a model that was made elsewhere"), said
    assert said.endswith("remove the table, or model.tflite"), said


@pytest.mark.parametrize("key", ['cell = "gru"', "units = 8", "layers = 1", "dense = [4]", "reset_after = true"])
def test_so_is_a_networks_shape(tmp_path: Path, key: str) -> None:
    said = refusal(tmp_path, MADE_ELSEWHERE.replace("[model]", f"[model]\n{key}"))
    assert said.startswith(f"model.{key.split(maxsplit=1)[0]}: model.tflite names a model"), said
    assert said.endswith("remove the key, or model.tflite"), said


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ('"models/mine.tflite"', "7", "model.tflite = 7: expected text, got a whole number"),
        ('"models/mine.tflite"', '""', "model.tflite = '': expected text of length >= 1"),
        ("[model]", "[model]\nsamples = 3", "model.samples: unknown key; allowed: tflite"),
        ("[model]", "[budgets]\n[model]", "budgets: unknown key; did you mean budget?"),
        ("ethos-u55-128", "ethos-u55-129", "did you mean ethos-u55-128?"),
        (VELA, "", "vela is missing"),
        ("tflite", "tflit", "model.tflit: unknown key; did you mean tflite?"),
    ],
)
def test_a_mistake_in_it_is_one_line_as_any_other(tmp_path: Path, old: str, new: str, says: str) -> None:
    assert says in refusal(tmp_path, MADE_ELSEWHERE.replace(old, new, 1))


COMPRESS = {
    "[compress]\n": "[compress] asks for nothing: set compress.clusters",
    "[compress]\nsparsity = 0.0": "compress.sparsity = 0.0: ",
    "[compress]\nsparsity = 1.0": "compress.sparsity = 1.0: ",
    "[compress]\nclusters = 3": "compress.clusters = 3: expected a whole number >= 4; at most so many values in a",
    "[compress]\nclusters = 33": "compress.clusters = 33: ",
    '[compress]\nclusters = 16\nmatrices = ["recurent"]': "recurent",
    "[compress]\nclusters = 16\nmatrices = []": "compress.matrices",
    '[compress]\nclusters = 16\nmatrices = ["input", "input"]': "name each kind once",
    "[compress]\nclusters = 16\nfine_tune_epochs = 0": "compress.fine_tune_epochs = 0: ",
    "[budget]\ncompression_drop_max = 0.5": "there is no [compress] to lose accuracy by",
}


@pytest.mark.parametrize(("section", "says"), COMPRESS.items(), ids=COMPRESS)
def test_a_mistake_in_compress_is_one_line_that_names_it(tmp_path: Path, section: str, says: str) -> None:
    sentence = refusal(tmp_path, f"{GOOD}\n{section}\n")
    assert says in sentence
    assert "\n" not in sentence


def test_a_name_that_ends_as_that_of_a_twin_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.dense.toml").write_text(GOOD, encoding="utf-8")
    with pytest.raises(experiment.ExperimentError, match="is that of an experiment without its"):
        experiment.load("a.dense", tmp_path)
