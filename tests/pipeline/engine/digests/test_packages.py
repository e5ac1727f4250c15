"""Which packages are installed, and whether one was exchanged or edited since a process began."""

import os
import sys
from pathlib import Path

import pytest

from pipeline.engine.digests import packages
from pipeline.engine.digests.packages import Watch


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a folder that packages are imported from, with version 1.0 of a tool in it."""
    monkeypatch.setattr(sys, "path", [str(tmp_path), *sys.path])
    _install(tmp_path, "1.0")
    return tmp_path


def _install(place: Path, version: str) -> None:
    info = place / f"a_tool-{version}.dist-info"
    info.mkdir()
    (info / "RECORD").write_text("a_tool.py,,\n", encoding="utf-8")


def _remove(place: Path) -> None:
    for info in place.glob("*.dist-info"):
        (info / "RECORD").unlink()
        info.rmdir()


def test_nothing_changed(place: Path) -> None:
    del place
    assert Watch().changed({"a-tool": "1.0", "no-such-tool": "missing", "tensorflow": "2.21.0"}) == []


def test_another_version_from_the_start(place: Path) -> None:
    del place
    assert Watch().changed({"a-tool": "0.9"}) == ["a-tool"]


def test_an_upgrade(place: Path) -> None:
    watch = Watch()
    _remove(place)
    assert watch.changed({"a-tool": "1.0"}) == ["a-tool"], "it is half done"
    _install(place, "2.0")
    assert watch.changed({"a-tool": "1.0"}) == ["a-tool"]


def test_an_upgrade_that_was_taken_back(place: Path) -> None:
    watch = Watch()
    for version in ("2.0", "1.0"):
        _remove(place)
        _install(place, version)
    os.utime(place / "a_tool-1.0.dist-info" / "RECORD")  # the inode may be the same
    assert watch.changed({"a-tool": "1.0"}) == ["a-tool"]


def test_one_that_is_put_in_front_of_another(place: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    watch = Watch()
    other = tmp_path_factory.mktemp("other")
    _install(other, "1.0")
    sys.path.insert(0, str(other))
    assert watch.changed({"a-tool": "1.0"}) == ["a-tool"]
    assert (place / "a_tool-1.0.dist-info").exists()


def test_a_tool_that_came_and_one_that_went(place: Path) -> None:
    _remove(place)
    watch = Watch()
    _install(place, "1.0")
    assert watch.changed({"a-tool": "missing"}) == ["a-tool"]


def test_a_loaded_file_that_was_edited_in_place(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = place / "a_tool.py"
    file.write_text("", encoding="utf-8")
    os.utime(file, (0, 0))
    watch = Watch()
    module = type(sys)("a_tool")
    module.__file__ = str(file)
    monkeypatch.setitem(sys.modules, "a_tool", module)
    assert watch.changed({"a-tool": "1.0"}) == []
    file.write_text("edited = True", encoding="utf-8")
    os.utime(file, ns=(watch.since + 1, watch.since + 1))
    assert watch.changed({"a-tool": "1.0"}) == [str(file)]


def test_what_a_library_writes_for_itself_is_not_installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """TensorFlow's autograph does so, in the folder for temporary files."""
    watch = Watch()
    file = tmp_path / "generated.py"
    file.write_text("", encoding="utf-8")
    os.utime(file, ns=(watch.since + 1, watch.since + 1))
    module = type(sys)("generated")
    module.__file__ = str(file)
    monkeypatch.setitem(sys.modules, "generated", module)
    assert watch.changed({}) == []


def test_a_folder_without_record_is_looked_at_itself(place: Path) -> None:
    (place / "a_tool-1.0.dist-info" / "RECORD").unlink()
    watch = Watch()
    assert watch.changed({"a-tool": "1.0"}) == []
    (place / "a_tool-1.0.dist-info" / "RECORD").touch()
    assert watch.changed({"a-tool": "1.0"}) == ["a-tool"]


def test_versions_come_from_the_first_place_that_has_one(place: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    del place
    other = tmp_path_factory.mktemp("other")
    _install(other, "3.0")
    sys.path.append(str(other))
    assert packages.of_tool("a-tool", packages.installed())[0] == "1.0"
