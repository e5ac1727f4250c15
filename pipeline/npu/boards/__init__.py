"""Boards as data: an NPU with its memories, each fact with its source, and whether a model fits."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec
import tomli

from pipeline.errors import UnrollError
from pipeline.npu import vela_ini
from pipeline.npu.points import Point
from pipeline.npu.targets import ACCELERATORS
from pipeline.text import tables
from pipeline.text.nearest import did_you_mean

SHIPPED = Path(__file__).parent
OWN = Path("boards")
"""Where a project keeps boards of its own; one of a shipped name takes that one's place."""

MEMORIES = {"sram_bytes": "SRAM", "dram_bytes": "DRAM", "flash_bytes": "flash"}


class Board(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One board file."""

    name: str
    accelerator: str
    system_config: str
    memory_mode: str
    sources: dict[str, str]
    """Key -> where its value is from; every other key but ``name`` and ``config`` needs one."""
    config: str | None = None
    """A ``vela.ini`` beside the board's file."""
    sram_bytes: int | None = None
    """What the NPU may use; None for a memory that the board has not."""
    dram_bytes: int | None = None
    flash_bytes: int | None = None
    """None where the model is loaded into DRAM, or where nobody told of the size of an external one."""

    def point(self) -> Point:
        """Return what to compile for."""
        return Point(
            accelerator=self.accelerator,
            system_config=self.system_config,
            memory_mode=self.memory_mode,
            config=self.config,
        )

    @property
    def not_checked(self) -> str:
        """Say what is not looked at, since nobody told of its size; empty where all is."""
        unknown = self.flash_bytes is None and self.dram_bytes is None
        return "its external flash is not checked: its size is the board maker's choice" if unknown else ""

    @staticmethod
    def unknown(found: Mapping[str, Any]) -> list[str]:
        """Say which of a model's needs are not known; with any, it is not known that it fits."""
        return [f"what it needs of {memory} is not known" for key, memory in MEMORIES.items() if found[key] is None]

    def fits(self, found: Mapping[str, Any]) -> bool | None:
        """Tell whether a compiled model fits; None where that is not known."""
        if self.missing(found):
            return False
        return None if self.unknown(found) else True

    def said(self, found: Mapping[str, Any]) -> str:
        """Say what is missing and what was not looked at; empty where all was and nothing is missing."""
        return "; ".join([*self.missing(found), *self.unknown(found), *filter(None, [self.not_checked])])

    def missing(self, found: Mapping[str, Any]) -> list[str]:
        """Say what a compiled model needs and the board has not; nothing when it fits."""
        said = []
        for key, memory in MEMORIES.items():
            has, needs = getattr(self, key), found[key]
            if needs is None or (key == "flash_bytes" and has is None):
                continue  # see ``unknown``; a model in DRAM is counted there; or see ``not_checked``
            if needs and has is None:
                said.append(f"needs {tables.memory(needs)} of {memory}, and has none")
            elif has is not None and needs > has:
                short = f"{tables.memory(needs - has)} too little"
                said.append(f"needs {tables.memory(needs)} of {memory} and has {tables.memory(has)}: {short}")
        return said


class BoardError(UnrollError):
    """A board file with a mistake: file, key, remedy."""


def load_all(root: Path = Path()) -> list[Board]:
    """Return the shipped boards and the project's own, by name of file; ``root`` is the project's.

    Raises:
        BoardError: one of them has a mistake.

    """
    files = {path.stem: path for folder in (SHIPPED, root / OWN) for path in sorted(folder.glob("*.toml"))}
    return [load(path) for _, path in sorted(files.items())]


def load(path: Path) -> Board:
    """Read and check one board file.

    Raises:
        BoardError: one sentence that names file, key and remedy.

    """
    try:
        board = msgspec.convert(tomli.loads(path.read_text(encoding="utf-8")), Board)
        return _checked(board, path)
    except OSError as error:
        problem = f"can't be read: {error.strerror}"
    except (tomli.TOMLDecodeError, UnicodeDecodeError) as error:
        problem = f"is not valid TOML: {error}"
    except msgspec.ValidationError as error:
        problem = str(error)
    except vela_ini.VelaIniError as error:
        problem = f"config: {error}"
    message = f"{path.as_posix()}: {problem}"
    raise BoardError(message)


def _checked(board: Board, path: Path) -> Board:
    if board.config:
        board = msgspec.structs.replace(board, config=(path.parent / board.config).as_posix())
    ini = vela_ini.read(Path(board.config)) if board.config else vela_ini.VelaIni()
    known = {"accelerator": ACCELERATORS, "system_config": ini.systems, "memory_mode": ini.modes}
    for key, names in known.items():
        if getattr(board, key) not in names:
            _fail(path, f"{key} = {getattr(board, key)!r}: {did_you_mean(getattr(board, key), list(names))}")
    if impossible := ini.why_impossible(board.accelerator, board.system_config, board.memory_mode):
        _fail(path, impossible)
    for key in (*known, *(key for key in MEMORIES if getattr(board, key) is not None)):
        if not board.sources.get(key):
            _fail(path, f"sources.{key} is missing: say where the value is from")
    return board


def _fail(path: Path, problem: str) -> None:
    message = f"{path.as_posix()}: {problem}"
    raise BoardError(message)
