"""Kills, Ctrl-C, two builds at once, and disks that refuse: nothing is lost, nothing half is believed."""

import os
import shutil
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import FEW_SAMPLES, TINY, Project

KILLS = [signal.SIGKILL, signal.SIGTERM, signal.SIGINT]
CHANGES = {
    "dataset": ("test_samples = 100", "test_samples = 90"),
    "network": ("units = 16", "units = 12"),
    "quantized": ("representative_samples = 20", "representative_samples = 10"),
    "vela": ("ethos-u55-128", "ethos-u55-64"),
}
"""For each stage that reads the experiment, a change that makes it stale."""


def _start_and_wait_for(project: Project, stage: str) -> "subprocess.Popen[str]":
    project.mark()
    running = project.start("build:tiny")
    project.wait_for("stage_started", stage=stage)
    project.wait_until(lambda: bool(project.stage_processes()))
    return running


@pytest.mark.parametrize("number", KILLS, ids=lambda number: number.name)
@pytest.mark.parametrize("stage", TINY)
def test_a_build_killed_in_a_stage_keeps_the_old_result_and_leaves_no_process(
    built: Project, stage: str, number: signal.Signals
) -> None:
    first = built.results()
    task = f"{stage}:tiny:u55-128" if stage in {"vela", "verify"} else f"{stage}:tiny"
    built.doit("forget", task)
    running = _start_and_wait_for(built, stage)
    running.send_signal(number)
    printed, _ = running.communicate(timeout=30)
    assert "Traceback" not in printed
    assert running.returncode == (-number if number == signal.SIGKILL else 128 + number)
    built.wait_until(lambda: not built.stage_processes(), seconds=20)
    assert built.results() == first
    assert built.states() == {name: "stale" if name == stage else "fresh" for name in TINY}


def test_what_finished_before_the_kill_stays(project: Project) -> None:
    project.change(*FEW_SAMPLES)
    running = _start_and_wait_for(project, "network")
    running.kill()
    running.communicate(timeout=30)
    assert project.states()["dataset"] == "fresh"
    assert project.states()["network"] == "stale"
    printed = project.doit("network:tiny")
    assert "dataset" not in [line.split()[1].split(":")[0] for line in printed.splitlines() if line.startswith("done")]


@pytest.mark.parametrize("stage", CHANGES)
def test_config_changed_then_killed_then_changed_back_is_fresh_at_once(built: Project, stage: str) -> None:
    first = built.results()
    old, new = CHANGES[stage]
    built.change(old, new)
    running = _start_and_wait_for(built, stage)
    running.kill()
    running.communicate(timeout=30)
    assert built.states()[stage] == "stale"
    built.change(new, old)
    assert set(built.states().values()) == {"fresh"}
    assert built.results() == first


def test_a_stage_killed_alone_fails_with_a_sentence(built: Project) -> None:
    built.doit("forget", "network:tiny")
    running = _start_and_wait_for(built, "network")
    os.kill(built.stage_processes()[0], signal.SIGKILL)
    printed, _ = running.communicate(timeout=30)
    assert running.returncode == 1
    assert "network was killed (SIGKILL), most likely because memory ran out" in printed
    assert "Log: build/logs/network.tiny.log" in printed


def test_the_second_of_two_builds_waits_and_finds_the_work_done(built: Project) -> None:
    built.doit("forget", "verify:tiny:u55-128")
    first = _start_and_wait_for(built, "verify")
    (stage,) = built.stage_processes()
    os.kill(stage, signal.SIGSTOP)  # it goes on as soon as the second build waits
    second = built.start("build:tiny")
    assert second.stdout is not None
    waiting = second.stdout.readline()
    os.kill(stage, signal.SIGCONT)
    printed, _ = second.communicate(timeout=120)
    assert first.wait(timeout=10) == 0
    first.communicate()
    assert f"waiting for another build (doit build:tiny, pid {first.pid} " in waiting
    assert "up to date, nothing to do" in printed


def test_a_waiting_build_can_be_given_up(built: Project) -> None:
    built.doit("forget", "network:tiny")
    first = _start_and_wait_for(built, "network")
    second = built.start("build:tiny")
    assert second.stdout is not None
    assert "waiting for another build" in second.stdout.readline()
    second.send_signal(signal.SIGINT)
    printed, _ = second.communicate(timeout=10)
    assert (second.returncode, "Traceback" in printed) == (130, False)
    first.send_signal(signal.SIGINT)
    first.communicate(timeout=30)


def test_status_does_not_wait_for_a_build(built: Project) -> None:
    built.doit("forget", "network:tiny")
    running = _start_and_wait_for(built, "network")
    assert built.states()["network"] == "stale"
    running.send_signal(signal.SIGINT)
    running.communicate(timeout=30)


