"""What a stage's process loads of our sources, in processes of their own: this one has loaded them already."""

import hashlib
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from pipeline.engine.digests import loading
from tests.conftest import ROOT


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """Return a folder with a package ``pipeline`` of three files, one of which loads the other late."""
    package = tmp_path / "pipeline"
    home = package / "engine" / "digests"
    home.mkdir(parents=True)
    shutil.copy(ROOT / "pipeline" / "engine" / "digests" / "loading.py", home)
    for folder in (package, home.parent, home):
        (folder / "__init__.py").touch()
    (package / "late.py").write_text("VALUE = 1\n", encoding="utf-8")
    return tmp_path


def _python(folder: Path, code: str, **environment: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=folder,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=False,
    )
    return done.stdout + done.stderr


WATCHED = """
import pathlib
from pipeline.engine.digests import loading
loading.watch()
{before}
from pipeline import late
print(late.VALUE, loading.changed({digests}, pathlib.Path("order.json")))
"""


def test_a_source_that_runs_as_it_was_hashed(copy: Path) -> None:
    digests = {"pipeline/late.py": hashlib.sha256(b"VALUE = 1\n").hexdigest(), "pipeline/never_loaded.py": "0"}
    assert _python(copy, WATCHED.format(before="", digests=digests)) == "1 []\n"


def test_a_source_that_was_edited_just_before_it_was_loaded(copy: Path) -> None:
    digests = {"pipeline/late.py": hashlib.sha256(b"VALUE = 1\n").hexdigest()}
    edit = 'pathlib.Path("pipeline/late.py").write_text("VALUE = 2\\n")'
    assert _python(copy, WATCHED.format(before=edit, digests=digests)) == "2 ['pipeline/late.py']\n"


def test_what_python_compiled_before_is_not_run(copy: Path) -> None:
    """A file of the same size and the same second looks to Python as if nothing had changed."""
    source = copy / "pipeline" / "late.py"
    os.utime(source, (1_000_000_000, 1_000_000_000))
    assert _python(copy, "from pipeline import late; print(late.VALUE)", PYTHONDONTWRITEBYTECODE="") == "1\n"
    source.write_text("VALUE = 2\n", encoding="utf-8")
    os.utime(source, (1_000_000_000, 1_000_000_000))
    assert _python(copy, "from pipeline import late; print(late.VALUE)") == "1\n", "this is Python's own doing"
    digests = {"pipeline/late.py": hashlib.sha256(b"VALUE = 2\n").hexdigest()}
    assert _python(copy, WATCHED.format(before="", digests=digests)) == "2 []\n"


def test_a_process_that_a_stage_starts_loads_the_same_or_fails_and_says_so(copy: Path) -> None:
    order = copy / "order.json"
    code = "from pipeline.engine.digests import loading; loading.join(); from pipeline import late; print(late.VALUE)"
    digests = {"pipeline/late.py": hashlib.sha256(b"VALUE = 1\n").hexdigest()}
    order.write_text(json.dumps({"source": digests}), encoding="utf-8")
    assert _python(copy, code, UNROLL_ORDER=str(order)) == "1\n"
    assert loading.changed(digests, order) == []
    (copy / "pipeline" / "late.py").write_text("VALUE = 2\n", encoding="utf-8")
    assert "ImportError: pipeline/late.py changed" in _python(copy, code, UNROLL_ORDER=str(order))
    assert loading.changed(digests, order) == ["pipeline/late.py"]


def test_a_process_that_no_stage_started_loads_as_python_does(copy: Path) -> None:
    code = "import sys; from pipeline.engine.digests import loading; loading.join(); print(len(sys.meta_path))"
    plain = "import sys; from pipeline.engine.digests import loading; print(len(sys.meta_path))"
    assert _python(copy, code) == _python(copy, plain)
