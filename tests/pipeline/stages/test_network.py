"""Training: what it finds, that it can be repeated, and what is said when it comes to nothing."""

import math
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import msgspec
import pytest

from pipeline.data.arrays import DataSet
from pipeline.data.steps import StepsError
from pipeline.errors import UnrollError
from pipeline.frontends.section import Model
from pipeline.network import files
from pipeline.stage import Found, Work
from pipeline.stages import network
from pipeline.training.section import Training
from pipeline.training.train import TrainingError
from tests.pipeline.making import make_stage

Settings = Callable[..., Mapping[str, Any]]
Train = Callable[..., tuple[Path, Found]]
Chain = Callable[..., tuple[Mapping[str, Path], Mapping[str, Found]]]
CELLS = ["gru", *(pytest.param(cell, marks=pytest.mark.slow) for cell in ("lstm", "simple_rnn"))]
"""The formulas of the other two are tested without training; that they train alike takes half a minute."""


@pytest.fixture
def train(work: Callable[..., Work[Any]], dataset: Path, settings: Settings) -> Train:
    """Train a small network with some settings changed; return its folder and what was found."""

    def run(
        into: str = "into", cell: str = "gru", report: Callable[..., None] = lambda **_: None, **changed: Any
    ) -> tuple[Path, Found]:
        chosen = settings(cell)
        training = msgspec.structs.replace(msgspec.convert(chosen["training"], Training), **changed)
        config = network.Config(model=msgspec.convert(chosen["model"], Model), training=training)
        job = work(config, {"dataset": dataset}, into, report)
        return job.into, make_stage("network", job)

    return run


def both_files(folder: Path) -> list[bytes]:
    return [(folder / name).read_bytes() for name in (files.DESCRIPTION, files.ARRAYS)]


@pytest.mark.parametrize("cell", CELLS)
def test_the_same_seed_gives_the_same_weights(train: Train, chain: Chain, cell: str) -> None:
    folder, found = train(cell=cell)

    made, earlier = chain(cell)
    assert both_files(folder) == both_files(made["network"])
    assert found.metrics == earlier["network"].metrics


@pytest.mark.parametrize("seed", [pytest.param(1, marks=pytest.mark.slow), 2**32 - 1], ids=["next", "largest"])
def test_another_seed_gives_other_weights(train: Train, chain: Chain, seed: int) -> None:
    folder, found = train(seed=seed)

    made, _ = chain("gru")
    assert math.isfinite(found.metrics["training_loss"])
    assert (folder / files.ARRAYS).read_bytes() != (made["network"] / files.ARRAYS).read_bytes()
    assert (folder / files.DESCRIPTION).read_bytes() == (made["network"] / files.DESCRIPTION).read_bytes()


@pytest.mark.slow
@pytest.mark.parametrize(
    "changed",
    [{"schedule": "constant"}, {"warmup": 0.5}, {"learning_rate": 2e-2}, {"clip_norm": 0.01}, {"batch_size": 32}],
    ids=str,
)
def test_every_setting_of_the_training_counts(train: Train, chain: Chain, changed: dict[str, Any]) -> None:
    folder, _ = train(**changed)

    made, _ = chain("gru")
    assert (folder / files.ARRAYS).read_bytes() != (made["network"] / files.ARRAYS).read_bytes()


@pytest.mark.slow
@pytest.mark.parametrize(
    "changed",
    [{"warmup": 0.0, "clip_norm": 0.0}, {"warmup": 0.999}, {"batch_size": 1000, "epochs": 1}],
    ids=str,
)
def test_settings_at_their_bounds_train(train: Train, changed: dict[str, Any]) -> None:
    folder, found = train(**changed)

    assert math.isfinite(found.metrics["training_loss"])
    files.load(folder).check()  # which refuses weights that are no numbers


def test_only_weights_and_architecture_are_left(chain: Chain) -> None:
    made, found = chain("gru", until="network")
    folder, metrics = made["network"], found["network"].metrics

    assert sorted(path.name for path in folder.iterdir()) == [files.DESCRIPTION, files.ARRAYS]
    assert metrics["weights_bytes"] == (folder / files.ARRAYS).stat().st_size
    assert metrics["parameters"] == 3 * 4 * (6 + 4 + 2) + 4 * 3 + 3