def test_stopping_two_stages_at_once_stops_both(built: Project) -> None:
    built.doit("forget", "accuracy:tiny", "quantized:tiny")
    second = built.folder / "experiments" / "second.toml"
    shutil.copy(built.folder / "experiments" / "tiny.toml", second)
    built.change("units = 16", "units = 9", experiment="second")
    built.mark()
    running = built.start("-n", "2", "quantized:tiny", "network:second")
    built.wait_until(lambda: len(built.stage_processes()) == 2)
    running.send_signal(signal.SIGINT)
    printed, _ = running.communicate(timeout=30)
    assert running.returncode == 130, printed
    built.wait_until(lambda: not built.stage_processes(), seconds=10)


def test_an_edited_artefact_is_found_and_replaced(built: Project) -> None:
    first = built.results()
    artefact = built.folder / "build/tiny/quantized/quantized.tflite"
    artefact.chmod(0o644)
    artefact.write_bytes(artefact.read_bytes()[:-1] + b"\0")
    assert built.status()["quantized:tiny"]["reasons"] == ["quantized.tflite was changed by hand"]
    built.doit("build:tiny")
    assert built.results() == first


def test_a_deleted_artefact_is_found_and_made_again(built: Project) -> None:
    first = built.results()
    (built.folder / "build/tiny/accuracy/confusion.json").unlink()
    assert built.status()["accuracy:tiny"]["reasons"] == ["confusion.json is missing"]
    built.doit("build:tiny")
    assert built.results() == first


@pytest.mark.parametrize("content", [b"", b'{"schema": 2, "sta', b"[]", b'{"schema": 99}', b"\xff\xfe"])
def test_a_truncated_or_foreign_record_is_found_and_made_again(built: Project, content: bytes) -> None:
    record = built.folder / "build/tiny/vela/u55-128/stage.json"
    record.unlink()
    record.write_bytes(content)
    assert built.states()["vela"] == "stale"
    built.doit("build:tiny")
    assert set(built.states().values()) == {"fresh"}


def test_a_deleted_build_link_is_restored(built: Project) -> None:
    (built.folder / "build/tiny/network").unlink()
    assert "restored  network:tiny" in built.doit("build:tiny")


def test_nothing_but_the_results_says_what_is_finished(built: Project) -> None:
    for path in (built.folder / "build").iterdir():
        if path.name not in {".store", "tiny"}:
            shutil.rmtree(path) if path.is_dir() else path.unlink()
    assert set(built.states().values()) == {"fresh"}
    assert "up to date, nothing to do (7 stages)" in built.doit("build:tiny")


def test_what_was_forgotten_stays_so_until_it_is_made_also_when_that_fails(built: Project) -> None:
    built.doit("forget", "quantized:tiny")
    assert built.status()["quantized:tiny"]["reasons"] == ["forgotten (doit forget)"]
    built.change("representative_samples = 20", "representative_samples = 99999")
    built.doit("quantized:tiny", check=1)
    built.change("representative_samples = 99999", "representative_samples = 20")
    assert built.states()["quantized"] == "stale"
    printed = built.doit("build:tiny")
    assert "done      quantized:tiny" in printed
    assert set(built.states().values()) == {"fresh"}
    assert "up to date" in built.doit("build:tiny")


def test_a_missing_tool_is_a_reason_and_a_sentence(built: Project) -> None:
    fake = built.folder / "fake"
    (fake / "ethosu").mkdir(parents=True)
    (fake / "ethosu/__init__.py").write_text("raise ImportError('no ethosu here')", encoding="utf-8")
    built.environment["PYTHONPATH"] = str(fake)
    built.doit("forget", "vela:tiny:u55-128")
    printed = built.doit("build:tiny", check=1)
    assert "a library is missing or broken (no ethosu here). Remove .venv and run ./doitw" in printed


def test_another_tool_version_is_a_reason_in_words(built: Project) -> None:
    info = built.folder / "fake" / "ethos_u_vela-9.9.9.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: ethos-u-vela\nVersion: 9.9.9\n", encoding="utf-8")
    built.environment["PYTHONPATH"] = str(info.parent)
    assert built.status()["vela:tiny:u55-128"]["reasons"] == ["ethos-u-vela 5.2.0 -> 9.9.9"]


def test_a_changed_source_is_a_reason_in_words(built: Project) -> None:
    source = built.folder / "pipeline/npu/totals.py"
    source.write_text(source.read_text(encoding="utf-8") + "\n# changed\n", encoding="utf-8")
    assert built.status()["vela:tiny:u55-128"]["reasons"] == ["pipeline/npu/totals.py changed"]


