"""The reason for each kind of model: what bounds it comes first, and every number is computed."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec
import pytest

from pipeline.npu.points import Point
from pipeline.npu.vela_report import BOUNDS
from pipeline.views.matrix.compiling import Matrix, Row
from pipeline.views.matrix.explain import CLUSTERS, Claim, claims, read
from tests.pipeline.records import a_record, layers_of_keras

U55 = Point(accelerator="ethos-u55-128", system_config="Ethos_U55_High_End_Embedded", memory_mode="Shared_Sram")
CELL = "gru/gru_cell_{}/MatMul_1"
Layer = dict[str, Any]


def layer(name: str, operator: str = "Add", macs: int = 0, target: str = "NPU", **cycles: int) -> Layer:
    """Return a row of ``layers.json``; its cycles are the largest of its columns, as Vela has it."""
    columns = {column: cycles.get(column.removeprefix("cycles_"), 0) for column in BOUNDS}
    found = {"name": name, "operator": operator, "target": target, "macs": macs, **columns}
    return found | {"cycles": max(columns.values()), "npu_operator": operator}


@pytest.fixture
def row(tmp_path: Path) -> Any:
    def make(
        layers: Sequence[Layer],
        point: Point = U55,
        *,
        constants: Sequence[Mapping[str, Any]] = (),
        on_cpu: Sequence[Mapping[str, str]] = (),
        summary: Mapping[str, float] | None = None,
        **metrics: float,
    ) -> Row:
        """Return a row whose compile left these layers."""
        link = tmp_path / point.name
        link.mkdir()
        bytes_read = {
            f"{memory}_{what}_bytes": 0
            for memory in ("sram", "dram", "on_chip_flash", "off_chip_flash")
            for what in ("weight_read", "total")
        }
        document = {
            "layers": layers_of_keras(layers),
            "summary": {**bytes_read, **(summary or {})},
            "constants": constants,
            "layers_unavailable": "",
        }
        (link / "layers.json").write_text(json.dumps(document), encoding="utf-8")
        cycles = sum(each["cycles"] for each in layers)
        found = {
            "cycles_total": cycles,
            "inference_ms": cycles / 500e3,
            "macs": sum(each["macs"] for each in layers),
            "sram_bytes": 4096,
            "dram_bytes": 0,
            "flash_bytes": 700_000,
            "npu_operators": sum(each["target"] == "NPU" for each in layers),
            "cpu_operators": len(on_cpu),
            "cpu_operators_by_name": [{"graph": None, **each} for each in on_cpu],
            **metrics,
        }
        return Row(
            point=point, link=link, target=None, record=a_record(stage="vela", target="b", metrics=found), failure=None
        )

    return make


def explain(*rows: Row, variants: tuple[Row, ...] = ()) -> dict[str, list[Claim]]:
    """Explain the first of the rows; return its claims by what they are about."""
    matrix = Matrix(experiment="a", rows=rows, variants=variants, boards=(), impossible=())
    found: dict[str, list[Claim]] = {}
    for claim in claims(matrix, rows[0]):
        found.setdefault(claim.about, []).append(claim)
        assert claim.because
        assert json.dumps(msgspec.to_builtins(claim))
    return found


RECURRENT = [
    layer(CELL.format(step), "FullyConnected", 1000, npu=130, sram=10, off_chip_flash=990) for step in (1, 2, 3, 4)
]


def test_a_model_that_waits_for_flash_reads_its_weights_again_and_again(row: Any) -> None:
    constants = [{"name": "kernel", "bytes": 1000, "readers": [each["name"] for each in RECURRENT], "weights": True}]
    summary = {"off_chip_flash_weight_read_bytes": 4_000_000, "off_chip_flash_total_bytes": 4_100_000}
    said = explain(row([*RECURRENT, layer("add", npu=40)], constants=constants, summary=summary))
    assert said["bound"][0].text == "99.0 % of the 4,000 cycles wait for off-chip flash"
    assert said["rereading"][0].text == (
        "1,000 bytes of recurrent weights are read 4 times: 4.00 MB of weights from off-chip flash an inference,"
        " for a file of 0.70 MB"
    )
    assert said["roles"][0].text == "the recurrent product takes 99.0 % in 4 operators"
    assert "utilization" not in said


def test_a_model_that_computes_says_how_few_macs_are_used(row: Any) -> None:
    product = layer("dense", "FullyConnected", 60_000, npu=6000, sram=100)
    said = explain(row([product, layer("add", npu=2000)], summary={"sram_weight_read_bytes": 100}))
    assert said["bound"][0].text == "100.0 % of the 8,000 cycles are spent computing"
    assert said["utilization"][0].text == (
        "the operators with MACs do 10.0 a cycle of 128 possible; 25.0 % of the cycles are in operators without MACs"
    )
    assert "rereading" not in said


@pytest.mark.parametrize(("column", "memory"), [("sram", "SRAM"), ("dram", "DRAM"), ("on_chip_flash", "on-chip flash")])
def test_a_model_that_waits_for_another_memory_names_it(row: Any, column: str, memory: str) -> None:
    layers = [layer("dense", "FullyConnected", 10, "NPU", **{"npu": 5, column: 300}), layer("add", npu=100)]
    said = explain(row(layers, summary={f"{column}_weight_read_bytes": 10, f"{column}_total_bytes": 10}))
    assert said["bound"][0].text == f"75.0 % of the 400 cycles wait for {memory}, 25.0 % are spent computing"
    assert said["bound"][0].numbers == {memory: 0.75, "compute": 0.25}


def test_a_model_that_is_mostly_softmax_names_it(row: Any) -> None:
    softmax = [layer(f"out_softmax_{part}", "Softmax", npu=100) for part in range(27)]
    said = explain(row([*softmax, layer("dense", "FullyConnected", 10, npu=100)]))
    assert said["roles"][0].text == "the softmax takes 96.4 % in 27 operators"


def test_operators_on_the_cpu_come_first_with_velas_reason(row: Any) -> None:
    on_cpu = [
        {"operator": "Sin", "name": "gru/Sin", "reason": "Unsupported operator type"},
        {"operator": "Sin", "name": "gru/Sin_1", "reason": "Unsupported operator type"},
        {"operator": "Cos", "name": "gru/Cos", "reason": "Unsupported operator type"},
    ]
    said = explain(row([layer("dense", "FullyConnected", 10, npu=100)], on_cpu=on_cpu))
    assert next(iter(said)) == "placement"
    assert said["placement"][0].text == (
        "3 of 4 operators run on the CPU (2 Sin, 1 Cos), and no number here holds their time;"
        " Vela says of Sin gru/Sin: Unsupported operator type"
    )


def test_a_model_all_on_the_cpu_has_no_cycles_to_explain(row: Any) -> None:
    on_cpu = [{"operator": "Sin", "name": "Sin", "reason": "Unsupported operator type"}]
    here = row([layer("Sin", "Sin", target="CPU")], on_cpu=on_cpu)
    other = row([layer("Sin", "Sin", target="CPU")], msgspec.structs.replace(U55, memory_mode="Sram_Only"))
    assert set(explain(here, other)) == {"placement"}


def test_other_macs_are_compared_at_the_same_memories(row: Any) -> None:
    here = row([layer("a", npu=1000)])
    more, fewer, same = (msgspec.structs.replace(U55, accelerator=f"ethos-u55-{macs}") for macs in (256, 32, 64))
    elsewhere = msgspec.structs.replace(U55, accelerator="ethos-u55-256", memory_mode="Sram_Only")
    rows = [row([layer("a", npu=n)], point) for point, n in ((more, 960), (fewer, 2000), (same, 1000), (elsewhere, 1))]
    said = explain(here, *rows)["macs"][0]
    assert said.text == "against 128 MACs per cycle, 256 take 4.0 % fewer cycles, 32 take 100.0 % more cycles"
    assert said.numbers == {"32": 2000, "64": 1000, "128": 1000, "256": 960}


def test_other_memory_modes_say_what_they_gain_and_need(row: Any) -> None:
    here = row([layer("a", npu=7000)])
    sram = row([layer("a", npu=1000)], msgspec.structs.replace(U55, memory_mode="Sram_Only"), sram_bytes=676_000)
    said = explain(here, sram)["memory_mode"]
    assert [claim.text for claim in said] == ["constants in SRAM (Sram_Only) gain 7.0x and need 660 KiB of SRAM"]
    back = explain(sram, here)["memory_mode"][0].text
    assert back.startswith("the arena in SRAM, constants behind the second port (Shared_Sram) lose 7.0x")


def test_the_other_strategy_is_compared(row: Any) -> None:
    here = row([layer("a", npu=1000)])
    size = row([layer("a", npu=500)], msgspec.structs.replace(U55, optimise="Size"), sram_bytes=2048)
    text = explain(here, size)["strategy"][0].text
    assert text == "--optimise Size takes 50.0 % fewer cycles and 2 KiB of SRAM in place of 4 KiB"
    same = msgspec.structs.replace(size, record=here.record)
    assert explain(here, same)["strategy"][0].text == "--optimise Size changes neither cycles nor SRAM"


def test_clustering_is_said_only_where_it_helps(row: Any) -> None:
    here = row([layer("a", npu=1800)])
    point = msgspec.structs.replace(U55, clusters=CLUSTERS)
    helps = row([layer("a", npu=1000)], point, flash_bytes=500_000)
    text = explain(here, variants=(helps,))["clustering"][0].text
    assert text.startswith("clustering the weights to 16 values saves 1.8x")
    assert "accuracy is not measured" in text
    assert "clustering" not in explain(here, variants=(msgspec.structs.replace(helps, record=here.record),))


def test_the_fastest_point_is_by_time_not_by_cycles(row: Any) -> None:
    here = row([layer("a", npu=1000)], inference_ms=2.0)
    faster = Point(accelerator="ethos-u65-512", system_config="Ethos_U65_High_End", memory_mode="Sram_Only")
    other = row([layer("a", npu=1000)], faster, inference_ms=0.5)
    text = explain(here, other)["fastest"][0].text
    assert text.startswith("the fastest of the 2 points is ethos-u65-512 Sram_Only (Ethos_U65_High_End): 0.50 ms, 4.0x")
    assert "fastest" not in explain(other, here)


def test_a_part_of_what_is_read_that_is_small_is_not_called_the_reason(row: Any) -> None:
    """Arm's RNNoise splits its gates along an axis of four bytes, which six operators share."""
    axis = {"name": "axis", "bytes": 4, "readers": [each["name"] for each in RECURRENT], "weights": False}
    biases = {**axis, "name": "bias", "bytes": 64, "weights": True}
    kernels = [{"name": f"kernel_{part}", "bytes": 9000, "readers": ["a"], "weights": True} for part in range(4)]
    summary = {"off_chip_flash_weight_read_bytes": 95_136}
    assert "rereading" not in explain(row(RECURRENT, constants=[*kernels, biases, axis], summary=summary))


