from pathlib import Path

from pipeline.npu.constants import constants


def test_every_constant_is_listed_with_its_bytes_and_readers(models: Path) -> None:
    found = constants(models / "on_npu.tflite")
    assert [(entry["bytes"], len(entry["readers"])) for entry in found] == [(4 * 8, 1), (8 * 3, 1)]
    assert "dense" in found[0]["readers"][0]


def test_an_unrolled_network_reads_its_recurrent_weights_once_a_step(template: Path) -> None:
    found = constants(template / "build" / "tiny" / "quantized" / "quantized.tflite")
    recurrent = next(entry for entry in found if entry["bytes"] == 16 * 3 * 16)
    assert len(recurrent["readers"]) == len(set(recurrent["readers"])) == 27
    assert found[0]["bytes"] * len(found[0]["readers"]) >= recurrent["bytes"] * 27