@pytest.mark.slow
def test_a_converter_that_crashes_is_one_sentence_with_the_remedy(built: Project) -> None:
    """The real crash: TFLiteConverter, asked to quantize a GRU that is not unrolled."""
    built.change("[quantization]", '[deployment]\ngraph = "keras"\n\n[quantization]')
    network = built.folder / "pipeline/training/keras_network.py"
    text = network.read_text(encoding="utf-8")
    assert text.count("_layer(layer, unroll=True)") == 1
    network.write_text(text.replace("_layer(layer, unroll=True)", "_layer(layer)"), encoding="utf-8")
    unrolled = built.folder / "pipeline/lowering/deploy.py"
    text = unrolled.read_text(encoding="utf-8")
    assert text.count("if not difference <= TOLERANCE:") == 1
    unrolled.write_text(text.replace("if not difference <= TOLERANCE:", "if False:"), encoding="utf-8")
    printed = built.doit("quantized:tiny", check=1)
    assert "quantized crashed (SIGSEGV)" in printed
    assert "not unrolled" in printed
    assert "unroll=True" in printed


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """Mount a disk of 1 MB, which takes root on Linux."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(folder)], capture_output=True, check=False
    )
    if mounted.returncode:
        pytest.skip("mounting a small disk needs root on Linux")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


def test_a_full_disk_is_a_sentence_and_nothing_half_is_shown(project: Project, small_disk: Path) -> None:
    (project.folder / "build").symlink_to(small_disk)
    printed = project.doit("dataset:tiny", check=1)
    assert "the disk is full" in printed
    assert "doit prune" in printed
    assert not (small_disk / "tiny" / "dataset").exists()


def test_a_read_only_disk_is_a_sentence(project: Project, small_disk: Path) -> None:
    (project.folder / "build").symlink_to(small_disk)
    subprocess.run(["mount", "-o", "remount,ro", str(small_disk)], check=True)
    printed = project.doit("dataset:tiny", check=3)
    assert printed.strip().splitlines()[-1].startswith("ERROR: build/ can't be written to: Read-only file system")


def test_no_network_and_no_data_gives_the_labelled_stand_in(project: Project) -> None:
    """The public mirrors are replaced by addresses that refuse; scikit-learn's digits are real."""
    _cut_the_network(project)
    project.change('name = "mnist"', 'name = "mnist"\ntrain_samples = 1500', experiment="mnist-gru")
    printed = project.doit("dataset:mnist-gru")
    assert "mnist-gru stands on the stand-in digits: mnist could not be had." in printed
    row = project.status("mnist-gru")["dataset:mnist-gru"]
    assert (row["stand_in"], row["metrics"]["dataset"], row["metrics"]["test_samples"]) == ("digits", "digits", 360)
    assert "stand-in" in project.doit("dataset:mnist-gru"), "a no-op says so, too"
    assert "[stand-in data: digits]" in project.doit("status", "mnist-gru", check=1)


def test_without_a_stand_in_the_sentence_says_where_it_looked(project: Project) -> None:
    _cut_the_network(project)
    project.change('stand_in = "digits"', "", experiment="mnist-gru")
    printed = project.doit("dataset:mnist-gru", check=1)
    for words in ("MNIST can't be had", "build/.store/downloads/mnist", "dataset.path", "UNROLL_DATA"):
        assert words in printed


@pytest.mark.skipif(not os.environ.get("UNROLL_DATA"), reason="needs real MNIST: set UNROLL_DATA")
def test_the_stand_in_is_stale_as_soon_as_the_data_is_at_hand(project: Project) -> None:
    data = project.environment["UNROLL_DATA"]
    _cut_the_network(project)
    project.change('name = "mnist"', 'name = "mnist"\ntrain_samples = 1500', experiment="mnist-gru")
    project.doit("dataset:mnist-gru")
    project.environment["UNROLL_DATA"] = str(Path(data).resolve())
    assert project.status("mnist-gru")["dataset:mnist-gru"]["reasons"] == ["mnist is at hand now, in place of digits"]
    project.doit("dataset:mnist-gru")
    assert project.status("mnist-gru")["dataset:mnist-gru"]["metrics"]["test_samples"] == 10000


def _cut_the_network(project: Project) -> None:
    project.environment.pop("UNROLL_DATA", None)
    mirrors = project.folder / "pipeline/data/mirrors.py"
    text = mirrors.read_text(encoding="utf-8")
    assert "https://" in text
    mirrors.write_text(text.replace("https://", "http://127.0.0.1:9/"), encoding="utf-8")
