"""The seconds that a stage's process imports: of modules that take a while, once, and of nothing else."""

import builtins
import sys
import time
from pathlib import Path

import pytest

from pipeline.engine.running.import_clock import ImportClock

SLOW = "import time\nend = time.monotonic() + 0.05\nwhile time.monotonic() < end: pass\n"


@pytest.fixture
def slow(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Put two modules in reach that take a twentieth of a second each; one imports the other."""
    (tmp_path / "unroll_slow_one.py").write_text(f"import unroll_slow_two\n{SLOW}")
    (tmp_path / "unroll_slow_two.py").write_text(SLOW)
    monkeypatch.syspath_prepend(tmp_path)
    for name in ("unroll_slow_one", "unroll_slow_two"):
        monkeypatch.delitem(sys.modules, name, raising=False)


@pytest.mark.usefixtures("slow")
def test_what_is_imported_late_counts_once_and_work_does_not() -> None:
    clock, before = ImportClock(), builtins.__import__
    started = time.monotonic()
    with clock.running():
        import unroll_slow_one  # type: ignore[import-not-found] # noqa: F401, PLC0415 - it is made here

        worked = time.monotonic()
        while time.monotonic() < worked + 0.05:
            pass
        worked = time.monotonic() - worked
    assert builtins.__import__ is before
    assert 0.1 <= clock.seconds <= time.monotonic() - started - worked


def test_an_import_that_fails_ends_the_clock() -> None:
    clock = ImportClock()
    with clock.running(), pytest.raises(ImportError):
        import unroll_nowhere  # type: ignore[import-not-found] # noqa: F401, PLC0415
    assert clock._depth == 0
