"""The matrix in the dashboard: the compiles that are there, those that are not, and the boards."""

from pathlib import Path

from pipeline.engine.project import Project
from tests.tui.recorded import NOW, TARGET, Recorded
from tui.data import matrix
from tui.data.matrix import CompiledMatrix
from tui.data.project import ProjectWatcher

ALL = 29


def look(name: str = "keyword") -> CompiledMatrix:
    watcher = ProjectWatcher(lambda: NOW)
    watcher.poll()
    watcher.assess()
    facts = watcher.snapshot().experiment(name)
    assert facts
    return matrix.read_matrix(Project(), facts)


def test_without_a_matrix_everything_is_missing(recorded: Recorded) -> None:
    recorded.write()
    assert look().missing == ALL, "not even the model is there"
    recorded.build()
    found = look()
    assert (found.rows, found.boards, found.missing, found.outdated) == ((), (), ALL, 0)


def test_every_compile_stands_in_its_place_and_the_experiments_own_is_marked(recorded: Recorded) -> None:
    recorded.write()
    recorded.build()
    recorded.compile_matrix()
    found = look()
    assert (len(found.rows), found.missing, found.outdated) == (ALL, 0, 0)
    assert [row.point.accelerator for row in found.rows][:: ALL - 1] == ["ethos-u55-32", "ethos-u85-2048"]
    assert [(row.point.accelerator, row.target) for row in found.rows if row.target] == [("ethos-u55-128", "u55-128")]


def test_what_is_compiled_only_for_a_board_stands_among_the_boards(recorded: Recorded) -> None:
    recorded.write()
    recorded.build()
    recorded.compile_matrix()
    found = look()
    assert not any("RTSS" in row.point.system_config for row in found.rows)
    assert any("RTSS-HP" in fit.board for fit in found.boards), "though its vela.ini is among what went in"
    assert all(fit.fits for fit in found.boards)


def test_a_board_too_small_says_what_is_missing(recorded: Recorded) -> None:
    recorded.write()
    recorded.build()
    recorded.compile_matrix()
    Path("boards").mkdir()
    target = TARGET.partition("]\n")[2]
    keys = ("accelerator", "system_config", "memory_mode", "sram_bytes", "flash_bytes")
    sources = "".join(f'{key} = "page 1 of the data sheet"\n' for key in keys)
    text = f'name = "small"\n{target}sram_bytes = 1024\nflash_bytes = 9000000\n[sources]\n{sources}'
    Path("boards/small.toml").write_text(text, encoding="utf-8")
    (small,) = [fit for fit in look().boards if fit.board == "small"]
    assert not small.fits
    assert small.remarks == "needs 3 KiB of SRAM and has 1 KiB: 2 KiB too little"
    Path("boards/small.toml").write_text("name = 1", encoding="utf-8")
    assert look().trouble.startswith("boards/small.toml: ")
    assert len(look().rows) >= ALL, "the table is none the worse"


def test_a_half_finished_matrix_tells_how_much_is_missing(recorded: Recorded) -> None:
    recorded.write()
    recorded.build()
    recorded.compile_matrix(points_left_out=10)
    found = look()
    of_boards = 1  # Corstone-300's own point is one of those left out
    assert (found.missing, len(found.rows)) == (10 - of_boards, ALL - 10 + of_boards)


def test_compiles_of_an_earlier_model_are_left_out_and_counted(recorded: Recorded) -> None:
    recorded.write()
    recorded.build()
    recorded.compile_matrix()
    compiled = len(list(matrix.folder(Project(), "keyword").glob("*")))
    recorded.write(units=64)
    recorded.build(int8=0.9)
    found = look()
    assert (found.rows, found.boards, found.missing, found.outdated) == ((), (), ALL, compiled)
