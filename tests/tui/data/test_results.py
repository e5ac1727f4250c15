import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec
import pytest

from pipeline.engine.results import store
from pipeline.engine.results.record import name_of, read_record
from tests.pipeline.records import scores
from tests.tui.recorded import HOUR, NOW, Recorded
from tui.data import results
from tui.data.project import ProjectWatcher
from tui.data.results import Result

TARGET = "u55-128 Shared_Sram"


def catalogue() -> list[Result]:
    board = ProjectWatcher(lambda: NOW)
    board.poll()
    board.assess()
    return results.catalogue(board.snapshot())


def change(old: str, new: str, name: str = "keyword") -> None:
    path = Path(f"experiments/{name}.toml")
    path.write_text(path.read_text(encoding="utf-8").replace(old, new), encoding="utf-8")


def record_again(stage: str, key: str = "0" * 32, **facts: Any) -> None:
    """Keep another result of a stage in the store, such as another version of a tool would have left."""
    home = store.resolve(Path(f"build/keyword/{stage}"))
    record = msgspec.structs.replace(read_record(home), key=key, **facts)
    content = msgspec.json.encode(record)
    other = home.with_name(name_of(key, content))
    shutil.copytree(home, other)
    (other / "stage.json").write_bytes(content)


def test_nothing_built_is_an_empty_catalogue(recorded: Recorded) -> None:
    recorded.write()
    assert catalogue() == []


def test_a_result_has_the_settings_of_every_stage_it_was_made_by(recorded: Recorded) -> None:
    recorded.write(units=64)
    recorded.build(int8=0.97)
    (result,) = catalogue()
    assert (result.experiment, result.current, result.stand_in) == ("keyword", True, None)
    assert result.metrics["scores"]["quantized"]["accuracy"] == 0.97
    settings = result.settings
    assert (settings["model.units"], settings["training.epochs"], settings["dataset.name"]) == (64, 1, "mnist")
    assert settings["quantization.representative_samples"] == 100
    assert list(result.targets) == [TARGET]


def test_a_model_that_was_made_elsewhere_is_a_result_without_accuracy(recorded: Recorded) -> None:
    recorded.write()
    recorded.build(cycles=6_000_000)
    recorded.write_imported()
    recorded.build("elsewhere", cycles=240_000)
    found = catalogue()
    assert sorted(result.experiment for result in found) == ["elsewhere", "keyword"]
    imported = next(result for result in found if result.experiment == "elsewhere")
    assert imported.current
    assert list(imported.targets) == [TARGET]
    rows = {row.name: row for row in results.side_by_side([imported, *(each for each in found if each != imported)])}
    assert rows["quantized accuracy"].cells[0] == "-"
    assert rows["quantized accuracy"].better == (None, None)
    assert rows["  cycles"].better[1] is False


def test_each_result_has_its_own_settings_and_targets(recorded: Recorded) -> None:
    for name, units, cycles in (("large", 256, 6_000_000), ("small", 16, 240_000)):
        recorded.write(name, units=units)
        recorded.build(name, int8=units / 1000, cycles=cycles)
    found = {result.experiment: result for result in catalogue()}
    for name, units, cycles in (("large", 256, 6_000_000), ("small", 16, 240_000)):
        assert found[name].settings["model.units"] == units
        assert found[name].metrics["scores"]["quantized"]["accuracy"] == units / 1000
        assert found[name].targets[TARGET]["cycles_total"] == pytest.approx(cycles, rel=0.05)


def test_a_result_that_only_the_store_has_comes_after_those_shown_with_its_own_settings(recorded: Recorded) -> None:
    recorded.write(units=256)
    recorded.build(int8=0.98, cycles=6_000_000, finished=NOW - 5 * HOUR)
    recorded.write(units=64)
    recorded.build(int8=0.97, cycles=1_200_000, finished=NOW - HOUR)
    recorded.write("another", units=32)
    recorded.build("another", int8=0.96, cycles=800_000, finished=NOW - 7 * HOUR)
    found = catalogue()
    facts = [(result.experiment, result.current, result.settings["model.units"]) for result in found]
    assert facts == [("keyword", True, 64), ("another", True, 32), ("keyword", False, 256)]
    assert found[2].targets[TARGET]["cycles_total"] > found[0].targets[TARGET]["cycles_total"]


