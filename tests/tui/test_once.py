"""The dashboard as plain text: what a pipe or the log of a CI run gets."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.conftest import ROOT, TINY, Project
from tests.pipeline.records import amend
from tests.tui.recorded import MINUTE, NOW, Recorded
from tui import once
from tui.data import formats
from tui.data.project import ProjectWatcher

pytestmark = pytest.mark.smoke

FAILED = {"message": "the loss became nan", "log": "build/logs/network.keyword.log", "ended": "exit code 1"}


def printed(*, encoding: str = "utf-8", folder: Path | None = None) -> str:
    """Run ``python -m tui --once`` for real; return what it printed."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONIOENCODING": encoding}
    done = subprocess.run(
        [sys.executable, "-m", "tui", "--once"], cwd=folder, env=environment, capture_output=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, b"")
    return done.stdout.decode(encoding)


def look() -> list[str]:
    """Return the lines at the recorded time."""
    board = ProjectWatcher(lambda: NOW)
    board.poll()
    board.assess()
    return list(once.lines(board.snapshot(), NOW))


def test_a_built_project_in_a_pipe(built: Project) -> None:
    text = printed(folder=built.folder)
    lines = text.splitlines()
    assert lines[0] == "Unroll: 2 experiments, 14 stages, 7 not fresh"
    tiny = lines[lines.index("tiny  a GRU-16 on a few of scikit-learn's digits") :]
    for stage in TINY:
        assert any(re.match(rf"  fresh     {stage}\b.* s, (now|\d+ \w+ ago)$", line) for line in tiny)
    measured, compiled = [line for line in tiny if line.startswith("  accuracy  ")]
    points = r"[\d.]+ % \([+-][\d.]+ points\)"
    assert re.fullmatch(rf"  accuracy  float [\d.]+ %, int8 {points}, TFLite Micro {points}, measured", measured)
    assert re.fullmatch(rf"  accuracy  compiled {points}, emulated", compiled)
    assert "  u55-128  proved; 100 of 100 samples byte-identical to TFLite Micro, emulated" in tiny
    assert any(re.match(r"  u55-128  [\d,]+ cycles, .* on the NPU, 0 on the CPU, estimated$", line) for line in tiny)
    assert any(re.match(r"    cycles by what bounds them: (\S+ ?\S* [\d.]+ %(, )?)+$", line) for line in tiny)
    assert "\x1b" not in text


def test_a_model_that_was_made_elsewhere_says_why_it_has_no_accuracy(recorded: Recorded) -> None:
    recorded.write_imported()
    assert "  stale     quantized       never built" in look()
    recorded.build("elsewhere")
    lines = look()
    assert "  accuracy  not available: there is no test set" in lines
    assert [line.split()[1] for line in lines if line.startswith("  fresh")] == ["quantized", "vela", "verify"]


def test_a_pipe_that_takes_only_ascii_gets_ascii(recorded: Recorded) -> None:
    recorded.write(description="hört auf „Größe“ 🦾")
    text = printed(encoding="ascii")
    assert "keyword  h?rt auf ?Gr??e? ?" in text


def test_a_pipe_that_closes_early_is_no_error(recorded: Recorded) -> None:
    for number in range(300):
        recorded.write(f"sweep-{number:03}", description="x" * 400)
    command = f"{sys.executable} -m tui --once | head -c 100"
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        ["bash", "-o", "pipefail", "-c", command], env=environment, capture_output=True, text=True, check=False
    )
    assert done.stdout.startswith("Unroll: 300 experiments")
    assert (done.stderr, done.returncode) == ("", 0)


def _empty(_: Recorded) -> None:
    """Lay down nothing."""


def _never_built(recorded: Recorded) -> None:
    recorded.write()


def _fresh(recorded: Recorded) -> None:
    recorded.write()
    recorded.build()


def _stale(recorded: Recorded) -> None:
    _fresh(recorded)
    recorded.write(units=128)


def _restored(recorded: Recorded) -> None:
    _fresh(recorded)
    recorded.stage_event("stage_restored", NOW - MINUTE, "network:keyword", metrics={})


def _running(recorded: Recorded) -> None:
    _stale(recorded)
    recorded.start_run(NOW - MINUTE)
    recorded.stage_event("stage_started", NOW - 50, "network:keyword", reasons=["units 256 -> 128"])
    recorded.stage_event("stage_progress", NOW - 40, "network:keyword", done=400, total=938)


