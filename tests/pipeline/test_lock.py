import json
import platform
import subprocess
import sys
from pathlib import Path

from pipeline import container, lock
from tests.conftest import ROOT

HOLD = f"""
import sys; sys.path.insert(0, {str(ROOT)!r}); sys.argv = ["doit", "weights:tiny"]
from pipeline import container, lock
held = lock.acquire(print)
print("held", flush=True)
sys.stdin.read()
"""


def test_a_free_lock_is_taken_without_a_word(workplace: Path) -> None:
    del workplace
    said: list[str] = []
    lock.acquire(said.append).release()
    assert said == []


def test_whoever_waits_is_told_for_whom(workplace: Path) -> None:
    del workplace
    with subprocess.Popen([sys.executable, "-c", HOLD], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as holder:
        assert holder.stdin is not None
        assert holder.stdout is not None
        holder.stdout.readline()
        said: list[str] = []

        def end_the_other(sentence: str) -> None:
            said.append(sentence)
            assert holder.stdin is not None
            holder.stdin.close()

        lock.acquire(end_the_other).release()
    where = "in container" if container.inside() else "on"
    who = f"doit weights:tiny, pid {holder.pid} {where} {platform.node()}, since "
    assert said[0].startswith(f"waiting for another build ({who}")


def test_a_killed_holder_leaves_the_lock_free(workplace: Path) -> None:
    del workplace
    with subprocess.Popen([sys.executable, "-c", HOLD], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as holder:
        assert holder.stdout is not None
        holder.stdout.readline()
        holder.kill()
    said: list[str] = []
    lock.acquire(said.append).release()
    assert said == []


def test_a_damaged_note_of_the_holder_is_no_trouble(workplace: Path) -> None:
    note = workplace / "build" / "lock.holder"
    for content in ("", "{", json.dumps({"pid": 1})):
        note.write_text(content)
        assert lock.holder() == "another build"
