"""What a grid varies: options, defaults, and the experiments that come of them."""

from typing import Any

import msgspec
import pytest

from pipeline.compression.section import Compress
from pipeline.experiments import experiment
from pipeline.experiments.schema import Budget, Experiment, Grid
from pipeline.views.pareto import axes
from pipeline.views.pareto.axes import AXES, GridError
from tests.conftest import ROOT


@pytest.fixture
def base() -> Experiment:
    """Return the guide's model: 28 rows, 256 units."""
    found = experiment.load("mnist-gru", ROOT / "experiments")
    assert isinstance(found, Experiment)
    return found


def point(base: Experiment, **settings: float) -> axes.Point:
    """Return the only point of a grid that varies nothing but keeps to these settings."""
    values = {name: [settings.get(name, axes.own(base, name))] for name in AXES}
    (found,) = axes.points(base, values)
    return found


@pytest.mark.parametrize(
    ("option", "text", "values"),
    [("units", "64", [64]), ("rows_per_step", "1, 2,4", [1, 2, 4]), ("sparsity", "0,0.9", [0.0, 0.9])],
)
def test_an_option_is_numbers_with_commas_between(option: str, text: str, values: list[float]) -> None:
    assert axes.read(option, text) == values


@pytest.mark.parametrize("text", ["64,", "many", "1.5", "64;128"])
def test_an_option_that_is_something_else_is_a_sentence_with_an_example(text: str) -> None:
    with pytest.raises(GridError) as caught:
        axes.read("rows_per_step", text)

    assert str(caught.value) == f"--rows-per-step {text}: give numbers separated by commas, such as 1,2,4"


def test_an_option_counts_before_the_file_and_the_file_before_the_default(base: Experiment) -> None:
    assert axes.chosen(base, {}) == {"rows_per_step": [1, 2, 4], "units": [128, 256], "sparsity": [0], "clusters": [0]}
    written = msgspec.structs.replace(base, grid=Grid(rows_per_step=[7], units=[32, 64]))
    assert axes.chosen(written, {})["units"] == [32, 64]
    asked = axes.chosen(written, {"units": "8,16,8", "rows_per_step": ""})
    assert (asked["units"], asked["rows_per_step"]) == ([8, 16], [7])


def test_a_point_is_the_experiment_with_other_choices_and_nothing_else_changed(base: Experiment) -> None:
    found = point(base, rows_per_step=4, units=64)

    assert found.experiment
    assert (found.experiment.model.rows_per_step, found.experiment.model.units) == (4, 64)
    without_budget = msgspec.structs.replace(base, budget=Budget())
    assert msgspec.structs.replace(found.experiment, model=base.model) == without_budget
    assert point(base).experiment == without_budget


def test_points_are_all_combinations_and_the_last_axis_varies_fastest(base: Experiment) -> None:
    asked = {"rows_per_step": "1,4", "units": "8,16", "clusters": "0"}
    found = list(axes.points(base, axes.chosen(base, asked)))

    assert [each.name for each in found] == ["1-rows.8-units", "1-rows.16-units", "4-rows.8-units", "4-rows.16-units"]
    assert [each.label for each in found[:3]] == ["1 row, 8 units", "1 row, 16 units", "4 rows, 8 units"]
    assert all(experiment.NAME.fullmatch(each.name) for each in found)


@pytest.mark.parametrize(
    ("settings", "reason"),
    [
        (
            {"rows_per_step": 3},
            "model.rows_per_step = 3 does not divide the 28 rows of the data set; possible: 1, 2",
        ),
        ({"rows_per_step": 0}, "model.rows_per_step = 0: expected a whole number >= 1"),
        ({"units": 0}, "model.units = 0: expected a whole number >= 1"),
        ({"units": 5000}, "model.units = 5000: expected a whole number <= 4096; width of the hidden state"),
    ],
)
def test_a_combination_that_is_no_experiment_says_why(base: Experiment, settings: dict[str, int], reason: str) -> None:
    found = point(base, **settings)

    assert found.experiment is None
    assert found.impossible
    assert found.impossible.startswith(reason)


@pytest.mark.parametrize(
    ("settings", "compress"),
    [
        ({}, None),
        ({"clusters": 16}, {"clusters": 16}),
        ({"sparsity": 0.9}, {"sparsity": 0.9}),
        ({"sparsity": 0.9, "clusters": 8}, {"sparsity": 0.9, "clusters": 8}),
    ],
)
def test_a_section_that_does_nothing_goes(
    base: Experiment, settings: dict[str, Any], compress: dict[str, Any] | None
) -> None:
    found = point(base, **settings).experiment

    assert found
    assert found.compress == (Compress(**compress) if compress else None)


def test_a_section_that_is_written_keeps_what_is_not_varied(base: Experiment) -> None:
    own = Compress(sparsity=0.5, clusters=16, fine_tune_epochs=3)
    written = msgspec.structs.replace(base, compress=own, budget=Budget(compression_drop_max=0.3))

    assert (axes.own(written, "sparsity"), axes.own(written, "clusters")) == (0.5, 16)
    pruned, plain = (point(written, clusters=0, sparsity=share).experiment for share in (0.5, 0))
    assert pruned
    assert pruned.compress == Compress(sparsity=0.5, fine_tune_epochs=3)
    assert plain
    assert plain.compress is None
