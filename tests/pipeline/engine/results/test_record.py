"""The record of a result: read once, found broken or damaged in words."""

from pathlib import Path
from typing import Any

import msgspec
import pytest
from msgspec.structs import replace

from pipeline.engine.digests.fingerprint import FileHashes, digest
from pipeline.engine.results.record import (
    RECORD,
    BrokenRecordError,
    Record,
    damage,
    decode_record,
    encode_record,
    key_of,
    misfit,
    read_record,
)
from tests.pipeline.records import a_record


@pytest.fixture
def hashes(tmp_path: Path) -> FileHashes:
    """Return what is remembered of files, which is nothing."""
    return FileHashes(tmp_path / "hashes.json")


@pytest.fixture
def written(tmp_path: Path, hashes: FileHashes) -> Record:
    """Return the record of a result in ``tmp_path``, which has one artefact."""
    artefact = tmp_path / "artefact"
    artefact.write_text("content")
    made = a_record(outputs={"artefact": {"sha256": hashes.sha256(artefact), "bytes": 7}})
    (tmp_path / RECORD).write_bytes(msgspec.json.encode(made))
    return made


def test_it_is_read_as_it_was_written(tmp_path: Path, written: Record) -> None:
    assert read_record(tmp_path) == written


@pytest.mark.parametrize("content", ["", "{", '{"schema": 2}', "[]", "null", '{"schema": 2, "more": 2}'])
def test_a_record_that_is_not_whole_is_said_to_be_broken(tmp_path: Path, content: str) -> None:
    (tmp_path / "stage.json").write_text(content)
    with pytest.raises(BrokenRecordError, match=r"stage\.json is truncated or not ours"):
        read_record(tmp_path)


def test_a_record_of_another_schema_says_so(tmp_path: Path) -> None:
    (tmp_path / "stage.json").write_text('{"schema": 99}')
    with pytest.raises(BrokenRecordError, match="schema 99, this version writes 2"):
        read_record(tmp_path)


def test_where_no_result_is_there_is_no_record(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    for folder in (tmp_path, tmp_path / "nothing", tmp_path / "file"):
        with pytest.raises(FileNotFoundError):
            read_record(folder)


def test_it_is_read_once_and_again_when_its_file_is_another_one(
    tmp_path: Path, written: Record, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / RECORD
    monkeypatch.setattr(
        "pipeline.engine.results.record.SETTLED_NS", -1
    )  # a file that changed just now would be read again in any case
    read: list[bytes] = []
    monkeypatch.setattr(
        "pipeline.engine.results.record.decode_record",
        lambda content: read.append(content) or decode_record(content),  # type: ignore[func-returns-value]
    )
    for _ in range(3):
        assert read_record(tmp_path) == written
    assert len(read) == 1
    same_size = path.read_bytes().replace(b'"seconds":1.0', b'"seconds":2.0')
    path.write_bytes(same_size)
    assert read_record(tmp_path).seconds == 2.0
    path.unlink()
    with pytest.raises(FileNotFoundError):
        read_record(tmp_path)


def test_artefacts_that_are_not_what_it_says_are_named(tmp_path: Path, written: Record, hashes: FileHashes) -> None:
    assert damage(tmp_path, written, hashes) is None
    (tmp_path / "artefact").write_text("edited!")
    assert damage(tmp_path, written, hashes) == "artefact was changed by hand"
    (tmp_path / "artefact").unlink()
    assert damage(tmp_path, written, hashes) == "artefact is missing"


OUTPUT = {"sha256": "0" * 64, "bytes": 7}
NAMES = ["../x", "a/../x", "/x", "a//x", "a/", ".", "..", "", "a\0x", "a\nx", "\x1b[2J", "\x9b2J", "a/" * 200 + "x"]


@pytest.mark.parametrize("outputs", [{name: OUTPUT} for name in NAMES], ids=NAMES)
def test_a_name_that_leaves_the_folder_or_can_not_be_shown_breaks_a_record(outputs: dict[str, Any]) -> None:
    with pytest.raises(BrokenRecordError, match=r"stage\.json is truncated or not ours"):
        decode_record(msgspec.json.encode(a_record(outputs=outputs)))


@pytest.mark.parametrize(
    "declared",
    [
        {},
        {"sha256": "0" * 64},
        {"bytes": 7},
        OUTPUT | {"bytes": -1},
        OUTPUT | {"bytes": True},
        OUTPUT | {"sha256": "x"},
    ],
    ids=str,
)
def test_an_artefact_that_is_not_described_breaks_a_record(declared: dict[str, Any]) -> None:
    with pytest.raises(BrokenRecordError):
        decode_record(msgspec.json.encode(a_record(outputs={"artefact": declared})))


@pytest.mark.parametrize("name", ["artefact", "plots/accuracy.svg", "..x", "Prüfstand 1.npz", ".hidden"])
def test_other_names_are_taken(name: str) -> None:
    record = a_record(outputs={name: OUTPUT})
    assert decode_record(encode_record(record)) == record


def test_a_record_that_is_nested_without_end_is_broken() -> None:
    with pytest.raises(BrokenRecordError):
        decode_record(b'{"inputs":' + b"[" * 100_000)


def test_what_is_only_noted_does_not_make_a_key() -> None:
    inputs = {"stage": "network", "config": {"units": 8}}
    assert key_of({**inputs, "seed": 3, "made_on": {"python": "3.12"}}) == key_of(inputs) == digest(inputs)
    assert key_of({**inputs, "config": {"units": 9}}) != key_of(inputs)


def test_a_record_fits_its_key_only() -> None:
    record = a_record(outputs={"artefact": OUTPUT})
    another = "stage.json is that of another result"
    assert misfit(record, record.key) is None
    assert misfit(record, "0" * 32) == another
    assert misfit(replace(record, key="0" * 32), record.key) == another
    assert misfit(replace(record, inputs={**record.inputs, "tools": {}}), record.key) == another
    assert misfit(replace(record, stage="vela"), record.key) == another
    assert misfit(replace(record, outputs={}), record.key) == "stage.json declares no artefact"
