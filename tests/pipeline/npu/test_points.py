"""The points of the matrix: all that can be, none that can't, and those say why."""

from itertools import product

from pipeline.experiments import experiment
from pipeline.npu import points
from pipeline.npu.points import USUAL_MODES, Point
from pipeline.npu.targets import ACCELERATORS, MEMORY_MODES, SYSTEM_CONFIGS, why_impossible
from tests.conftest import ROOT


def test_every_accelerator_and_memory_mode_is_a_point_or_impossible() -> None:
    pairs = {(point.accelerator, point.memory_mode) for point in points.points(every=False)}
    never = {(pair.accelerator, pair.memory_mode) for pair in points.impossible(every=False)}
    assert pairs | never == set(product(ACCELERATORS, USUAL_MODES))
    assert not pairs & never
    assert len(pairs) == len(list(points.points(every=False))) == 29


def test_every_system_and_mode_on_request() -> None:
    found = {(p.accelerator, p.system_config, p.memory_mode) for p in points.points(every=True)}
    possible = {three for three in product(ACCELERATORS, SYSTEM_CONFIGS, MEMORY_MODES) if not why_impossible(*three)}
    assert found == possible


def test_a_pair_that_some_system_allows_is_impossible_only_with_the_others() -> None:
    by_system = [pair for pair in points.impossible(every=True) if pair.accelerator == "ethos-u65-256"]
    assert {pair.system_config for pair in by_system} == {"Ethos_U65_Embedded"}
    assert all("read-only flash" in pair.reason for pair in by_system)
    u55 = [pair for pair in points.impossible(every=True) if pair.accelerator == "ethos-u55-32"]
    assert {pair.system_config for pair in u55} == {None}
    assert all("DRAM" in pair.reason for pair in u55)


def test_names_tell_points_apart_and_can_be_a_tasks() -> None:
    names = [point.name for point in points.points(every=True, strategies=("Performance", "Size"))]
    assert len(set(names)) == len(names) == 332
    assert all(experiment.NAME.fullmatch(name) for name in names)
    assert "u55-128.Shared_Sram.High_End_Embedded" in names


def test_a_target_of_an_experiment_is_a_point_with_the_same_configuration() -> None:
    target = experiment.load("mnist-gru", ROOT / "experiments").vela.targets["u55-128"].as_dict()
    point = points.of_config({"target": target})
    assert point in set(points.points(every=False))
    assert point.as_config() == target
    assert {title: section.as_dict() for title, section in point.sections().items()} == {"target": target}
    assert (point.family, point.macs_per_cycle) == ("u55", 128)
    assert Point(accelerator="ethos-u85-2048", system_config="", memory_mode="").macs_per_cycle == 2048
