"""The verify stage of a model that was made elsewhere: random inputs, the same checks, and no failure hidden."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from ai_edge_litert import schema_py_generated as schema

from pipeline.runtime import micro
from pipeline.stage import Found, Work
from pipeline.verification import proving, random_inputs, test_set, verdicts
from tests.models import chain, packed
from tests.pipeline.making import make_stage
from tests.pipeline.networks import Network, made

Make = Callable[..., Work[Any]]
Verify = Callable[..., Found]

pytest.importorskip("tflite_micro", reason="there is no package of it for this machine")


@pytest.fixture
def verified(work: Make, target: Mapping[str, Any], tmp_path: Path) -> Verify:
    """Return what compiles a model, or another in its place, and verifies it."""

    def run(content: bytes, samples: int = 20, compiled: bytes | None = None, **facts: Any) -> Found:
        folders = {name: tmp_path / name for name in ("quantized", "compiled")}
        for folder, model in zip(folders.values(), (content, compiled or content), strict=True):
            folder.mkdir()
            (folder / proving.QUANTIZED).write_bytes(model)
        compiling = work({"target": target}, {"quantized": folders["compiled"]}, "vela")
        make_stage("vela", compiling)
        inputs = {"quantized": folders["quantized"], "compiled": compiling.into}
        return make_stage(
            "verify_imported", work({"target": target, "verify": {"samples": samples}}, inputs, "verify", **facts)
        )

    return run


def small() -> bytes:
    """Return a network of one step."""
    return made("simple_rnn").quantize(1)


def several_subgraphs() -> bytes:
    """Return a model of two graphs."""
    model = chain(1)
    model.subgraphs = [*model.subgraphs, *chain(1).subgraphs]
    return packed(model)


def on_the_cpu() -> bytes:
    """Return a model whose only operator Vela leaves on the CPU."""
    model = chain(1)
    model.operatorCodes[0].builtinCode = model.operatorCodes[0].deprecatedBuiltinCode = schema.BuiltinOperator.SIN
    return packed(model)


@pytest.mark.parametrize("state", [False, True], ids=["one input", "states are inputs"])
def test_random_inputs_come_out_as_tensorflow_lite_micro_has_them(
    verified: Verify,
    tmp_path: Path,
    state: bool,  # noqa: FBT001
) -> None:
    reports: list[dict[str, Any]] = []

    found = verified(made("lstm").quantize(2, state=state), report=lambda **facts: reports.append(facts))

    metrics = found.metrics
    assert metrics["verdict"] == verdicts.PROVED
    assert metrics["identical_samples"] == metrics["emulated_samples"] == 20
    assert metrics["samples_are"] == "random inputs"
    assert all(check["checked"] and not check["failed"] for check in metrics["checks"])
    assert reports[-1] == {"done": 20, "total": 20, "what": "emulated"}
    with np.load(tmp_path / "verify" / test_set.EMULATED, allow_pickle=False) as kept:
        assert sorted(kept.files) == [
            *(f"input_{place}" for place in range(1 + 2 * state)),
            *(f"output_{place}" for place in range(1 + 2 * state)),
        ]
        assert all(len(kept[name]) == 20 for name in kept.files)
        assert len(np.unique(kept["output_0"], axis=0)) > 10, "if all inputs gave the same, they would show little"


def test_inputs_are_drawn_from_all_that_there_are_and_always_the_same() -> None:
    shapes: dict[str, tuple[tuple[int, ...], np.dtype[Any]]] = {
        "x": ((1, 3, 5), np.dtype(np.int8)),
        "state": ((1, 4), np.dtype(np.int16)),
    }

    drawn, again = (random_inputs.random_inputs(shapes, 500) for _ in range(2))

    for name, (shape, dtype) in shapes.items():
        limits = np.iinfo(dtype)
        assert (drawn[name].shape, drawn[name].dtype) == ((500, *shape), dtype)
        assert (drawn[name][0] == limits.min).all()
        assert (drawn[name][1] == limits.max).all()
        assert drawn[name][2:].min() < 0.99 * limits.min
        assert drawn[name][2:].max() > 0.99 * limits.max
        np.testing.assert_array_equal(drawn[name], again[name])
    assert len(random_inputs.random_inputs(shapes, 1)["x"]) == 1


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (several_subgraphs(), "it has 2 command streams in 2 graphs, not one"),
        (on_the_cpu(), "none of its 1 operators runs on the NPU"),
    ],
    ids=["several subgraphs", "all on the CPU"],
)
def test_what_is_not_covered_is_nothing_proved_in_words(verified: Verify, content: bytes, why: str) -> None:
    found = verified(content)

    assert found.metrics["verdict"] == verdicts.NOTHING
    assert found.metrics["not_verified"] == [why]
    assert found.metrics["identical_samples"] is None
    assert found.unavailable["identical_samples"] == why
    assert found.warnings == [f"not verified: {why}"]


def test_without_tensorflow_lite_micro_a_part_is_proved(verified: Verify, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(micro, "find_spec", lambda _: None)

    found = verified(small())

    assert found.metrics["verdict"] == verdicts.PARTLY
    assert "there is no package of TensorFlow Lite Micro" in found.metrics["not_verified"][0]
    assert found.metrics["checks"]


def test_a_byte_that_differs_is_a_failure_that_names_the_input(
    verified: Verify, monkeypatch: pytest.MonkeyPatch
) -> None:
    right = micro.computed

    def wrong(content: bytes, inputs: list[Any]) -> list[Any]:
        found = right(content, inputs)
        if len(inputs[0]) > 1:
            found[0][7, 1] ^= 1
        return found

    monkeypatch.setattr(micro, "computed", wrong)

    found = verified(small())

    assert found.metrics["verdict"] == verdicts.FAILED
    (failure,) = found.metrics["failures"]
    assert "output[1] of random input 7 is" in failure
    assert failure.endswith("1 of 20 samples differ, by at most 1")
    assert found.warnings == [f"failed: {failure}"]
    assert found.metrics["identical_samples"] == 19


def test_another_models_compiled_file_fails_and_the_operation_is_named(verified: Verify) -> None:
    found = verified(small(), compiled=Network("simple_rnn", seed=1).quantize(1))

    assert found.metrics["verdict"] == verdicts.FAILED
    check, *_, samples = found.metrics["failures"]
    assert "weights differ" in check
    assert "of random input 0 is" in samples
    assert "the first operation that differs is " in samples
