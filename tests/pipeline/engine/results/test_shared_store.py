"""The store that others may write to, as two or three machines see it. Bad entries: ``tests/attacks``."""

import os
import shutil
import stat
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from pipeline.engine.results import shared_store
from pipeline.engine.results.record import RECORD, read_record
from pipeline.engine.results.store import resolve
from tests.attacks.bad_entries import artefact, flip_a_bit
from tests.machines import REPORT, Enter, Machine, build, entries, shown

FIRST_STAGES = ("dataset", "network", "unrolled")


@pytest.fixture
def first(machine: Enter, shared: Path) -> Machine:
    """Return a machine that has built the data set and shared it."""
    made = machine("first")
    build(made, "dataset")
    assert (made.ran, made.warnings, len(entries(shared))) == (["dataset"], [], 1)
    return made


@pytest.fixture
def team_key(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Return what gives this machine a key, by its content."""

    def give(content: str) -> None:
        path = tmp_path / "a key"
        path.write_text(content, encoding="utf-8")
        monkeypatch.setenv("UNROLL_CACHE_KEY", str(path))

    return give


@pytest.fixture
def strict_umask() -> Iterator[None]:
    """Make files that nobody else may read."""
    before = os.umask(0o077)
    yield
    os.umask(before)


def _restores(machine: Enter, name: str, *stages: str) -> Machine:
    """Build on a new machine, which must take everything from the store without a word."""
    made = machine(name)
    build(made, *(stages or ("dataset",)))
    assert (made.ran, made.warnings) == ([], [])
    return made


def test_what_one_machine_made_another_one_takes(machine: Enter, first: Machine) -> None:
    second = _restores(machine, "second")
    assert shown(second, "dataset") == shown(first, "dataset")
    assert read_record(second.folder / second.jobs["dataset"].link) == read_record(
        first.folder / first.jobs["dataset"].link
    )
    link = second.folder / second.jobs["dataset"].link
    assert {stat.S_IMODE(path.stat().st_mode) for path in link.iterdir() if path.name == "artefact"} == {0o444}


def test_the_store_is_made_where_it_is_not_there_yet(machine: Enter, shared: Path) -> None:
    shared.rmdir()
    made = machine("first")
    build(made, *FIRST_STAGES)
    assert (made.warnings, len(entries(shared))) == ([], 3)
    _restores(machine, "second", *FIRST_STAGES)


@pytest.mark.parametrize(
    ("place", "why"),
    [
        ("not mounted/cache", "No such file or directory"),
        ("file", "Not a directory"),
        ("file/cache", "Not a directory"),
    ],
)
def test_a_store_that_can_not_be_reached_is_one_line_for_the_whole_build(
    machine: Enter, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, place: str, why: str
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("UNROLL_CACHE", str(tmp_path / place))
    made = machine("first")
    build(made, *FIRST_STAGES)
    assert made.ran == list(FIRST_STAGES)
    assert made.warnings == [f"UNROLL_CACHE={tmp_path / place} can't be used: {why}; the build is only slower"]
    assert not (tmp_path / "not mounted").exists()


@pytest.fixture
def read_only(tmp_path: Path) -> Iterator[Callable[[Path], None]]:
    """Return what puts a store on a disk that can't be written to, which takes root on Linux."""
    mounted: list[Path] = []

    def mount(folder: Path) -> None:
        copy = tmp_path / "copy"
        shutil.copytree(folder, copy, symlinks=True)
        done = subprocess.run(["mount", "-t", "tmpfs", "tmpfs", str(folder)], capture_output=True, check=False)
        if done.returncode:
            pytest.skip("mounting a disk needs root on Linux")
        mounted.append(folder)
        shutil.copytree(copy, folder, symlinks=True, dirs_exist_ok=True)
        subprocess.run(["mount", "-o", "remount,ro", str(folder)], check=True)

    yield mount
    for folder in mounted:
        subprocess.run(["umount", str(folder)], check=True)


def test_a_read_only_store_gives_what_it_has_and_says_once_that_it_takes_nothing(
    machine: Enter, shared: Path, first: Machine, read_only: Callable[[Path], None]
) -> None:
    read_only(shared)
    _restores(machine, "second")
    third = machine("third")
    build(third, *FIRST_STAGES)
    assert third.ran == ["network", "unrolled"]
    assert third.warnings == [f"UNROLL_CACHE={shared} can't be used: Read-only file system; the build is only slower"]
    assert shown(third, "dataset") == shown(first, "dataset")


def test_a_damaged_entry_that_may_not_be_removed_stays_and_is_told_of(
    machine: Enter, shared: Path, first: Machine, read_only: Callable[[Path], None]
) -> None:
    (entry,) = entries(shared)
    flip_a_bit(artefact(entry))
    read_only(shared)
    second = machine("second")
    build(second, "dataset")
    assert second.ran == ["dataset"]
    assert second.warnings[0] == (
        f"a shared result is refused, {entry}: artefact was altered; can't be removed: Read-only file system"
    )
    assert shown(second, "dataset") == shown(first, "dataset")
    assert len(second.warnings) == 2


def test_an_entry_that_can_not_be_read_is_told_of_and_left_to_its_owner(
    machine: Enter, shared: Path, first: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    (entry,) = entries(shared)
    real_open = os.open

    def refuse(path: str, flags: int, mode: int = 0o777, *, dir_fd: int | None = None) -> int:
        if os.path.basename(path) == entry.name:  # root would read it whatever its mode
            raise PermissionError(13, "Permission denied", path)
        return real_open(path, flags, mode, dir_fd=dir_fd)

    with monkeypatch.context() as patched:
        patched.setattr(os, "open", refuse)
        second = machine("second")
        build(second, "dataset")
    assert second.ran == ["dataset"]
    assert len(second.warnings) == 1
    assert f"{entry.name} can't be read: Permission denied; who made it can open it with chmod" in second.warnings[0]
    assert len(entries(shared)) == 2, "the one that can be read stands beside it"
    third = _restores(machine, "third")
    assert shown(third, "dataset") == shown(first, "dataset")


@pytest.mark.usefixtures("strict_umask")
@pytest.mark.parametrize(
    "modes",
    [
        (0o2775, 0o2775, 0o444),
        (0o2770, 0o2770, 0o440),
        (0o755, 0o755, 0o444),
        (0o700, 0o700, 0o400),
        (0o1777, 0o1777, 0o444),
    ],
    ids=lambda modes: oct(modes[0]),
)
def test_who_may_use_the_store_may_use_a_result_whatever_the_umask(
    machine: Enter, shared: Path, team_key: Callable[[str], None], modes: tuple[int, int, int]
) -> None:
    of_the_store, of_folders, of_files = modes
    shared.chmod(of_the_store)
    team_key("a secret of the team's")
    build(machine("first"), "dataset")
    (entry,) = entries(shared)
    paths = [entry, *entry.rglob("*")]
    files = dict.fromkeys(("artefact", "plots/more", RECORD, "signature"), of_files)
    assert {path.relative_to(entry).as_posix(): stat.S_IMODE(path.stat().st_mode) for path in paths} == {
        ".": of_folders,
        "plots": of_folders,
        **files,
    }


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may give a folder to another group")
def test_a_result_belongs_to_the_group_of_the_store(machine: Enter, shared: Path) -> None:
    os.chown(shared, -1, 12345)
    build(machine("first"), "dataset")
    (entry,) = entries(shared)
    assert {path.stat().st_gid for path in [entry, *entry.rglob("*")]} == {12345}


def test_a_data_set_that_stands_in_for_another_is_not_shared(machine: Enter, shared: Path) -> None:
    made = machine("first")
    made.report = {**REPORT, "stand_in": "digits"}
    build(made, "dataset", "network")
    (entry,) = entries(shared)
    assert read_record(entry).stage == "network"


def test_a_stand_in_that_is_there_all_the_same_is_passed_over(
    machine: Enter, shared: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("UNROLL_CACHE")
    made = machine("first")
    made.report = {**REPORT, "stand_in": "digits"}
    build(made, "dataset")
    home = resolve(made.jobs["dataset"].link)
    shutil.copytree(home, shared / home.name)
    monkeypatch.setenv("UNROLL_CACHE", str(shared))
    second = machine("second")
    build(second, "dataset")
    assert (second.ran, second.warnings) == (["dataset"], [])


def test_results_of_an_earlier_version_are_refused_in_one_line_and_stay(
    machine: Enter, shared: Path, first: Machine
) -> None:
    build(first, *FIRST_STAGES[1:])
    for entry in entries(shared):
        entry.rename(entry.with_name(entry.name.partition(".")[0] + ".0123456789ab"))
    second = machine("second")
    build(second, *FIRST_STAGES)
    assert second.ran == list(FIRST_STAGES)
    why = "their names hold no digest of what they say"
    assert second.warnings == [f"results of Unroll 0.1 in UNROLL_CACHE={shared} are refused: {why}"]
    assert len(entries(shared)) == 6
    _restores(machine, "third", *FIRST_STAGES)


def test_the_same_result_made_again_is_not_kept_twice(machine: Enter, shared: Path, first: Machine) -> None:
    build(first, "dataset")
    assert first.ran == ["dataset", "dataset"]
    alone = machine("alone")
    alone_build = build(alone, "dataset")
    assert alone.ran == []
    build(alone, "dataset")
    assert (alone.ran, alone.warnings, len(entries(shared))) == (["dataset"], [], 1)
    assert alone_build.warnings == []


def test_a_machine_that_never_asked_shares_nothing_that_is_there_already(
    machine: Enter, shared: Path, first: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("UNROLL_CACHE")
    second = machine("second")
    build(second, "dataset")
    monkeypatch.setenv("UNROLL_CACHE", str(shared))
    build(second, "dataset")
    assert (second.ran, second.warnings) == (["dataset", "dataset"], [])
    assert len(entries(shared)) == 1
    assert shown(second, "dataset") == shown(first, "dataset")


def test_a_damaged_entry_is_found_when_the_same_result_is_shared_again(
    machine: Enter, shared: Path, first: Machine
) -> None:
    (entry,) = entries(shared)
    flip_a_bit(artefact(entry))
    build(first, "dataset")
    assert len(first.warnings) == 1
    assert first.warnings[0].endswith("artefact was altered; removed")
    _restores(machine, "second")


def test_another_outcome_of_the_same_inputs_stands_beside_the_first(
    machine: Enter, shared: Path, first: Machine
) -> None:
    first.report = {**REPORT, "metrics": {"accuracy": 0.6}}
    build(first, "dataset")
    assert (len(entries(shared)), first.warnings) == (2, [])
    second = _restores(machine, "second")
    assert read_record(second.jobs["dataset"].link).metrics == {"accuracy": 0.6}


def test_a_local_artefact_that_was_edited_is_not_shared(
    machine: Enter, shared: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = machine("first")
    publish = made.project.store.publish

    def publish_and_edit(*arguments: object) -> None:
        publish(*arguments)  # type: ignore[arg-type]
        flip_a_bit(made.jobs["dataset"].link / "artefact")

    monkeypatch.setattr(made.project.store, "publish", publish_and_edit)
    build(made, "dataset")
    assert len(made.warnings) == 1
    assert made.warnings[0].endswith("is not shared: artefact was altered")
    assert entries(shared) == []
    assert list(shared.iterdir()) == []


def test_a_signed_result_is_taken_by_who_has_the_key_and_by_who_has_none(
    machine: Enter, shared: Path, team_key: Callable[[str], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    team_key("a secret of the team's\n")
    build(machine("first"), "dataset")
    (entry,) = entries(shared)
    assert len((entry / "signature").read_text("utf-8").strip()) == 64
    second = _restores(machine, "second")
    assert not (second.jobs["dataset"].link / "signature").exists()
    monkeypatch.delenv("UNROLL_CACHE_KEY")
    _restores(machine, "third")


def test_two_teams_with_keys_of_their_own_use_one_store_side_by_side(
    machine: Enter, shared: Path, team_key: Callable[[str], None]
) -> None:
    for name, secret in (("ours", "our team's secret"), ("theirs", "their team's secret")):
        team_key(secret)
        made = machine(name)
        build(made, "dataset")
        assert made.ran == ["dataset"]
    assert made.warnings[0].endswith("it is not signed with the key of UNROLL_CACHE_KEY")
    assert len(entries(shared)) == 2
    for secret in ("our team's secret", "their team's secret"):
        team_key(secret)
        made = machine(f"another with {secret}")
        build(made, "dataset")
        assert made.ran == []


def test_a_result_that_was_shared_without_a_key_is_signed_when_it_is_made_again(
    machine: Enter, shared: Path, first: Machine, team_key: Callable[[str], None]
) -> None:
    team_key("a secret of the team's")
    build(first, "dataset")
    (entry,) = entries(shared)
    assert (entry / "signature").exists()
    assert not list(shared.glob(".*"))
    _restores(machine, "second")


@pytest.mark.parametrize("content", ["", "short\n", "x" * 5000, None], ids=["empty", "short", "long", "missing"])
def test_with_a_key_that_can_not_be_used_nothing_is_taken_or_shared(
    machine: Enter, first: Machine, shared: Path, monkeypatch: pytest.MonkeyPatch, content: str | None
) -> None:
    key = first.folder / "a key"
    monkeypatch.setenv("UNROLL_CACHE_KEY", str(key))
    if content is not None:
        key.write_text(content, encoding="utf-8")
    second = machine("second")
    build(second, *FIRST_STAGES)
    assert second.ran == list(FIRST_STAGES)
    assert len(second.warnings) == 1
    assert second.warnings[0].startswith(f"UNROLL_CACHE_KEY={key}: ")
    assert second.warnings[0].endswith("; the shared store is not used")
    assert len(entries(shared)) == 1


def test_builds_that_share_the_same_result_at_once_leave_one_whole_entry(
    machine: Enter, shared: Path, first: Machine
) -> None:
    home = resolve(first.jobs["dataset"].link)
    shutil.rmtree(entries(shared)[0])
    warnings: list[str] = []
    begin = threading.Barrier(8)

    def share() -> None:
        begin.wait()
        shared_store.SharedStore(shared, None, warnings.append).feed(home)

    threads = [threading.Thread(target=share) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert warnings == []
    assert len(entries(shared)) == 1
    assert not list(shared.glob(".*")), "nothing half is left behind"
    _restores(machine, "second")


def _when_first_read(monkeypatch: pytest.MonkeyPatch, happens: Callable[[], object]) -> None:
    """Let something happen in the shared store while the first artefact is being copied."""
    real_read = os.read
    pending = [happens]

    def read(file: int, size: int) -> bytes:
        if pending:
            pending.pop()()
        return real_read(file, size)

    monkeypatch.setattr(os, "read", read)


def test_an_entry_that_vanishes_while_it_is_copied_is_made_without_a_word(
    machine: Enter, shared: Path, first: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    (entry,) = entries(shared)
    second = machine("second")
    with monkeypatch.context() as patched:
        _when_first_read(patched, lambda: shutil.rmtree(entry))
        build(second, "dataset")
    assert (second.ran, second.warnings) == (["dataset"], [])
    assert shown(second, "dataset") == shown(first, "dataset")
    _restores(machine, "third")


def test_an_entry_that_was_replaced_while_it_was_refused_is_not_removed(
    machine: Enter, shared: Path, first: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    (entry,) = entries(shared)
    good = shutil.copytree(entry, shared / ".good")
    flip_a_bit(artefact(entry))
    second = machine("second")

    def replace() -> None:
        entry.rename(shared / ".bad")
        good.rename(entry)

    with monkeypatch.context() as patched:
        _when_first_read(patched, replace)
        build(second, "dataset")
    assert (second.ran, second.warnings) == (["dataset"], [])
    assert entry.exists()
    third = _restores(machine, "third")
    assert shown(third, "dataset") == shown(first, "dataset")


def test_an_entry_that_changes_while_it_is_copied_is_refused(
    machine: Enter, shared: Path, first: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was compared is what was copied: there is no second reading in which it could be another."""
    (entry,) = entries(shared)
    second = machine("second")
    with monkeypatch.context() as patched:
        _when_first_read(patched, lambda: flip_a_bit(artefact(entry)))
        build(second, "dataset")
    assert second.ran == ["dataset"]
    assert second.warnings[0].endswith("artefact was altered; removed")
    assert shown(second, "dataset") == shown(first, "dataset")


def test_a_result_that_has_no_room_here_is_not_copied(
    machine: Enter, shared: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    build(machine("first"), "dataset")
    second = machine("second")
    usage = type(shutil.disk_usage(shared))
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage(100, 90, 10))
    build(second, "dataset")
    assert second.ran == ["dataset"]
    assert len(second.warnings) == 1
    assert second.warnings[0].endswith(" bytes, and 10 are free here")
    assert len(entries(shared)) == 1, "it is whole, and of use to others"


def test_what_killed_builds_left_behind_is_swept_up_after_a_day(shared: Path, machine: Enter) -> None:
    day = 86400
    for name, age in ((".half.old", 2 * day), (".gone.old", 2 * day), (".half.new", day / 2), (".mine", 2 * day)):
        (shared / name).mkdir()
        (shared / name / "file").touch()
        os.utime(shared / name, (time.time() - age,) * 2)
    build(machine("first"), "dataset")
    assert sorted(path.name for path in shared.glob(".*")) == [".half.new", ".mine"]


def test_no_store_is_named_and_nothing_happens(machine: Enter, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("UNROLL_CACHE", "")
    made = machine("first")
    build(made, "dataset")
    assert (made.ran, made.warnings) == (["dataset"], [])
