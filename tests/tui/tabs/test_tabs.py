"""A tab is one file: it is found, opened by its number or its letter, and told in the help."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import ROOT
from tests.examples import example
from tests.tui.recorded import Recorded
from tui import tabs
from tui.screens.help import KEYS
from tui.screens.main import TABS

NOTES = example("tui/tabs/notes.py")

OPENED = """if True:
    import asyncio, sys
    import tui.tabs
    tui.tabs.__path__.append(sys.argv[1])
    from textual.widgets import Static
    from tests.tui.conftest import settled
    from tui.app import Dashboard

    def show(app):
        print("\\n".join("".join(part.text for part in strip) for strip in app.screen._compositor.render_strips()))

    async def main():
        app = Dashboard()
        async with app.run_test(size=(140, 40)) as pilot:
            await settled(pilot)
            await pilot.press("7")
            await settled(pilot)
            show(app)
            tab = app.main.view() and app.main.query_one("#notes")
            print("FOCUS", app.focused is tab, "ITALIC", tab.query_one(Static).styles.text_style)
            await pilot.press("1", "w")
            await settled(pilot)
            print("LETTER", app.focused is tab)
            await pilot.press("question_mark")
            await settled(pilot)
            show(app)
    asyncio.run(main())
"""


def test_a_file_in_the_folder_of_the_tabs_is_a_tab(
    recorded: Recorded, tmp_path_factory: pytest.TempPathFactory
) -> None:
    recorded.write()
    Path("experiments/keyword.md").write_text("half the units are [enough]\n", encoding="utf-8")
    folder = tmp_path_factory.mktemp("more tabs")
    (folder / "notes.py").write_text(NOTES, encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-c", OPENED, str(folder)],
        env={"PYTHONPATH": str(ROOT), "TEXTUAL_ANIMATIONS": "none"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    tab, _, rest = done.stdout.partition("FOCUS")
    said, _, told = rest.partition("LETTER")
    assert "Log  Matrix  Notes" in tab
    assert "half the units are [enough]" in tab
    assert "w Notes" in " ".join(tab.split()), "in the footer"
    assert said.split() == ["True", "ITALIC", "italic"], "it has the focus, and its own style"
    assert told.split()[0] == "True"
    assert "[ ], 1 to 7" in told
    assert "what was written down about the experiment" in told


def test_every_tab_has_a_title_a_place_of_its_own_and_its_keys_in_the_help() -> None:
    assert list(TABS) == ["stage", "accuracy", "npu", "layers", "log", "matrix"]
    assert [tab.ORDER for tab in TABS.values()] == [1, 2, 3, 4, 5, 6]
    told = {keys for part in KEYS.values() for keys in part}
    assert all(set(tab.HELP_KEYS) <= told for tab in TABS.values())


@pytest.mark.parametrize(("text", "count"), [("", 0), (NOTES + "\n\nclass Other(NotesTab):\n    pass\n", 2)])
def test_a_file_without_a_tab_or_with_several_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str, count: int
) -> None:
    (tmp_path / f"odd{count}.py").write_text(text, encoding="utf-8")
    monkeypatch.setattr(tabs, "__path__", [*tabs.__path__, str(tmp_path)])
    with pytest.raises(TypeError, match=rf"tui\.tabs\.odd{count} defines {count} tabs"):
        tabs.load()
    sys.modules.pop(f"tui.tabs.odd{count}")
    delattr(tabs, f"odd{count}")
