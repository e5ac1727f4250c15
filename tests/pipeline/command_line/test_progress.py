import io
import sys
import time
from typing import Any

import pytest

from pipeline.command_line.progress import ProgressView

FACTS = {"stage": "network", "experiment": "tiny", "target": None}


@pytest.fixture
def out(monkeypatch: pytest.MonkeyPatch) -> io.StringIO:
    """Return what the view prints into a pipe."""
    pipe = io.StringIO()
    monkeypatch.setattr(sys, "__stdout__", pipe)
    return pipe


def _event(name: str, **facts: Any) -> dict[str, Any]:
    return {"event": name, **FACTS, **facts}


def test_a_stage_in_a_pipe_is_told_in_whole_lines(out: io.StringIO) -> None:
    view = ProgressView()
    view.show(_event("stage_started", reasons=["units 256 -> 128", "dataset.npz changed"]))
    view.show(_event("stage_progress", done=1, total=4, step="1/4", loss=2.30259))
    view.show(_event("stage_progress", done=2, total=4, step="2/4", loss=2.2))
    view.show(_event("stage_progress", done=4, total=4, step="4/4", loss=2.0))
    view.show(_event("stage_done", seconds=12.345))
    view.close()
    assert out.getvalue().splitlines() == [
        "start     network:tiny  units 256 -> 128; dataset.npz changed",
        "          network:tiny   25 %  step 1/4  loss 2.303",
        "          network:tiny  100 %  step 4/4  loss 2",
        "done      network:tiny  12.3 s",
    ]


def test_a_pipe_is_told_the_time_to_go_once_the_pace_is_known(
    out: io.StringIO, monkeypatch: pytest.MonkeyPatch
) -> None:
    view, clock = ProgressView(), iter([0.0, 6.0, 60.0, 120.0, 240.0])
    monkeypatch.setattr(time, "monotonic", lambda: next(clock))
    view.show(_event("stage_started", reasons=["never built"]))
    for done in (1, 50, 100, 200):
        view.show(_event("stage_progress", done=done, total=200, epoch="1/2"))
    assert out.getvalue().splitlines()[1:] == [
        "          network:tiny    0 %  epoch 1/2",
        "          network:tiny   25 %  3 min 00 s to go  epoch 1/2",
        "          network:tiny   50 %  2 min 00 s to go  epoch 1/2",
        "          network:tiny  100 %  epoch 1/2",
    ]


def test_failed_stopped_and_restored_have_words_of_their_own(out: io.StringIO) -> None:
    view = ProgressView()
    view.show(_event("stage_failed", message="a sentence"))
    view.show(_event("stage_failed", message="stopped"))
    view.show(_event("stage_restored"))
    assert [line.split()[0] for line in out.getvalue().splitlines()] == ["failed", "stopped", "restored"]


def test_brackets_and_control_characters_are_shown_as_they_are(out: io.StringIO) -> None:
    view = ProgressView()
    view.fail("network:tiny", "tensor [/red] is [bold] and more")
    view.say("[x] plain")
    assert "[/red] is [bold] and more" in out.getvalue()
    assert "[x] plain" in out.getvalue()


def test_a_summary_shows_names_and_reasons_letter_by_letter(out: io.StringIO) -> None:
    """Rich would make an emoji of the middle of vela:loop:u55, and leave out what it takes for markup."""
    ProgressView().table("[loop]", [("warning", "quantized:loop: [red] x", "")], [("vela:loop:u55", "1.0 s", "")])
    for text in ("[loop]", "quantized:loop: [red] x", "vela:loop:u55"):
        assert text in out.getvalue()


def test_a_terminal_gets_a_bar_and_none_is_left(out: io.StringIO, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setattr(out, "isatty", lambda: True)
    view = ProgressView()
    view.show(_event("stage_started", reasons=["never built"]))
    view.show(_event("stage_progress", done=1, total=2, loss=1.0))
    view.show(_event("stage_done", seconds=1.0))
    view.close()
    assert "━" in out.getvalue()
    assert "done      network:tiny" in out.getvalue()
