import os
from pathlib import Path

import pytest

from tui.data import logs
from tui.data.logs import MOST_BYTES, MOST_COLUMNS, PIECE_BYTES, LogTail


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return tmp_path / "weights.[tiny] 🦾.log"


def everything(tail: LogTail) -> list[str]:
    found: list[str] = []
    while lines := tail.new()[0]:
        found += lines
    return found


def append(log: Path, text: str | bytes) -> None:
    with log.open("ab") as file:
        file.write(text.encode() if isinstance(text, str) else text)


def test_a_log_that_does_not_exist_yet_is_waited_for(log: Path) -> None:
    tail = LogTail(log)
    assert tail.new() == ([], False)
    log.write_text("one\ntwo\n")
    assert tail.new() == (["one", "two"], True)
    assert tail.new() == ([], False)


def test_a_log_grows_by_whole_lines(log: Path) -> None:
    tail = LogTail(log)
    for piece, lines in {"ep": [], "och 1\nepo": ["epoch 1"], "ch 2\n\n": ["epoch 2", ""]}.items():
        append(log, piece)
        assert tail.new()[0] == lines


def test_a_letter_that_was_written_in_two_halves_is_whole(log: Path) -> None:
    tail = LogTail(log)
    append(log, "Größe".encode()[:4])
    tail.new()
    append(log, "Größe\n".encode()[4:])
    assert tail.new()[0] == ["Größe"]


def test_the_last_line_is_shown_without_its_end_once_the_log_is_complete(log: Path) -> None:
    log.write_text("one\nkilled in the mid")
    tail = LogTail(log)
    assert tail.new()[0] == ["one"]
    assert tail.rest() == ["killed in the mid"]
    assert tail.rest() == []


def test_a_log_that_vanished_starts_over_and_may_come_back(log: Path) -> None:
    log.write_text("one\n")
    tail = LogTail(log)
    tail.new()
    log.unlink()
    assert tail.new() == ([], True)
    assert tail.new() == ([], False)
    log.write_text("two\n")
    assert tail.new() == (["two"], True)


def test_a_truncated_log_starts_over(log: Path) -> None:
    log.write_text("a long line of the first run\nhalf of")
    tail = LogTail(log)
    tail.new()
    log.write_text("second\n")
    assert tail.new() == (["second"], True)
    assert tail.rest() == [], "nothing is left of the first run"


def test_a_log_written_anew_that_grew_longer_while_nobody_looked_starts_over(log: Path) -> None:
    log.write_text("first run, line 1\n")
    tail = LogTail(log)
    tail.new()
    log.write_text("second run, line 1\nsecond run, line 2\n")  # the same inode, as when a stage runs again
    assert tail.new() == (["second run, line 1", "second run, line 2"], True)


def test_a_log_put_in_place_of_another_starts_over(log: Path) -> None:
    log.write_text("first\n")
    tail = LogTail(log)
    tail.new()
    other = log.with_name("other")
    other.write_text("other, and longer\n")
    other.replace(log)
    assert tail.new() == (["other, and longer"], True)


def test_an_emptied_log_starts_over_with_nothing(log: Path) -> None:
    log.write_text("first\n")
    tail = LogTail(log)
    tail.new()
    log.write_text("")
    assert tail.new() == ([], True)
    assert tail.new() == ([], False)
    append(log, "new\n")
    assert tail.new() == (["new"], False)


def test_a_folder_in_place_of_a_log_is_no_log(log: Path) -> None:
    log.mkdir()
    assert LogTail(log).new() == ([], False)
    assert logs.last_lines(log, 3) == []


def test_a_burst_is_read_in_pieces_and_completely(log: Path) -> None:
    tail = LogTail(log)
    count = 3 * PIECE_BYTES // 20
    append(log, "".join(f"line number {number:07}\n" for number in range(count)))
    first, over = tail.new()
    assert over
    assert len(first) < count
    found = first + everything(tail)
    assert found == [f"line number {number:07}" for number in range(count)]


