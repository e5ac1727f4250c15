"""The catalogue of stages: what stands where, and what no catalogue can have."""

import msgspec
import pytest

from pipeline.stage import Found, Stage, Work
from pipeline.stages.catalogue import STAGES, AnyStage, by_name, order


class Nothing(msgspec.Struct, frozen=True):
    """No section of the experiment."""


def stage(name: str, *needs: str, provides: str = "") -> AnyStage:
    def make(work: Work[Nothing]) -> Found:
        del work
        return Found(metrics={})

    return Stage(name=name, summary="", config=Nothing, make=make, needs=needs, provides=provides)


def test_stages_stand_after_those_that_provide_what_they_need() -> None:
    names = ["dataset", "network", "compressed", "unrolled", "quantized", "accuracy", "vela", "verify"]
    assert list(by_name()) == names
    assert {stage.name for stage in STAGES.values()} == set(names)
    assert STAGES["imported"].name == "quantized"


def test_a_stage_that_needs_what_it_provides_comes_between_the_first_one_and_the_others() -> None:
    first, last = stage("train", provides="network"), stage("a_reader", "network")
    finer = stage("zip", "network", provides="network")
    assert order([last, finer, first]) == ["train", "zip", "a_reader"]


def test_what_does_not_depend_on_each_other_stands_by_the_alphabet() -> None:
    assert order([stage("c"), stage("b"), stage("a", "b")]) == ["b", "c", "a"]


def test_a_need_that_nobody_provides_is_named() -> None:
    with pytest.raises(ValueError, match="needs 'graph', which no stage provides"):
        order([stage("a", "graph")])


def test_stages_that_need_each_other_are_refused() -> None:
    with pytest.raises(ValueError, match="cycle"):
        order([stage("a", "b"), stage("b", "a")])
