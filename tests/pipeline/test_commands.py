from pathlib import Path

import pytest
from doit.exceptions import InvalidDodoFile, TaskFailed

from pipeline import commands, store
from pipeline.graph import Job


@pytest.mark.parametrize(
    ("text", "size"), [("0", 0), ("12", 12), ("1KB", 1000), ("1.5 MB", 1_500_000), ("2g", 2_000_000_000), ("7B", 7)]
)
def test_prune_takes_sizes_as_people_write_them(
    workplace: Path, monkeypatch: pytest.MonkeyPatch, text: str, size: int
) -> None:
    del workplace
    asked: list[int] = []

    def record(keep_bytes: int) -> tuple[int, int]:
        asked.append(keep_bytes)
        return 0, 0

    monkeypatch.setattr(store, "prune", record)
    assert commands.prune(text) is None
    assert asked == [size]


@pytest.mark.parametrize("text", ["", "much", "-1GB", "5 apples"])
def test_prune_refuses_what_is_no_size(text: str) -> None:
    failed = commands.prune(text)
    assert isinstance(failed, TaskFailed)
    assert "give a size such as 500MB or 5GB" in failed.get_msg()


def test_status_of_nothing_built(jobs: dict[str, Job], capsys: pytest.CaptureFixture[str]) -> None:
    failed = commands.status({"tiny": list(jobs.values())}, as_json=False, names=[])
    assert isinstance(failed, TaskFailed)
    assert capsys.readouterr().out.splitlines()[0] == "dataset:tiny         stale    never built"


def test_a_damaged_state_is_one_sentence(workplace: Path) -> None:
    (workplace / "build" / "state.db").write_bytes(b"nonsense")
    with pytest.raises(InvalidDodoFile, match=r"build/state\.db is damaged; remove it"):
        commands.prepare_build_folder()


def test_a_build_that_is_a_file_is_one_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "build").touch()
    with pytest.raises(InvalidDodoFile, match="can't be written to"):
        commands.prepare_build_folder()