def test_of_a_huge_log_only_the_end_is_read_and_that_is_said(log: Path) -> None:
    log.write_bytes((b"x" * 99 + b"\n") * (MOST_BYTES // 50) + b"the end\n")
    lines = everything(LogTail(log))
    assert lines[0] == "… earlier lines are in the file"
    assert lines[1] == "x" * 99, "no line begins in its middle"
    assert lines[-1] == "the end"
    assert len(lines) == MOST_BYTES // 100 + 1


@pytest.mark.parametrize("length", [10_000, 1_000_000, 3_500_000])
def test_a_very_long_line_is_cut_and_the_next_one_is_whole(log: Path, length: int) -> None:
    log.write_bytes(b"x" * length + b"\nnext\n")
    tail = LogTail(log)
    found = [line for _ in range(8) for line in tail.new()[0]]
    assert found[0] == "x" * (MOST_COLUMNS - 1) + "…"
    assert found[-1] == "next"
    assert all(len(line) <= MOST_COLUMNS for line in found)


LINES = {
    "brackets": (b"[bold]no markup[/] ]", "[bold]no markup[/] ]"),
    "colours": (b"\x1b[31mError:\x1b[0m no", "Error: no"),
    "a link": (b"\x1b]8;;https://x\x07see\x1b]8;;\x07", "see"),
    "emoji": ("🦾 fertig".encode(), "🦾 fertig"),
    "a bar that draws over itself": (b"10%\r20%\r100%", "100%"),
    "line ends of Windows": (b"done\r", "done"),
    "several of them": (b"50%\r100%\r\r", "100%"),
    "not UTF-8": (b"caf\xe9 \xff", "caf\ufffd \ufffd"),
    "NUL bytes": (b"a\0\0b", "ab"),
    "tabs": (b"a\tb", "a   b"),
    "nothing": (b"", ""),
}


@pytest.mark.parametrize(("line", "shown"), LINES.values(), ids=LINES)
def test_a_line_is_shown_as_a_terminal_would_leave_it(log: Path, line: bytes, shown: str) -> None:
    log.write_bytes(b"before\n" + line + b"\nafter\n")
    assert LogTail(log).new()[0] == ["before", shown, "after"]
    assert logs.last_lines(log, 2) == [shown, "after"]


def test_the_end_of_a_log_for_a_failures_card(log: Path) -> None:
    log.write_text("".join(f"line {number}\n" for number in range(50)) + "\n\n")
    assert logs.last_lines(log, 2) == ["line 48", "line 49"]


@pytest.mark.parametrize("content", [b"", b"\n\n"])
def test_an_empty_log_has_no_last_lines(log: Path, content: bytes) -> None:
    assert logs.last_lines(log, 3) == []
    log.write_bytes(content)
    assert logs.last_lines(log, 3) == []


def test_the_last_lines_of_a_huge_log_are_found_without_reading_it_all(log: Path) -> None:
    with log.open("wb") as file:
        file.truncate(2**33)
        file.seek(0, os.SEEK_END)
        file.write(b"\nIllegal instruction\n")
    assert logs.last_lines(log, 1) == ["Illegal instruction"]


@pytest.mark.parametrize(
    "line",
    [
        "ValueError: no",
        "Traceback (most recent call last):",
        "Segmentation fault (core dumped)",
        "FATAL: out of memory",
        "Killed",
        "2 tests failed",
    ],
)
def test_the_first_line_that_speaks_of_an_error_is_found(line: str) -> None:
    assert logs.first_error(["epoch 1/1", "mean squared errors 0.1", line, "Error: later"]) == 2


def test_a_log_without_errors_has_no_first_one() -> None:
    assert logs.first_error(["failsafe", "erroneous", "loss 0.3"]) is None
    assert logs.first_error([]) is None