def test_a_compile_that_leaves_more_to_the_cpu_is_not_called_faster(row: Any) -> None:
    here = row([layer("a", npu=1000)])
    sin = [{"operator": "SIN", "name": "b", "reason": "Unsupported opType"}]
    others = [
        row([layer("a", npu=10)], msgspec.structs.replace(U55, **change), on_cpu=sin)
        for change in ({"memory_mode": "Sram_Only"}, {"accelerator": "ethos-u55-256"}, {"optimise": "Size"})
    ]
    assert set(explain(here, *others)) == {"bound", "roles"}


def test_a_gain_that_is_none_is_not_said(row: Any) -> None:
    here = row([layer("a", npu=1000)], inference_ms=2.0)
    other = row([layer("a", npu=999)], msgspec.structs.replace(U55, memory_mode="Sram_Only"), inference_ms=1.998)
    said = explain(here, other)
    assert "fastest" not in said
    assert said["memory_mode"][0].text.startswith("constants in SRAM (Sram_Only) change nothing to speak of")


def test_a_small_model_has_numbers_that_are_not_zero(row: Any) -> None:
    here = row([layer("a", npu=1000)], inference_ms=0.0042, sram_bytes=960)
    faster = msgspec.structs.replace(U55, memory_mode="Sram_Only")
    other = row([layer("a", npu=100)], faster, inference_ms=0.00042, sram_bytes=512)
    said = explain(here, other)
    assert said["fastest"][0].text.endswith(": 0.00042 ms, 10x faster, and needs 512 bytes of SRAM")
    assert said["memory_mode"][0].text.endswith("gain 10x and need 512 bytes of SRAM")


