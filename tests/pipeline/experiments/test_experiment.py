"""What an experiment file may say as a whole, and what its author is told when it says something else."""

import re
from pathlib import Path

import pytest

from pipeline.engine import job_graph
from pipeline.errors import UnrollError
from pipeline.experiments import experiment
from pipeline.experiments.schema import Experiment, Imported
from tests.conftest import ROOT
from tests.pipeline.experiments.files import GOOD, VELA, refusal, trained, with_change, write


def test_the_file_that_the_mistakes_are_made_in_is_good(tmp_path: Path) -> None:
    write(tmp_path, GOOD)

    assert trained(tmp_path).model.units == 8


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
    "npz without its file": ('"npz"', "dataset.path is missing; your `.npz` file"),
    "npz of no name": ('"npz"\npath = ""', "dataset.path"),
    "mnist in a folder of no name": ('"mnist"\npath = ""', "dataset.path"),
    "digits from a file": (
        '"digits"\npath = "a.npz"',
        "dataset.path: digits has no such key, only mnist or npz;",
    ),
    "stand-in for npz": (
        '"npz"\npath = "a.npz"\nstand_in = "digits"',
        "dataset.stand_in: npz has no such key, only mnist",
    ),
    "stand-in for digits": (
        '"digits"\nstand_in = "digits"',
        "dataset.stand_in: digits has no such key, only mnist",
    ),
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

    assert (guide.dataset.kind(), guide.model.cell, guide.model.units) == ("mnist", "gru", 256)
    assert (guide.training.epochs, guide.quantization.representative_samples) == (1, 100)
    assert tiny.dataset.kind() == "digits"


def test_a_changed_budget_changes_no_job(tmp_path: Path) -> None:
    def jobs() -> list[job_graph.Job]:
        return job_graph.jobs("mine", experiment.load("mine", tmp_path))

    write(tmp_path, GOOD)
    before = jobs()
    write(tmp_path, f"{GOOD}[budget]\nsram_max = 1\naccuracy_min = 0.99\n")
    assert jobs() == before, "so no result becomes stale"


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
