"""A log file as it grows: whole lines of plain text, whatever a tool wrote into it."""

import os
import re
from pathlib import Path
from typing import BinaryIO

from tui.data.formats import clipped, plain

MOST_BYTES = 8_000_000
"""Of a longer log only the end is read at first."""
PIECE_BYTES = 1_000_000
"""Read at once, so that a burst does not keep the screen waiting."""
MOST_COLUMNS = 2000
MARK_BYTES = 256
"""What was read last, by which a log that was written anew is told from one that grew."""

ERROR = re.compile(
    r"\b(\w*error|\w*exception|traceback|failed|failure|fatal|aborted|segmentation fault|killed)\b", re.IGNORECASE
)


class LogTail:
    """Reads a log from its beginning (or its last part), then what is added; a new file starts over."""

    def __init__(self, path: Path) -> None:
        """Follow ``path``, which need not exist yet."""
        self.path = path
        self._inode = 0
        self._position = 0
        self._half = b""
        self._mark = b""

    def new(self) -> tuple[list[str], bool]:
        """Return the lines since the last call, and whether the log started over before them."""
        try:
            with self.path.open("rb") as file:
                status = os.fstat(file.fileno())
                over = status.st_ino != self._inode or not self._goes_on(file)
                if over:
                    self._inode = status.st_ino
                    self._position, self._half, self._mark = max(status.st_size - MOST_BYTES, 0), b"", b""
                cut = over and self._position > 0
                file.seek(self._position)
                text = file.read(PIECE_BYTES)
        except OSError:
            gone, self._inode, self._position, self._half, self._mark = self._inode != 0, 0, 0, b"", b""
            return [], gone
        self._position += len(text)
        self._mark = (self._mark + text)[-MARK_BYTES:]
        *lines, self._half = (self._half + text).split(b"\n")
        if len(self._half) > PIECE_BYTES:
            lines, self._half = [*lines, self._half], b""
        texts = [as_terminal_shows(line) for line in lines]
        return (["… earlier lines are in the file", *texts[1:]] if cut else texts), over

    def _goes_on(self, file: BinaryIO) -> bool:
        """Tell whether what was read last is still there: a stage that runs again writes into the same file."""
        file.seek(self._position - len(self._mark))
        return file.read(len(self._mark)) == self._mark

    def rest(self) -> list[str]:
        """Return the line that was not ended, once the log is known to be complete."""
        half, self._half = self._half, b""
        return [as_terminal_shows(half)] if half else []


def as_terminal_shows(line: bytes) -> str:
    """Return a line as a terminal would leave it: what follows the last carriage return, without colours."""
    text = line.rstrip(b"\r").rpartition(b"\r")[2].decode("utf-8", "replace")
    return clipped(plain(text[: 4 * MOST_COLUMNS]), MOST_COLUMNS)


def last_lines(path: Path, most: int) -> list[str]:
    """Return the end of a log, for a failure's card."""
    try:
        with path.open("rb") as file:
            file.seek(max(os.fstat(file.fileno()).st_size - 200 * most - 20_000, 0))
            text = file.read().rstrip()
    except OSError:
        return []
    return [as_terminal_shows(line) for line in text.split(b"\n")[-most:]] if text else []


def first_error(lines: list[str]) -> int | None:
    """Return the index of the first line that speaks of an error."""
    return next((index for index, line in enumerate(lines) if ERROR.search(line)), None)
