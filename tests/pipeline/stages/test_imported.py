"""A model that was made elsewhere: what is taken, what is refused in a sentence, what is warned of."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from ai_edge_litert import schema_py_generated as schema

from pipeline.frontends import tflite
from pipeline.frontends.tflite import ImportedError
from pipeline.stage import Found, Work
from pipeline.stages import imported
from tests.models import chain, packed
from tests.pipeline.making import make_stage

Take = Callable[[bytes], Found]


@pytest.fixture
def take(work: Callable[..., Work[Any]]) -> Take:
    """Return what gives a file's content to the stage."""

    def run(content: bytes) -> Found:
        job = work({"model": {"tflite": "mine.tflite"}})
        Path("mine.tflite").write_bytes(content)
        return make_stage("imported", job)

    return run


def refusal(take: Take, content: bytes) -> str:
    with pytest.raises(ImportedError) as caught:
        take(content)
    said = str(caught.value)
    assert said.startswith("mine.tflite"), said
    assert len(said.splitlines()) == 1
    return said


def test_the_file_is_taken_byte_by_byte_and_described(take: Take) -> None:
    content = packed(chain(3))
    found = take(content)
    assert (Path("into") / "quantized.tflite").read_bytes() == content
    assert sorted(path.name for path in Path("into").iterdir()) == ["graph.json", "quantized.tflite"]
    assert found.metrics["model_bytes"] == len(content)
    assert (found.metrics["operators"], found.metrics["tensors"], found.metrics["subgraphs"]) == (3, 4, 1)
    port = {"dtype": "int8", "shape": [1, 16], "scale": 1 / 256, "zero_point": -128}
    assert found.metrics["inputs"] == {"value_0": port}
    assert found.metrics["outputs"] == {"value_3": port}
    assert not found.warnings


def test_accuracies_are_null_with_a_reason(take: Take) -> None:
    found = take(packed(chain()))
    assert found.metrics["scores"] == {"float": None, "quantized": None}
    assert found.unavailable == dict.fromkeys(("scores.float", "scores.quantized"), imported.WHY_NO_ACCURACY)


@pytest.mark.parametrize(("kind", "name"), [("INT16", "int16"), ("UINT8", "uint8")])
def test_its_accuracy_goes_by_what_activations_are_stored_in(take: Take, kind: str, name: str) -> None:
    model = chain()
    for tensor in model.subgraphs[0].tensors:
        tensor.type = getattr(schema.TensorType, kind)
    found = take(packed(model))
    assert found.metrics["activations"] == name
    assert "scores.quantized" in found.unavailable