def test_what_vela_does_not_tell_of_several_graphs_is_not_explained_but_said(row: Any) -> None:
    here = row([], cycles_total=None, inference_ms=None, sram_bytes=None, dram_bytes=None)
    why = dict.fromkeys(("cycles_total", "sram_bytes"), "several graphs")
    here = msgspec.structs.replace(here, record=msgspec.structs.replace(here.record, unavailable=why))
    other = row([layer("a", npu=1)], msgspec.structs.replace(U55, memory_mode="Sram_Only"))
    said = explain(here, other)
    assert set(said) == {"unknown"}
    assert [claim.text for claim in said["unknown"]] == [
        "cycles and time are not known: several graphs",
        "SRAM and DRAM are not known: several graphs",
    ]


def test_cycles_whose_layers_do_not_add_up_are_split_by_nothing(row: Any) -> None:
    here = row([], cycles_total=1000, inference_ms=2.0)
    path = here.link / "layers.json"
    document = json.loads(path.read_text(encoding="utf-8"))
    path.write_text(json.dumps({**document, "layers_unavailable": "they do not add up"}), encoding="utf-8")
    assert [claim.text for claims in explain(here).values() for claim in claims] == [
        "what the cycles are spent on is not known: they do not add up"
    ]


def test_a_row_without_a_result_can_not_be_explained(row: Any) -> None:
    failed = msgspec.structs.replace(row([layer("a", npu=1)]), record=None, failure="no")
    with pytest.raises(ValueError, match="u55-128"):
        read(failed)
