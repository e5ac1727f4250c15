"""``doitw``: from nothing to a build, or a sentence."""

import importlib.machinery
import importlib.util
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

from tests.conftest import ROOT, TINY


@pytest.fixture
def doitw(tmp_path: Path) -> ModuleType:
    """Load ``doitw`` as a module whose project is an empty folder."""
    loader = importlib.machinery.SourceFileLoader("doitw", str(shutil.copy(ROOT / "doitw", tmp_path)))
    spec = importlib.util.spec_from_loader("doitw", loader)
    assert spec is not None
    module = importlib.util.module_from_spec(spec)
    loader.exec_module(module)
    return module


def test_a_python_that_is_not_supported_is_a_sentence(doitw: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doitw, "SUPPORTED", ((9, 9),))
    monkeypatch.delenv("UNROLL_PYTHON", raising=False)
    with pytest.raises(SystemExit, match=r"is not supported \(TensorFlow has no wheels for it\)"):
        doitw._supported_python()


def test_a_supported_python_elsewhere_is_found(
    doitw: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "python9.9").write_text("#!/bin/sh\nexit 0\n")
    (tmp_path / "python9.9").chmod(0o755)
    monkeypatch.setattr(doitw, "SUPPORTED", ((9, 9),))
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
    monkeypatch.delenv("UNROLL_PYTHON", raising=False)
    assert doitw._supported_python() == str(tmp_path / "python9.9")


def test_a_wrong_hash_installs_nothing_and_is_a_sentence(tmp_path: Path) -> None:
    shutil.copy(ROOT / "doitw", tmp_path)
    (tmp_path / "requirements.lock").write_text(f"six==1.17.0 --hash=sha256:{'0' * 64}\n")
    done = subprocess.run([sys.executable, tmp_path / "doitw"], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "doitw: the packages could not be installed; the lines above say why." in done.stderr
    assert "Traceback" not in done.stderr
    assert not (tmp_path / ".venv").exists()


def test_an_installation_that_was_broken_off_is_made_again(
    doitw: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "requirements.lock").write_text("")
    (tmp_path / ".venv").mkdir()
    (tmp_path / ".venv" / "half").touch()
    became: list[list[str]] = []
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(os, "execv", lambda _path, words: became.append(words))
    doitw.main(["list"])
    assert not (tmp_path / ".venv" / "half").exists()
    assert became[0][1:] == ["-m", "doit", "list"]
    assert (tmp_path / ".venv" / "installed-from").exists()


def test_a_relative_folder_of_data_is_that_of_the_caller(
    doitw: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "requirements.lock").write_text("")
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    monkeypatch.chdir(elsewhere)
    monkeypatch.setenv("UNROLL_DATA", "data")
    monkeypatch.setattr(doitw, "_install", lambda _lock: None)
    monkeypatch.setattr(os, "execv", lambda _path, _words: None)
    doitw.main(["test", "-q"])
    assert os.environ["UNROLL_DATA"] == str(elsewhere / "data")
    assert Path.cwd() == tmp_path


@pytest.fixture(scope="module")
def clone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Clone the checkout as a new user does, uncommitted changes and all."""
    folder = tmp_path_factory.mktemp("new user") / "unroll"
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        check=True,
    ).stdout.decode()
    for name in filter(None, listed.split("\0")):
        if (ROOT / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, folder / name)
    return folder


def _doitw(clone: Path, *arguments: str, check: int = 0, **environment: str) -> str:
    """Run ``./doitw`` with an empty HOME."""
    home = clone.parent / "home"
    home.mkdir(exist_ok=True)
    kept = {name: value for name, value in os.environ.items() if name not in {"UNROLL_DATA", "PYTHONPATH"}}
    done = subprocess.run(
        [clone / "doitw", *arguments],
        cwd=clone,
        env={**kept, "HOME": str(home), **environment},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    assert done.returncode == check, done.stdout
    return done.stdout


@pytest.mark.slow
def test_a_new_user_without_network_or_data_gets_the_labelled_stand_in(clone: Path) -> None:
    mirrors = clone / "pipeline/data/mirrors.py"
    there = mirrors.read_text(encoding="utf-8")
    mirrors.write_text(there.replace("https://", "http://127.0.0.1:9/"), encoding="utf-8")
    printed = _doitw(clone)
    mirrors.write_text(there, encoding="utf-8")
    assert "STAND-IN digits" in printed
    assert "mnist-gru stands on the stand-in digits: mnist could not be had." in printed
    metrics = json.loads((clone / "build/mnist-gru/accuracy/stage.json").read_text())["metrics"]
    assert metrics["scores"]["quantized"]["accuracy"] > 0.95
    assert metrics["test_samples"] == 360


@pytest.mark.slow
@pytest.mark.skipif(not os.environ.get("UNROLL_DATA"), reason="needs real MNIST: set UNROLL_DATA")
@pytest.mark.parametrize("seed", [1, 2, 0])
def test_a_new_user_with_mnist_reaches_98_percent_int8_whatever_the_seed(clone: Path, seed: int) -> None:
    data = str(Path(os.environ["UNROLL_DATA"]).resolve())
    experiment = clone / "experiments" / "mnist-gru.toml"
    shipped = (ROOT / "experiments" / "mnist-gru.toml").read_text(encoding="utf-8")
    assert "seed = 0" in shipped
    experiment.write_text(shipped.replace("seed = 0", f"seed = {seed}"), encoding="utf-8")
    _doitw(clone, UNROLL_DATA=data)
    accuracy = json.loads((clone / "build/mnist-gru/accuracy/stage.json").read_text())
    assert accuracy["stand_in"] is None
    assert accuracy["metrics"]["scores"]["quantized"]["accuracy"] >= 0.98
    vela = json.loads((clone / "build/mnist-gru/vela/u55-128/stage.json").read_text())["metrics"]
    assert vela["cpu_operators"] == 0
    assert vela["cycles_total"] > 1_000_000
    assert "mnist-gru: up to date, nothing to do (7 stages)" in _doitw(clone, UNROLL_DATA=data)
    rows = json.loads(_doitw(clone, "status", "--json", "mnist-gru", UNROLL_DATA=data))["stages"]
    assert [row["stage"] for row in rows] == list(TINY)
    assert {row["state"] for row in rows} == {"fresh"}