def test_training_learns_and_reports_the_last_epochs_loss_and_accuracy(train: Train, data: DataSet) -> None:
    folder, found = train(epochs=15, learning_rate=3e-2)

    outputs = files.load(folder).run({"input": data.x_test})["output"]
    assert found.metrics["training_accuracy"] > 0.9
    assert found.metrics["training_loss"] < 0.5
    assert (outputs.argmax(axis=1) == data.y_test).mean() > 0.9
    assert found.basis["training_accuracy"] == "measured"


def test_progress_tells_epoch_step_loss_and_accuracy(train: Train) -> None:
    reports: list[dict[str, Any]] = []

    _, found = train(report=lambda **facts: reports.append(facts))

    last = reports[-1]
    assert (last["done"], last["total"]) == (12, 12)
    assert (last["epoch"], last["step"]) == ("2/2", "6/6")
    assert last["loss"] == pytest.approx(found.metrics["training_loss"], abs=1e-6)
    assert last["accuracy"] == pytest.approx(found.metrics["training_accuracy"], abs=1e-6)
    assert [report["done"] for report in reports] == sorted(report["done"] for report in reports)


@pytest.mark.parametrize("batch_size", [96, pytest.param(10, marks=pytest.mark.slow)])
def test_progress_never_goes_beyond_the_end(train: Train, batch_size: int) -> None:
    reports: list[dict[str, Any]] = []

    train(batch_size=batch_size, report=lambda **facts: reports.append(facts))

    for report in reports:
        step, steps = map(int, report["step"].split("/"))
        assert 1 <= step <= steps
        assert 1 <= report["done"] <= report["total"]


@pytest.mark.parametrize(
    ("cell", "epochs"),
    [
        ("gru", 1),
        pytest.param("gru", 2, marks=pytest.mark.slow),
        *(pytest.param(cell, 1, marks=pytest.mark.slow) for cell in ("lstm", "simple_rnn")),
    ],
)
def test_a_loss_that_is_no_number_ends_in_a_sentence_with_the_remedy(train: Train, cell: str, epochs: int) -> None:
    with pytest.raises(TrainingError) as caught:
        train(cell=cell, learning_rate=3e38, schedule="constant", clip_norm=0.0, epochs=epochs)

    assert str(caught.value) in {
        f"the loss became {loss} while training; lower training.learning_rate or set training.clip_norm"
        for loss in ("nan", "inf")
    }
    assert isinstance(caught.value, UnrollError)


@pytest.fixture
def longer_rows(data: DataSet, tmp_path: Path) -> Path:
    """Return the folder of the same data set in 2 rows of 24 features."""
    x = {f"x_{part}": getattr(data, f"x_{part}").reshape(-1, 2, 24) for part in ("train", "test")}
    (tmp_path / "longer").mkdir()
    DataSet(**x, y_train=data.y_train, y_test=data.y_test).save(tmp_path / "longer")
    return tmp_path / "longer"


@pytest.mark.slow
@pytest.mark.parametrize("cell", CELLS)
def test_folded_rows_train_as_a_data_set_of_longer_rows_does(
    work: Callable[..., Work[Any]], chain: Chain, longer_rows: Path, settings: Settings, cell: str
) -> None:
    job = work({name: settings(cell)[name] for name in ("model", "training")}, {"dataset": longer_rows})

    found = make_stage("network", job)

    made, folded = chain(cell, rows_per_step=4, until="network")
    arrays = [(folder / files.ARRAYS).read_bytes() for folder in (job.into, made["network"])]
    assert arrays[0] == arrays[1]
    assert found.metrics == folded["network"].metrics


def test_rows_that_do_not_fold_are_an_error_that_lists_what_does(chain: Chain) -> None:
    with pytest.raises(StepsError) as caught:
        chain("gru", rows_per_step=3, until="network")

    assert str(caught.value) == (
        "model.rows_per_step = 3 does not divide the 8 rows of the data set; possible: 1, 2, 4, 8"
    )
