"""Draw what a command prints in a terminal as an SVG: ``python docs/picture.py OUT.svg TITLE COMMAND...``."""

import os
import pty
import sys

from rich.console import Console
from rich.text import Text

COLUMNS = 92


def main(out: str, title: str, command: list[str]) -> None:
    """Run the command on a terminal of its own; a progress bar leaves only its last state."""
    os.environ.update(COLUMNS=str(COLUMNS), LINES="60", TERM="xterm-256color")
    seen = bytearray()

    def read(handle: int) -> bytes:
        data = os.read(handle, 65536)
        seen.extend(data)
        return data

    pty.spawn(command, read)
    lines = [line for line in _settled(seen.decode()) if line.strip()]
    console = Console(record=True, width=COLUMNS, file=open(os.devnull, "w", encoding="utf-8"))  # noqa: SIM115
    for line in lines:
        console.print(Text.from_ansi(line))
    console.save_svg(out, title=title)


def _settled(text: str) -> list[str]:
    """Keep what stays on the screen: rich takes a bar away by going up and clearing lines."""
    lines: list[str] = []
    for part in text.replace("\r\n", "\n").split("\n"):
        up = part.count("\x1b[1A")
        if up:
            del lines[len(lines) - up :]
        shown = part.rpartition("\x1b[2K")[2].rpartition("\r")[2]
        lines.append(shown.replace("\x1b[?25l", "").replace("\x1b[?25h", ""))
    return lines


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], sys.argv[3:])
