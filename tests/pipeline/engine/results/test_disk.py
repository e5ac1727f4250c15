import errno
import os
from pathlib import Path

import pytest

from pipeline.engine.results.disk import on_disk, on_disk_all


def test_every_file_and_every_folder_is_waited_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "inner").mkdir()
    for path in (tmp_path / "one", tmp_path / "inner" / "two"):
        path.write_text("content")
        path.chmod(0o444)
    waited: list[str] = []
    monkeypatch.setattr(os, "fsync", lambda handle: waited.append(os.readlink(f"/proc/self/fd/{handle}")))
    on_disk_all(tmp_path)
    assert sorted(waited) == sorted(str(tmp_path / name) for name in ("", "one", "inner", "inner/two"))


@pytest.mark.parametrize("number", [errno.EIO, errno.ENOSPC, errno.EDQUOT])
def test_a_disk_that_lost_what_was_written_is_an_error_that_names_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    def fail(_handle: int) -> None:
        raise OSError(number, "no")

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(OSError, match="no") as caught:
        on_disk(tmp_path)
    assert caught.value.filename == str(tmp_path)


def test_a_file_system_that_can_not_wait_for_folders_is_no_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_handle: int) -> None:
        raise OSError(errno.EINVAL, "no")

    monkeypatch.setattr(os, "fsync", fail)
    on_disk(tmp_path)