def test_a_file_cut_off_anywhere_is_refused(take: Take, tmp_path: Path) -> None:
    content = packed(chain(2))
    for end in range(8, len(content)):
        with pytest.raises(ImportedError, match="is truncated or damaged"):
            tflite._parsed(content[:end], tmp_path)
    assert "copy or convert it again" in refusal(take, content[: len(content) // 2])


@pytest.mark.parametrize("content", [b"", b"TFL3", b"PK\x03\x04 some archive", b"\0" * 100])
def test_a_file_of_another_kind_is_refused(take: Take, content: bytes) -> None:
    assert "is no TensorFlow Lite model" in refusal(take, content)


LFS = b"version https://git-lfs.github.com/spec/v1\noid sha256:" + b"0" * 64 + b"\nsize 113472\n"
KNOWN = {
    LFS: "is a Git LFS pointer of 113,472 bytes: git lfs pull gets the file itself",
    b"\x89HDF\r\n\x1a\n\0\0": "is no TensorFlow Lite model but an HDF5 file (Keras' .h5 is one); model.tflite",
    b"a,b,c\n1,2,3\n": "is no TensorFlow Lite model but a table as text, with commas (CSV); model.tflite is a",
}


@pytest.mark.parametrize(("content", "says"), KNOWN.items())
def test_a_file_of_a_known_kind_is_called_what_it_is(take: Take, content: bytes, says: str) -> None:
    assert says in refusal(take, content)


def test_weights_that_lie_behind_the_end_are_missed(take: Take) -> None:
    """Large models keep them behind the flatbuffer, where nothing but their place and size tells of them."""
    model = chain()
    buffer: Any = schema.BufferT()
    buffer.offset, buffer.size = 10_000, 10_000
    model.buffers.append(buffer)
    assert "is truncated" in refusal(take, packed(model))


def _reads_nothing(model: Any) -> None:
    model.subgraphs[0].operators[1].inputs = [77]


def _writes_nothing(model: Any) -> None:
    model.subgraphs[0].operators[0].outputs = [-2]


def _has_no_kind(model: Any) -> None:
    model.subgraphs[0].operators[0].opcodeIndex = 5


def _has_no_buffer(model: Any) -> None:
    model.subgraphs[0].tensors[1].buffer = 99


@pytest.mark.parametrize("spoil", [_reads_nothing, _writes_nothing, _has_no_kind, _has_no_buffer])
def test_what_is_named_by_number_has_to_be_there(take: Take, spoil: Callable[[Any], None]) -> None:
    model = chain(2)
    spoil(model)
    assert "is truncated or damaged" in refusal(take, packed(model))


def test_an_operator_may_go_without_an_optional_input(take: Take) -> None:
    model = chain(2)
    model.subgraphs[0].operators[1].inputs = [1, -1]
    assert take(packed(model)).metrics["operators"] == 2


def test_a_missing_file_says_where_it_was_looked_for(work: Callable[..., Work[Any]]) -> None:
    with pytest.raises(ImportedError, match=r"none.tflite does not exist; model.tflite is taken from the project's"):
        make_stage("imported", work({"model": {"tflite": "none.tflite"}}))
    with pytest.raises(ImportedError, match=r"\. can't be read: Is a directory"):
        make_stage("imported", work({"model": {"tflite": "."}}, into="again"))


def test_a_model_that_vela_compiled_is_refused(take: Take) -> None:
    model = chain()
    model.operatorCodes[0].builtinCode = model.operatorCodes[0].deprecatedBuiltinCode = schema.BuiltinOperator.CUSTOM
    model.operatorCodes[0].customCode = "ethos-u"
    assert "was compiled by Vela already; name the model that Vela was given" in refusal(take, packed(model))


def test_a_model_without_operators_is_refused(take: Take) -> None:
    assert "holds no operator" in refusal(take, packed(chain(0)))


@pytest.mark.parametrize("scale", [0.0, float("nan"), float("inf"), -1.0])
def test_a_scale_that_can_not_be_is_refused_with_its_tensor(take: Take, scale: float) -> None:
    model = chain(2)
    model.subgraphs[0].tensors[1].quantization.scale = np.array([scale], np.float32)
    assert f": tensor value_1 has the quantization scale {scale:g}; convert" in refusal(take, packed(model))


def test_a_float_model_is_refused(take: Take) -> None:
    model = chain(2)
    for tensor in model.subgraphs[0].tensors:
        tensor.type, tensor.quantization = schema.TensorType.FLOAT32, None
    assert "is not quantized: all that it computes is float" in refusal(take, packed(model))


def test_float_in_part_is_warned_of_by_name(take: Take) -> None:
    model = chain(9)
    for number in (0, 2, 3, 4, 5, 6):
        model.subgraphs[0].tensors[number].type = schema.TensorType.FLOAT32
    (warning,) = take(packed(model)).warnings
    assert warning.startswith("6 tensors are float, so the operators that read or write them stay on the CPU")
    assert warning.endswith("value_2 (float32), value_3 (float32), value_4 (float32), value_5 (float32),"
                            " value_6 (float32) and 1 more")  # fmt: skip


def test_a_dynamic_shape_is_said(take: Take) -> None:
    model = chain()
    model.subgraphs[0].tensors[0].shapeSignature = np.array([-1, 16], np.int32)
    (warning,) = take(packed(model)).warnings
    assert warning == "input value_0 has the dynamic shape (-1, 16): Vela compiles it for (1, 16)"


def test_several_subgraphs_are_said(take: Take) -> None:
    model = chain()
    model.subgraphs.append(chain(2).subgraphs[0])
    found = take(packed(model))
    assert found.metrics["operators"] == 3
    assert found.warnings[0].startswith("the model has 2 subgraphs: Vela does not estimate an inference of several")