def test_two_experiments_that_show_one_result_are_both_there(recorded: Recorded) -> None:
    for name in ("one", "two"):
        recorded.write(name)
        recorded.build(name)
    Path("build/two/accuracy").unlink()
    Path("build/two/accuracy").symlink_to(Path("build/one/accuracy").readlink())
    assert [(result.experiment, result.current) for result in catalogue()][:2] == [("one", True), ("two", True)]


def test_a_stale_result_keeps_the_settings_it_was_made_with(recorded: Recorded) -> None:
    recorded.write(units=256)
    recorded.build()
    recorded.write(units=8)
    (result,) = catalogue()
    assert (result.current, result.settings["model.units"]) == (True, 256)


def test_what_is_shown_counts_before_what_is_remembered_of_the_same_model(recorded: Recorded) -> None:
    recorded.write()
    recorded.build()
    shown = read_record(Path("build/keyword/vela/u55-128"))
    record_again("vela/u55-128", metrics={**shown.metrics, "cycles_total": 1}, finished=NOW)
    quantized = read_record(Path("build/keyword/quantized"))
    other = {**quantized.inputs, "config": {"quantization": {"representative_samples": 3}}}
    record_again("quantized", inputs=other, finished=NOW)
    (result,) = catalogue()
    verified = read_record(Path("build/keyword/verify/u55-128"))
    assert result.targets[TARGET] == {**shown.metrics, **verified.metrics}
    assert result.settings["quantization.representative_samples"] == 100


def test_a_second_target_stands_beside_the_first(recorded: Recorded) -> None:
    recorded.write()
    text = Path("experiments/keyword.toml").read_text(encoding="utf-8")
    target = text[text.index("[vela") :]
    deep = target.replace(".u55-128]", ".deep]").replace("High_End_Embedded", "Deep_Embedded")
    small = target.replace(".u55-128]", ".small]") + 'optimise = "Size"\n'
    Path("experiments/keyword.toml").write_text(text + deep + small, encoding="utf-8")
    recorded.build()
    (result,) = catalogue()
    assert list(result.targets) == [TARGET, f"{TARGET} Deep_Embedded", f"{TARGET} Size"]


def test_a_target_that_was_taken_out_of_the_file_is_remembered(recorded: Recorded) -> None:
    recorded.write()
    recorded.build()
    change("ethos-u55-128", "ethos-u55-64")
    (result,) = catalogue()
    assert list(result.targets) == [TARGET], "as compiled, not as asked for now"


def test_the_compiles_of_the_matrix_do_not_crowd_a_comparison(recorded: Recorded) -> None:
    recorded.write()
    recorded.build()
    record = read_record(store.resolve(Path("build/keyword/vela/u55-128")))
    config = {"target": {**record.inputs["config"]["target"], "accelerator": "ethos-u55-256"}}
    inputs = {**record.inputs, "config": config}
    record_again("vela/u55-128", inputs=inputs, target="u55-256.Shared_Sram.High_End_Embedded")
    assert list(catalogue()[0].targets) == [TARGET]
    record_again("vela/u55-128", key="1" * 32, inputs=inputs, target="mine")
    assert list(catalogue()[0].targets) == [TARGET, "u55-256 Shared_Sram"]


def test_a_result_whose_makers_were_pruned_has_fewer_settings(recorded: Recorded) -> None:
    recorded.write()
    recorded.build()
    shutil.rmtree(store.resolve(Path("build/keyword/network")))
    (result,) = catalogue()
    assert "deployment.state" in result.settings
    assert not {"model.units", "training.epochs"} & result.settings.keys(), "none but the pruned result says so"


def test_a_stand_in_shows_in_the_catalogue(recorded: Recorded) -> None:
    recorded.write()
    recorded.build(stand_in="digits")
    assert [result.stand_in for result in catalogue()] == ["digits"]


