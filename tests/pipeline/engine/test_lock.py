import fcntl
import json
import platform
import subprocess
import sys
import threading
import time

import pytest

from pipeline.engine import docker, lock
from pipeline.engine.project import Project
from tests.conftest import ROOT

pytestmark = pytest.mark.smoke

HOLD = f"""
import sys; sys.path.insert(0, {str(ROOT)!r}); sys.argv = ["doit", "network:tiny", *sys.argv[1:]]
from pathlib import Path
from pipeline.engine.project import Project
held = Project(Path(sys.argv.pop())).lock.acquire(print)
print("held", flush=True)
sys.stdin.read()
"""


def test_a_free_lock_is_taken_without_a_word(workplace: Project) -> None:
    said: list[str] = []
    workplace.lock.acquire(said.append).release()
    assert said == []


def test_whoever_waits_is_told_for_whom(workplace: Project) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", HOLD, str(workplace.root)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as holder:
        assert holder.stdin is not None
        assert holder.stdout is not None
        holder.stdout.readline()
        said: list[str] = []

        def end_the_other(sentence: str) -> None:
            said.append(sentence)
            assert holder.stdin is not None
            holder.stdin.close()

        workplace.lock.acquire(end_the_other).release()
    where = "in container" if docker.inside() else "on"
    who = f"doit network:tiny, pid {holder.pid} {where} {platform.node()}, since "
    assert said[0].startswith(f"waiting for another build ({who}")


def test_a_killed_holder_leaves_the_lock_free(workplace: Project) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", HOLD, str(workplace.root)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as holder:
        assert holder.stdout is not None
        holder.stdout.readline()
        holder.kill()
    said: list[str] = []
    workplace.lock.acquire(said.append).release()
    assert said == []


def test_a_damaged_note_of_the_holder_is_no_trouble(workplace: Project) -> None:
    note = workplace.build / "lock.holder"
    for content in (b"", b"{", b"\xff", b"[]", json.dumps({"pid": 1}).encode()):
        note.write_bytes(content)
        assert workplace.lock.holder() == "another build"


def test_a_command_of_any_bytes_is_named(workplace: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", ["doit", "network:Gr\udcf6\udcdfe"])
    held = workplace.lock.acquire(print)
    assert "doit network:Gr\udcf6\udcdfe, pid" in workplace.lock.holder()
    held.release()


def test_a_free_lock_is_held_by_nobody(workplace: Project) -> None:
    assert workplace.lock.held_by() is None, "there is not even a file"
    workplace.lock.acquire(print).release()
    assert (workplace.build / "lock.holder").exists()
    assert workplace.lock.held_by() is None, "the note of who held it last is not believed"


def test_a_held_lock_names_host_and_process(workplace: Project) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", HOLD, str(workplace.root)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as holder:
        assert holder.stdin is not None
        assert holder.stdout is not None
        holder.stdout.readline()
        for _ in range(3):
            assert workplace.lock.held_by() == (platform.node(), holder.pid), "looking takes nothing away"
        holder.stdin.close()
    assert workplace.lock.held_by() is None


def test_a_killed_holder_holds_nothing(workplace: Project) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", HOLD, str(workplace.root)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as holder:
        assert holder.stdout is not None
        holder.stdout.readline()
        holder.kill()
    assert workplace.lock.held_by() is None


@pytest.mark.parametrize("note", [None, "", "{", "[]", "3", "\0", '{"pid": 1}', '{"pid": "x", "host": "y"}'])
def test_a_lock_whose_note_is_missing_or_damaged_is_held_by_nobody_known(workplace: Project, note: str | None) -> None:
    held = workplace.lock.acquire(print)
    path = workplace.build / "lock.holder"
    path.unlink() if note is None else path.write_text(note)
    assert workplace.lock.held_by() is None
    held.release()


def test_a_folder_in_place_of_the_lock_is_held_by_nobody(workplace: Project) -> None:
    (workplace.build / "lock").mkdir()
    assert workplace.lock.held_by() is None


def test_a_build_that_starts_while_somebody_looks_does_not_say_that_it_waits(workplace: Project) -> None:
    workplace.lock.acquire(print).release()
    with (workplace.build / "lock").open() as looking:
        fcntl.flock(looking, fcntl.LOCK_SH)
        threading.Timer(lock.PROBE_SECONDS / 3, fcntl.flock, (looking, fcntl.LOCK_UN)).start()
        said: list[str] = []
        workplace.lock.acquire(said.append).release()
    assert said == []


def test_dashboards_that_look_all_the_time_keep_no_build_from_starting(workplace: Project) -> None:
    workplace.lock.acquire(print).release()
    over = threading.Event()

    def look() -> None:
        while not over.is_set():
            workplace.lock.held_by()
            time.sleep(0.001)

    lookers = [threading.Thread(target=look) for _ in range(2)]
    for looker in lookers:
        looker.start()
    said: list[str] = []
    for _ in range(20):
        workplace.lock.acquire(said.append).release()
    over.set()
    for looker in lookers:
        looker.join()
    assert said == []
