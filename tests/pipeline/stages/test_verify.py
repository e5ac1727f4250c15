"""The verify stage: the bytes of every sample, what a damaged file is caught by, and what can't be verified."""

import shutil
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pipeline.data import arrays
from pipeline.data.arrays import DataSet
from pipeline.emulator.errors import NotVerifiedError, StreamError
from pipeline.emulator.proof.checks import Check
from pipeline.emulator.stream import debug_database
from pipeline.runtime import micro
from pipeline.scoring import forms
from pipeline.stage import Found, Work
from pipeline.stages.verify import VerifyError
from pipeline.verification import comparing, differing, proving, test_set, verdicts
from tests.pipeline.making import make_stage

Chain = Callable[..., tuple[Mapping[str, Path], Mapping[str, Found]]]
Make = Callable[..., Work[Any]]

pytest.importorskip("tflite_micro", reason="there is no package of it for this machine")


@pytest.fixture
def job(work: Make, target: Mapping[str, Any]) -> Callable[..., Work[Any]]:
    """Return what makes the work of a verify stage."""

    def make(inputs: Mapping[str, Path], samples: int | None = None, **facts: Any) -> Work[Any]:
        return work({"target": target, "verify": {"samples": samples}}, inputs, **facts)

    return make


def ends(made: Mapping[str, Path], folder: Path, **files: bytes) -> dict[str, Path]:
    """Return inputs in which the compiled file is another one."""
    shutil.copytree(made["vela"], folder)
    for name, content in files.items():
        path = folder / f"{name}.tflite"
        path.chmod(0o644)
        path.write_bytes(content)
    return {**made, "compiled": folder}


@pytest.mark.parametrize(
    ("cell", "chosen"),
    [
        ("gru", {}),
        ("simple_rnn", {}),
        ("lstm", {"state": True, "steps_per_inference": 2}),
        ("gru", {"graph": "keras"}),
    ],
    ids=["gru", "simple_rnn", "lstm with state", "the guide's graph"],
)
def test_every_sample_has_the_bytes_of_tensorflow_lite_micro(
    chain: Chain, data: DataSet, job: Make, cell: str, chosen: Mapping[str, Any]
) -> None:
    made, found = chain(cell, **chosen)
    asked = job(made)

    result = make_stage("verify", asked)

    metrics = result.metrics
    assert metrics["verdict"] == verdicts.PROVED
    assert metrics["not_verified"] == metrics["failures"] == []
    assert metrics["identical_samples"] == metrics["emulated_samples"] == len(data.x_test)
    assert (metrics["max_difference"], metrics["first_difference"]) == (0, None)
    assert metrics["scores"]["compiled"] == found["accuracy"].metrics["scores"]["micro"]
    assert set(result.basis.values()) == {"emulated"}
    assert all(check["checked"] > 0 and check["failed"] == 0 for check in metrics["checks"])
    assert {check["unit"] for check in metrics["checks"]} >= {"input pairs", "weights", "output channels", "commands"}
    with (
        np.load(asked.into / test_set.EMULATED, allow_pickle=False) as ours,
        np.load(made["accuracy"] / forms.MICRO, allow_pickle=False) as theirs,
    ):
        assert sorted(ours.files) == sorted([*theirs.files, test_set.ROWS])
        assert ours[test_set.ROWS].tolist() == list(range(300))
        for name in theirs.files:
            np.testing.assert_array_equal(ours[name], theirs[name])


def test_operators_on_the_cpu_are_said_to_be_not_verified(chain: Chain, job: Make) -> None:
    made, _ = chain("gru", graph="keras", state=True, steps_per_inference=4)

    found = make_stage("verify", job(made))

    assert found.warnings == ["not verified: 2 operators run on the CPU beside the NPU"]
    assert found.metrics["scores"]["compiled"] is None
    assert found.metrics["verdict"] == verdicts.NOTHING


def test_fewer_samples_may_be_asked_for_and_are_spread_over_the_test_set(
    chain: Chain, data: DataSet, job: Make
) -> None:
    reports: list[dict[str, Any]] = []
    asked = job(chain("gru")[0], 7, report=lambda **facts: reports.append(facts))

    metrics = make_stage("verify", asked).metrics

    with np.load(asked.into / test_set.EMULATED, allow_pickle=False) as ours:
        samples = ours[test_set.ROWS]
        assert ours["output"].shape == (7, 3)
    assert samples.tolist() == arrays.spread(data.y_test, 7).tolist()
    assert set(data.y_test[samples]) == {0, 1, 2}
    assert metrics["emulated_samples"] == metrics["identical_samples"] == 7
    assert reports[-1] == {"done": 7, "total": 7, "what": "emulated"}


