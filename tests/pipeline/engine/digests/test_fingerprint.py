import hashlib
import json
import os
import time
from pathlib import Path

import pytest

from pipeline.engine.digests import fingerprint
from pipeline.engine.digests.fingerprint import FileHashes, digest


def test_a_hash_is_that_of_the_content(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"content")
    hashes = FileHashes(tmp_path / "memory.json")
    assert hashes.sha256(tmp_path / "file") == hashlib.sha256(b"content").hexdigest()
    assert hashes.size(tmp_path / "file") == 7


def test_a_file_is_read_again_only_when_it_changed(tmp_path: Path) -> None:
    path, memory = tmp_path / "file", tmp_path / "memory.json"
    path.write_bytes(b"one")
    first = FileHashes(memory)
    before = first.sha256(path)
    first.save()
    os.chmod(path, 0)  # root could still read it; what counts is that the change of mode is seen
    os.chmod(path, 0o644)
    found = os.stat(path)
    path.write_bytes(b"two")
    os.utime(path, ns=(found.st_atime_ns, found.st_mtime_ns))
    assert FileHashes(memory).sha256(path) != before, "same size and time, other content: cp -p does that"


def test_what_was_written_this_moment_is_not_remembered(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It may be written again within the same tick of the file system's clock, and would look the same."""
    hashes = FileHashes(tmp_path / "memory.json")
    now = time.time_ns()
    monkeypatch.setattr(fingerprint, "identity", lambda _: (3, now, now, 7))
    (tmp_path / "file").write_bytes(b"one")
    assert hashes.sha256(tmp_path / "file") == hashlib.sha256(b"one").hexdigest()
    (tmp_path / "file").write_bytes(b"two")
    assert hashes.sha256(tmp_path / "file") == hashlib.sha256(b"two").hexdigest()


@pytest.fixture
def old_files(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let files that a test has just written count as settled."""
    monkeypatch.setattr(fingerprint, "SETTLED_NS", -1)


@pytest.mark.usefixtures("old_files")
def test_a_file_that_rotted_is_seen_when_all_is_read_again_and_only_then(tmp_path: Path) -> None:
    path, memory = tmp_path / "file", tmp_path / "memory.json"
    path.write_bytes(b"one")
    first = FileHashes(memory)
    known = first.sha256(path)
    first.save()
    memory.write_text(memory.read_text().replace(known, "what it was"))  # as if the disk had turned a bit since
    hashes = FileHashes(memory)
    assert (hashes.sha256(path), hashes.rotted) == ("what it was", set())
    hashes.read_again()
    assert (hashes.sha256(path), hashes.rotted) == (known, {str(path)})


@pytest.mark.usefixtures("old_files")
def test_a_file_that_was_written_did_not_rot(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"one")
    hashes = FileHashes(tmp_path / "memory.json")
    hashes.sha256(path)
    hashes.read_again()
    path.write_bytes(b"another")
    assert (hashes.sha256(path), hashes.rotted) == (hashlib.sha256(b"another").hexdigest(), set())


@pytest.mark.usefixtures("old_files")
def test_what_is_not_asked_for_again_stays_remembered(tmp_path: Path) -> None:
    paths, memory = [tmp_path / "one", tmp_path / "two"], tmp_path / "memory.json"
    for path in paths:
        path.write_bytes(b"content")
    hashes = FileHashes(memory)
    digests = [hashes.sha256(path) for path in paths]
    hashes.read_again()
    hashes.sha256(paths[0])
    hashes.save()
    memory.write_text(memory.read_text().replace(digests[1], "remembered"))
    assert FileHashes(memory).sha256(paths[1]) == "remembered"


@pytest.mark.usefixtures("old_files")
def test_a_file_or_a_folder_is_forgotten(tmp_path: Path) -> None:
    folder, memory = tmp_path / "folder", tmp_path / "memory.json"
    folder.mkdir()
    for path in (tmp_path / "alone", folder / "inside"):
        path.write_bytes(b"content")
        hashes = FileHashes(memory)
        known = hashes.sha256(path)
        hashes.save()
        memory.write_text(memory.read_text().replace(known, "wrong"))
        hashes = FileHashes(memory)
        hashes.forget(path if path.parent == tmp_path else folder)
        assert hashes.sha256(path) == known


@pytest.mark.usefixtures("old_files")
def test_a_remembered_hash_is_believed(tmp_path: Path) -> None:
    path, memory = tmp_path / "file", tmp_path / "memory.json"
    path.write_bytes(b"one")
    hashes = FileHashes(memory)
    known = hashes.sha256(path)
    hashes.save()
    memory.write_text(memory.read_text().replace(known, "remembered"))
    assert FileHashes(memory).sha256(path) == "remembered"


@pytest.mark.parametrize("content", ["", "[1, 2]", "{", "\0"])
def test_a_damaged_memory_only_costs_time(tmp_path: Path, content: str) -> None:
    (tmp_path / "memory.json").write_text(content)
    (tmp_path / "file").write_bytes(b"one")
    assert FileHashes(tmp_path / "memory.json").sha256(tmp_path / "file") == hashlib.sha256(b"one").hexdigest()


@pytest.mark.usefixtures("old_files")
def test_a_renamed_folder_is_not_hashed_again(tmp_path: Path) -> None:
    (tmp_path / "old").mkdir()
    (tmp_path / "old" / "file").write_bytes(b"one")
    memory = tmp_path / "memory.json"
    hashes = FileHashes(memory)
    known = hashes.sha256(tmp_path / "old" / "file")
    (tmp_path / "old").rename(tmp_path / "new")
    hashes.moved(tmp_path / "old", tmp_path / "new")
    hashes.save()
    memory.write_text(memory.read_text().replace(known, "remembered"))
    assert FileHashes(memory).sha256(tmp_path / "new" / "file") == "remembered"


def test_a_digest_does_not_depend_on_the_order_of_keys() -> None:
    assert digest({"a": 1, "b": [2]}) == digest({"b": [2], "a": 1})
    assert digest({"a": 1}) != digest({"a": "1"})


def test_what_another_process_remembered_of_a_project_is_kept_wherever_this_one_runs(tmp_path: Path) -> None:
    """Doit runs in the root, and so its paths are relative; who runs elsewhere must not take them for lost files."""
    (tmp_path / "file").write_bytes(b"content")
    (tmp_path / "more").write_bytes(b"content")
    memory = tmp_path / "memory.json"
    memory.write_text(json.dumps({"file": [0, 0, 0, 0, "digest"], "lost": [0, 0, 0, 0, "digest"]}))
    hashes = FileHashes(memory, tmp_path)
    hashes.sha256(tmp_path / "more", just_made=True)
    hashes.save()
    assert json.loads(memory.read_bytes()).keys() == {"file", str(tmp_path / "more")}
