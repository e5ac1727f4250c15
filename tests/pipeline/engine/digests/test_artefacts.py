import hashlib
from pathlib import Path

import pytest

from pipeline.engine.digests.artefacts import Artefacts

CONTENT = hashlib.sha256(b"content").hexdigest()


@pytest.fixture
def artefact(tmp_path: Path) -> Path:
    path = tmp_path / "artefact"
    path.write_bytes(b"content")
    return path


def test_what_is_as_it_was_hashed_passes_as_often_as_it_is_asked(artefact: Path) -> None:
    artefacts = Artefacts({"it": (artefact, CONTENT)})
    assert artefacts.changed() == artefacts.changed() == []


def test_other_content_and_a_missing_file_are_named(artefact: Path, tmp_path: Path) -> None:
    other = hashlib.sha256(b"other").hexdigest()
    artefacts = Artefacts({"it": (artefact, CONTENT), "other": (artefact, other), "gone": (tmp_path / "no", CONTENT)})
    assert artefacts.changed() == ["other", "gone"]


def test_a_change_after_it_was_read_is_seen(artefact: Path) -> None:
    artefacts = Artefacts({"it": (artefact, CONTENT)})
    assert artefacts.changed() == []
    artefact.write_bytes(b"other, and longer")
    assert artefacts.changed() == ["it"]
    artefact.write_bytes(b"content")
    assert artefacts.changed() == ["it"], "what was read in between is not known"


def test_a_file_that_was_touched_and_holds_the_same_is_right(artefact: Path) -> None:
    artefacts = Artefacts({"it": (artefact, CONTENT)})
    assert artefacts.changed() == []
    artefact.chmod(0o600)
    assert artefacts.changed() == []