def test_targets_are_named_alike_and_the_commonest_comes_first() -> None:
    config = {"accelerator": "ethos-u65-256", "memory_mode": "Dedicated_Sram", "system_config": "Ethos_U65_High_End"}
    assert results.target_name(config) == "u65-256 Dedicated_Sram"
    assert results.target_name({**config, "system_config": "Ethos_U65_Mid_End"}) == "u65-256 Dedicated_Sram Mid_End"
    assert results.target_name({**config, "optimise": "Size"}) == "u65-256 Dedicated_Sram Size"
    many = [_result(targets={"b": {}, "a": {}}), _result(targets={"b": {}}), _result(targets={"c": {}})]
    assert results.target_names(many) == ["b", "a", "c"]
    assert results.target_names([]) == []


def _result(**facts: Any) -> Result:
    usual = Result(
        key="k", experiment="e", finished=NOW, current=True, stand_in=None, settings={}, metrics={}, targets={}
    )
    return replace(usual, **facts)


COSTS = {"inference_ms": 10.0, "cycles_total": 5000, "sram_bytes": 2048, "flash_bytes": 1024, "cpu_operators": 0}


def _rows(*found: Result) -> dict[str, results.ComparedRow]:
    return {row.name.strip(): row for row in results.side_by_side(found)}


def test_nothing_side_by_side_is_nothing() -> None:
    assert results.side_by_side([]) == []


def test_one_alone_has_its_numbers_and_no_differences() -> None:
    rows = _rows(_result(settings={"model.units": 8}, metrics=scores(quantized=0.9), targets={"t": COSTS}))
    assert "units" not in rows
    assert rows["quantized accuracy"].cells == ("90.00 %",)
    assert rows["cycles"].cells == ("5,000",)
    assert all(row.better == (None,) for row in rows.values())


def test_only_settings_that_differ_are_shown() -> None:
    same = {"dataset.name": "mnist", "model.units": 8}
    rows = _rows(_result(settings=same), _result(settings={**same, "model.units": 16, "training.seed": None}))
    assert (rows["units"].cells, rows["units"].better) == (("8", "16"), (None, None))
    assert "name" not in rows
    assert "seed" not in rows, "not set and not there are the same"


def test_accuracy_is_better_when_it_is_higher_and_costs_when_they_are_lower() -> None:
    dearer = {**COSTS, "inference_ms": 15.0, "flash_bytes": 512, "cpu_operators": 2}
    rows = _rows(
        _result(metrics=scores(float=0.98, quantized=0.97), targets={"t": COSTS}),
        _result(metrics=scores(float=0.98, quantized=0.96), targets={"t": dearer}),
        _result(metrics=scores(float=0.99, quantized=0.98), targets={"t": COSTS}),
    )
    assert rows["quantized accuracy"].cells == ("97.00 %", "96.00 % (-1.00)", "98.00 % (+1.00)")
    assert rows["quantized accuracy"].better == (None, False, True)
    assert rows["float accuracy"].better == (None, None, True)
    assert rows["inference"].cells == ("10.00 ms", "15.00 ms (1.50x)", "10.00 ms")
    assert rows["inference"].better == (None, False, None)
    assert rows["flash"].cells[1] == "512 bytes (0.50x)"
    assert rows["flash"].better[1] is True
    assert (rows["CPU operators"].cells[1], rows["CPU operators"].better[1]) == ("2", False), "2 is no multiple of 0"


def test_what_one_of_them_has_not_is_a_dash_and_no_worse() -> None:
    rows = _rows(
        _result(metrics=scores(quantized=0.9), targets={"t": COSTS}),
        _result(metrics=scores(quantized=None), targets={"u": COSTS}),
    )
    assert rows["quantized accuracy"].cells == ("90.00 %", "-")
    by_target = results.side_by_side([_result(targets={"t": COSTS}), _result(targets={"u": COSTS})])
    cycles = [row for row in by_target if row.name.strip() == "cycles"]
    assert [row.cells for row in cycles] == [("5,000", "-"), ("-", "5,000")]
    assert all(row.better == (None, None) for row in cycles)
