from pipeline.stages.catalogue import STAGES


def test_stages_stand_after_those_they_need() -> None:
    names = list(STAGES)
    assert all(names.index(need) < names.index(stage.name) for stage in STAGES.values() for need in stage.needs)
