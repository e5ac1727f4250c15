"""Boards: every fact of a shipped one has its source, and whether a model fits is told with what is missing."""

from pathlib import Path

import pytest

from pipeline.npu import boards
from pipeline.npu.boards import Board, BoardError

MINE = """
name = "mine"
accelerator = "ethos-u55-64"
system_config = "Ethos_U55_Deep_Embedded"
memory_mode = "Shared_Sram"
sram_bytes = 65536
flash_bytes = 262144
[sources]
accelerator = "data sheet, page 1"
system_config = "measured"
memory_mode = "our firmware"
sram_bytes = "data sheet, page 2"
flash_bytes = "data sheet, page 3"
"""


@pytest.fixture
def mine(tmp_path: Path) -> Path:
    """Return the file of a board of the project's own; the project's root is two folders up."""
    path = tmp_path / "boards" / "mine.toml"
    path.parent.mkdir()
    path.write_text(MINE, encoding="utf-8")
    return path


def test_every_shipped_board_is_whole_and_says_where_each_fact_is_from() -> None:
    shipped = boards.load_all()
    assert len(shipped) >= 8
    assert len({board.name for board in shipped}) == len(shipped)
    for board in shipped:
        assert board.sram_bytes
        assert bool(board.flash_bytes or board.dram_bytes) == (board.not_checked == "")
        assert all(len(source) > 20 for source in board.sources.values()), board.name


def test_a_board_of_ones_own_stands_beside_the_shipped_ones(mine: Path) -> None:
    before = {board.name for board in boards.load_all(mine.parents[1])} - {"mine"}
    assert "mine" in {board.name for board in boards.load_all(mine.parents[1])}
    mine.rename(mine.with_name("corstone-300-u55.toml"))
    after = {board.name for board in boards.load_all(mine.parents[1])}
    assert before - after == {"Arm Corstone-300, Ethos-U55-128"}, "it took the place of the shipped one"


def test_what_is_missing_is_told_with_numbers(mine: Path) -> None:
    board = boards.load(mine)
    small = {"sram_bytes": 65536, "dram_bytes": 0, "flash_bytes": 262144}
    assert board.missing(small) == []
    assert board.missing({**small, "sram_bytes": 131072}) == ["needs 128 KiB of SRAM and has 64 KiB: 64 KiB too little"]
    assert board.missing({**small, "dram_bytes": 1024}) == ["needs 1 KiB of DRAM, and has none"]
    assert len(board.missing({"sram_bytes": 10**9, "dram_bytes": 1, "flash_bytes": 10**9})) == 3


def test_a_system_with_dram_has_its_model_there() -> None:
    board = next(board for board in boards.load_all() if board.dram_bytes)
    assert board.missing({"sram_bytes": 1, "dram_bytes": 1000, "flash_bytes": 10**9}) == []
    assert "DRAM" in board.missing({"sram_bytes": 1, "dram_bytes": 10**9, "flash_bytes": 1})[0]


def test_a_flash_of_unknown_size_is_not_checked_and_that_is_said(mine: Path) -> None:
    known = boards.load(mine)
    lines = [line for line in MINE.splitlines() if not line.startswith("flash_bytes")]
    mine.write_text("\n".join(lines), encoding="utf-8")
    unknown = boards.load(mine)
    large = {"sram_bytes": 1, "dram_bytes": 0, "flash_bytes": 10**9}
    assert len(known.missing(large)) == 1
    assert unknown.missing(large) == []
    assert known.not_checked == ""
    assert "external flash is not checked" in unknown.not_checked


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("ethos-u55-64", "ethos-u55-65", "accelerator = 'ethos-u55-65': did you mean ethos-u55-64?"),
        ("Deep_Embedded", "Deep", "system_config = 'Ethos_U55_Deep': did you mean Ethos_U55_Deep_Embedded?"),
        ("ethos-u55-64", "ethos-u65-256", "system_config Ethos_U55_Deep_Embedded is not for ethos-u65-256"),
        ("Shared_Sram", "Dedicated_Sram", "puts the arena into OffChipFlash"),
        ('flash_bytes = "data sheet, page 3"', "", "sources.flash_bytes is missing: say where the value is from"),
        ("sram_bytes = 65536", 'sram_bytes = "64K"', "Expected `int | null`, got `str`"),
        ("name =", "nam =", "unknown field `nam`"),
        ("name =", "config = 'none.ini'\nname =", "config: can't be read: No such file or directory"),
        ("[sources]", "[sources", "is not valid TOML"),
    ],
)
def test_a_mistake_is_one_sentence_that_names_the_file(mine: Path, old: str, new: str, says: str) -> None:
    mine.write_text(MINE.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(BoardError) as caught:
        boards.load_all(mine.parents[1])
    assert str(caught.value).startswith(f"{mine.as_posix()}: ")
    assert says in str(caught.value)


def test_its_point_is_compiled_with_its_own_timing() -> None:
    alif = next(board for board in boards.load_all() if "RTSS-HP" in board.name)
    assert alif.point().config is not None
    assert Path(alif.point().config or "").is_file()
    assert alif.point().name == "u55-256.Shared_Sram.RTSS_HP_SRAM_MRAM"
    assert isinstance(alif, Board)


def test_what_is_not_known_of_a_model_is_not_said_to_fit(mine: Path) -> None:
    board = boards.load(mine)
    small = {"sram_bytes": 65536, "dram_bytes": 0, "flash_bytes": 262144}
    assert (board.fits(small), board.said(small)) == (True, "")
    assert board.fits({**small, "sram_bytes": None}) is None
    assert board.said({**small, "sram_bytes": None}) == "what it needs of SRAM is not known"
    assert board.fits({**small, "sram_bytes": None, "flash_bytes": 10**9}) is False


def test_little_too_little_is_not_nothing(mine: Path) -> None:
    needs = {"sram_bytes": 65540, "dram_bytes": 0, "flash_bytes": 1}
    assert boards.load(mine).missing(needs) == ["needs 64.0 KiB of SRAM and has 64 KiB: 4 bytes too little"]