def _failed(recorded: Recorded) -> None:
    _running(recorded)
    recorded.stage_event("stage_failed", NOW - 5, "network:keyword", **FAILED)
    recorded.end_run(NOW - 4, ["network:keyword"])


def _invalid(recorded: Recorded) -> None:
    recorded.write()
    path = Path("experiments/keyword.toml")
    path.write_text(path.read_text(encoding="utf-8").replace("units", "unit"), encoding="utf-8")


def _stand_in(recorded: Recorded) -> None:
    recorded.write()
    recorded.build(stand_in="digits")


def _damaged(recorded: Recorded) -> None:
    _fresh(recorded)
    layers = Path("build/keyword/vela/u55-128/layers.json")
    layers.unlink()
    layers.write_text("{", encoding="utf-8")


STATES: dict[str, tuple[Callable[[Recorded], None], list[str]]] = {
    "empty": (_empty, ["Unroll: no experiments (experiments/*.toml)"]),
    "never built": (
        _never_built,
        ["Unroll: 1 experiment, 7 stages, 7 not fresh", "  stale     vela u55-128    never built"],
    ),
    "fresh": (_fresh, ["Unroll: 1 experiment, 7 stages, all fresh", "  fresh     network         27 s, 1 h ago"]),
    "stale": (
        _stale,
        [
            "  stale     network         units 256 -> 128",
            "  stale     vela u55-128    downstream of quantized",
            (
                "  accuracy  float 98.19 %, int8 98.25 % (+0.06 points), TFLite Micro 98.24 % (+0.05 points),"
                " measured (from the previous build)"
            ),
        ],
    ),
    "restored": (_restored, ["Unroll: 1 experiment, 7 stages, all fresh", "  restored  network         27 s, 1 h ago"]),
    "running": (
        _running,
        [
            "running: doit build:keyword, since 1 min 00 s",
            "  running   network         43 %",
            "  waiting   unrolled        downstream of network",
            "  waiting   quantized       downstream of network, unrolled",
        ],
    ),
    "failed": (_failed, ["  failed    network         the loss became nan"]),
    "invalid": (
        _invalid,
        [
            "Unroll: 1 experiment, 0 stages, 0 not fresh, 1 invalid",
            "keyword",
            (
                "  invalid   experiments/keyword.toml: model.unit: unknown key; did you mean units?"
                " allowed: cell, units, layers, dense, activation, recurrent_activation, reset_after, rows_per_step"
                " or tflite"
            ),
        ],
    ),
    "stand-in": (_stand_in, ["  STAND-IN data: digits, not the data asked for"]),
    "damaged": (
        _damaged,
        [
            "  stale     vela u55-128    layers.json was changed by hand",
            "/layers.json is truncated or not ours",
        ],
    ),
}


@pytest.mark.parametrize(("prepare", "expected"), STATES.values(), ids=STATES)
def test_every_state_is_told_in_words(
    recorded: Recorded, prepare: Callable[[Recorded], None], expected: list[str]
) -> None:
    prepare(recorded)
    lines = look()
    text = "\n".join(lines) + "\n"
    assert [wanted for wanted in expected if f"{wanted}\n" not in text] == [], text


@pytest.mark.parametrize("state", STATES)
def test_every_stage_stands_there_with_its_state_and_the_exit_code_is_0(recorded: Recorded, state: str) -> None:
    STATES[state][0](recorded)
    lines = printed().splitlines()
    if state not in {"empty", "invalid"}:
        for stage in TINY:
            (line,) = [line for line in lines if re.match(rf"  \w+ +{stage}( |$)", line) and "int8" not in line]
            assert line.split()[0] in formats.GLYPHS


def test_a_description_cannot_forge_lines_or_colour_a_terminal(recorded: Recorded) -> None:
    recorded.write(description="wakes\\n  fresh     network\\u001b[31m the\\tboard\\r[bold]")
    lines = look()
    assert lines[2] == "keyword  wakes   fresh     network the board[bold]"
    assert not any(line.startswith("  fresh") for line in lines)


def test_a_warning_is_printed(recorded: Recorded) -> None:
    _fresh(recorded)
    amend(Path("build/keyword/quantized"), warnings=["1.5 % saturated"])
    assert "  warning   quantized: 1.5 % saturated" in look()


def test_a_removed_build_folder_is_never_built(recorded: Recorded) -> None:
    _failed(recorded)
    shutil.rmtree("build")
    assert "  stale     accuracy        never built" in look()