def test_without_bytes_to_compare_with_the_rest_is_verified(chain: Chain, job: Make, tmp_path: Path) -> None:
    made, _ = chain("gru")
    (tmp_path / "accuracy").mkdir()

    found = make_stage("verify", job({**made, "accuracy": tmp_path / "accuracy"}, 7))

    assert found.metrics["emulated_samples"] == 7
    assert found.metrics["scores"]["compiled"] is not None
    assert len(found.metrics["checks"]) > 3
    assert found.metrics["verdict"] == verdicts.PARTLY
    (lacking,) = found.metrics["not_verified"]
    assert lacking.startswith("no sample is compared: ")
    for name in comparing.COMPARED:
        assert found.metrics[name] is None
        assert "no bytes of TensorFlow Lite Micro" in found.unavailable[name]


def test_a_machine_without_tensorflow_lite_micro_says_where_there_is_one(
    chain: Chain, job: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made, _ = chain("gru")
    (tmp_path / "accuracy").mkdir()
    monkeypatch.setattr(micro, "find_spec", lambda _: None)

    found = make_stage("verify", job({**made, "accuracy": tmp_path / "accuracy"}, 7))

    assert found.metrics["verdict"] == verdicts.PARTLY
    assert "there is no package of TensorFlow Lite Micro for" in found.metrics["not_verified"][0]
    assert "Linux on x86_64" in found.metrics["not_verified"][0]


def test_a_softmax_of_16_bits_may_only_differ_where_it_reads_the_same(
    chain: Chain, job: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made, _ = chain("gru", activations="int16")
    shutil.copytree(made["accuracy"], tmp_path / "accuracy")
    with np.load(made["accuracy"] / forms.MICRO, allow_pickle=False) as file:
        expected = {name: file[name].copy() for name in file.files}
    expected["output"][5, 1] ^= 1
    np.savez(tmp_path / "accuracy" / forms.MICRO, **expected)
    made = {**made, "accuracy": tmp_path / "accuracy"}

    found = make_stage("verify", job(made))

    assert any("its softmax of 16 bits differs by at most 1 of 32,768 steps" in each for each in found.warnings)
    assert found.metrics["verdict"] == verdicts.PROVED
    monkeypatch.setattr(differing, "softmax_reads_the_same", lambda *_: False)
    with pytest.raises(VerifyError, match="of test sample"):
        make_stage("verify", job(made, into="again"))


def test_an_output_that_differs_ends_the_stage_and_names_the_sample(chain: Chain, job: Make, tmp_path: Path) -> None:
    made, _ = chain("gru")
    shutil.copytree(made["accuracy"], tmp_path / "accuracy")
    with np.load(made["accuracy"] / forms.MICRO, allow_pickle=False) as file:
        expected = {name: file[name].copy() for name in file.files}
    value = int(expected["output"][5, 1])
    expected["output"][5, 1] = value - 3 if value > 0 else value + 3
    np.savez(tmp_path / "accuracy" / forms.MICRO, **expected)

    with pytest.raises(VerifyError, match=r"output\[1\] of test sample 5 .*; 1 of 300 samples differ, by at most 3"):
        make_stage("verify", job({**made, "accuracy": tmp_path / "accuracy"}))


def test_a_sample_that_differs_among_fewer_is_named_by_its_number_in_the_test_set(
    chain: Chain, data: DataSet, job: Make, tmp_path: Path
) -> None:
    made, _ = chain("gru")
    sample = int(arrays.spread(data.y_test, 7)[-1])
    shutil.copytree(made["accuracy"], tmp_path / "accuracy")
    with np.load(made["accuracy"] / forms.MICRO, allow_pickle=False) as file:
        expected = {name: file[name].copy() for name in file.files}
    expected["output"][sample, 1] ^= 0x40
    np.savez(tmp_path / "accuracy" / forms.MICRO, **expected)

    with pytest.raises(VerifyError, match=rf"output\[1\] of test sample {sample} .*; 1 of 7 samples differ"):
        make_stage("verify", job({**made, "accuracy": tmp_path / "accuracy"}, 7))


def test_samples_of_16_bits_differ_only_where_it_is_proved_why(chain: Chain, job: Make) -> None:
    found = make_stage("verify", job(chain("gru", activations="int16")[0]))

    metrics = found.metrics
    assert metrics["not_verified"] == []
    assert any("16-bit numbers" in what for what in metrics["only_by_samples"])
    assert metrics["verdict"] == verdicts.PROVED
    differ = metrics["emulated_samples"] - metrics["identical_samples"]
    said = [warning for warning in found.warnings if "samples differ" in warning]
    assert bool(said) == bool(differ)
    assert all("Vela rounds multipliers of MUL to single precision" in warning for warning in said)


def test_a_difference_that_the_multipliers_do_not_explain_ends_the_stage(
    chain: Chain, job: Make, tmp_path: Path
) -> None:
    made, _ = chain("gru", activations="int16")
    shutil.copytree(made["accuracy"], tmp_path / "accuracy")
    with np.load(made["accuracy"] / forms.MICRO, allow_pickle=False) as file:
        expected = {name: file[name].copy() for name in file.files}
    expected["output"][5, 1] ^= 0x40
    np.savez(tmp_path / "accuracy" / forms.MICRO, **expected)

    with pytest.raises(VerifyError, match=r"output\[1\] of test sample 5"):
        make_stage("verify", job({**made, "accuracy": tmp_path / "accuracy"}))


def test_another_models_compiled_file_fails_a_check_that_names_the_operator(
    chain: Chain, job: Make, tmp_path: Path
) -> None:
    made, _ = chain("gru")
    other = (chain("lstm")[0]["vela"] / proving.COMPILED).read_bytes()

    with pytest.raises((VerifyError, StreamError), match=r"\S+ \S+"):
        make_stage("verify", job(ends(made, tmp_path / "vela", compiled=other)))


@pytest.mark.parametrize("content", [b"", b"hello, world", b"\0" * 64])
def test_what_is_no_compiled_file_is_an_error(chain: Chain, job: Make, tmp_path: Path, content: bytes) -> None:
    with pytest.raises(StreamError, match=r"compiled\.tflite is no TensorFlow Lite model"):
        make_stage("verify", job(ends(chain("gru")[0], tmp_path / "vela", compiled=content)))


def test_what_is_not_covered_is_a_warning_and_no_number_is_made_up(
    chain: Chain, job: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(program: object) -> None:
        del program
        message = "weights in a format of the year after next"
        raise NotVerifiedError(message)

    monkeypatch.setattr(proving, "Machine", refuse)

    found = make_stage("verify", job(chain("gru")[0]))

    assert found.warnings == ["not verified: weights in a format of the year after next"]
    assert found.metrics["not_verified"] == ["weights in a format of the year after next"]
    assert found.metrics["checks"] == []
    assert found.metrics["verdict"] == verdicts.NOTHING
    assert found.metrics["scores"] == {"compiled": None}
    for name in test_set.OF_SAMPLES:
        assert found.metrics.get(name) is None
        assert found.unavailable[name] == "weights in a format of the year after next"


def test_a_check_that_can_not_be_made_leaves_the_samples(
    chain: Chain, job: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(path: Path) -> None:
        del path
        message = "Vela's debug database is not as expected"
        raise NotVerifiedError(message)

    monkeypatch.setattr(debug_database, "read", refuse)

    found = make_stage("verify", job(chain("gru")[0], 7))

    assert found.metrics["identical_samples"] == 7
    assert found.metrics["checks"] == []
    assert found.metrics["verdict"] == verdicts.PARTLY
    assert found.warnings == ["not verified: Vela's debug database is not as expected"]


@pytest.mark.parametrize(
    ("checked", "compared", "not_verified", "failed", "word"),
    [
        (1, True, [], 0, verdicts.PROVED),
        (1, True, ["something"], 0, verdicts.PARTLY),
        (1, False, [], 0, verdicts.PARTLY),
        (0, True, [], 0, verdicts.PARTLY),
        (0, False, [], 0, verdicts.NOTHING),
        (1, True, [], 1, verdicts.FAILED),
    ],
)
def test_nothing_less_than_all_is_called_proved(
    checked: int,
    compared: bool,  # noqa: FBT001
    not_verified: list[str],
    failed: int,
    word: str,
) -> None:
    checks = (Check(name="weights", unit="weights", checked=9, failed=failed),) * checked
    samples = proving.Samples(metrics={"identical_samples": 3 if compared else None})

    assert proving.verdict(replace(proving.NO_CHECKS, checks=checks), samples, not_verified) == word


def test_a_comparison_counted_by_hand() -> None:
    found = {"output": np.array([[1, 2], [3, 4], [5, 6]], np.int8), "state": np.array([[0], [-128], [7]], np.int8)}
    expected = {"output": np.array([[1, 2], [3, 4], [5, 9]], np.int8), "state": np.array([[0], [127], [7]], np.int8)}

    assert comparing.compare(found, expected) == {
        "identical_samples": 1,
        "max_difference": 255,
        "first_difference": "state[0] of test sample 1 is -128, where TensorFlow Lite Micro has 127",
    }
