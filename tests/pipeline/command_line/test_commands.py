import json
from dataclasses import replace
from pathlib import Path

import pytest
from doit.exceptions import InvalidDodoFile, TaskFailed

from pipeline.command_line import commands
from pipeline.engine.job_graph import Job
from pipeline.engine.project import Project
from pipeline.engine.results.record import damage, read_record
from pipeline.engine.results.store import resolve
from tests.pipeline.records import a_record


@pytest.mark.parametrize(
    ("text", "size"), [("0", 0), ("12", 12), ("1KB", 1000), ("1.5 MB", 1_500_000), ("2g", 2_000_000_000), ("7B", 7)]
)
def test_prune_takes_sizes_as_people_write_them(
    workplace: Project, monkeypatch: pytest.MonkeyPatch, text: str, size: int
) -> None:
    asked: list[int] = []

    def record(keep_bytes: int) -> tuple[int, int]:
        asked.append(keep_bytes)
        return 0, 0

    monkeypatch.setattr(workplace.store, "prune", record)
    assert commands.prune(workplace, text) is None
    assert asked == [size]


@pytest.mark.parametrize("text", ["", "much", "-1GB", "5 apples"])
def test_prune_refuses_what_is_no_size(text: str, workplace: Project) -> None:
    failed = commands.prune(workplace, text)
    assert isinstance(failed, TaskFailed)
    assert "give a size such as 500MB or 5GB" in failed.get_msg()


def test_status_of_nothing_built(jobs: dict[str, Job], capsys: pytest.CaptureFixture[str], workplace: Project) -> None:
    failed = commands.status(workplace, {"tiny": list(jobs.values())}, as_json=False, names=[])
    assert isinstance(failed, TaskFailed)
    assert capsys.readouterr().out.splitlines()[0] == "dataset:tiny         stale    never built"


def test_a_build_that_is_a_file_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "build").touch()
    with pytest.raises(InvalidDodoFile, match=r"^build/ can't be written to"):
        commands.prepare_build_folder(Project(tmp_path))


def _turn_a_bit(artefact: Path, memory: Path) -> None:
    """Do as a disk does that loses bits: other content, under the size and the times that are remembered."""
    content = bytearray(artefact.read_bytes())
    content[-1] ^= 1
    artefact.chmod(0o644)
    artefact.write_bytes(content)
    known = json.loads(memory.read_bytes())
    facts = artefact.stat()
    remembered = known[artefact.as_posix()]
    known[artefact.as_posix()] = [facts.st_size, facts.st_mtime_ns, facts.st_ctime_ns, facts.st_ino, remembered[-1]]
    memory.write_text(json.dumps(known))


@pytest.fixture
def rotten(workplace: Project, jobs: dict[str, Job]) -> Job:
    """Return the job of a result whose artefact has rotted, beside one that has not."""
    store = workplace.store
    for stage in ("dataset", "network"):
        with store.scratch_folder() as scratch:
            (scratch / "result").mkdir()
            (scratch / "result" / "artefact").write_text(stage)
            record = a_record(key=stage, stage=stage, outputs=store.describe_outputs(scratch / "result"))
            store.publish(scratch / "result", record, jobs[stage].link)
    workplace.hashes.save()
    _turn_a_bit(resolve(jobs["network"].link) / "artefact", workplace.build / "hashes.json")
    del workplace.hashes, workplace.store  # the next doit knows what the last one saved
    return jobs["network"]


def test_bits_that_a_disk_lost_are_seen_by_reading_all_again(
    jobs: dict[str, Job], rotten: Job, capsys: pytest.CaptureFixture[str], workplace: Project
) -> None:
    assert damage(resolve(rotten.link), read_record(rotten.link), workplace.hashes) is None, (
        "a no-op believes size and times"
    )
    both = [replace(jobs["dataset"], link=workplace.build / "nothing"), rotten]
    assert isinstance(commands.status(workplace, {"tiny": both}, as_json=False, names=[], reread=True), TaskFailed)
    printed = capsys.readouterr().out.splitlines()
    assert printed[1].startswith("network:tiny  stale    artefact has rotted: nobody wrote to it")
    assert printed[2].startswith("damaged: build/tiny/network: artefact has rotted")
    assert printed[3] == "read 2 files of 2 results again, 0.0 MB: 1 damaged"


def test_only_what_was_asked_for_is_read_again(
    rotten: Job, capsys: pytest.CaptureFixture[str], workplace: Project
) -> None:
    jobs = {"tiny": [rotten], "another": []}
    assert commands.status(workplace, jobs, as_json=True, names=["another"], reread=True) is None
    assert json.loads(capsys.readouterr().out)["rehash"] == {"results": 0, "files": 0, "bytes": 0, "damaged": []}


def test_checking_the_store_removes_and_names_what_is_damaged(
    rotten: Job, capsys: pytest.CaptureFixture[str], workplace: Project
) -> None:
    home = resolve(rotten.link)
    assert isinstance(commands.prune(workplace, "5GB", check=True), TaskFailed)
    printed = capsys.readouterr().out
    assert f"removed {workplace.shown(home)} (build/tiny/network): artefact has rotted" in printed
    assert not home.exists()
    assert workplace.store.find("dataset") is not None
    assert commands.prune(workplace, "5GB", check=True) is None
    assert "read 1 files of 1 results again, 0.0 MB: all as recorded" in capsys.readouterr().out


@pytest.mark.parametrize("content", ["", "{", '{"schema": 99}'])
def test_checking_the_store_finds_broken_records(
    rotten: Job, content: str, capsys: pytest.CaptureFixture[str], workplace: Project
) -> None:
    record = resolve(rotten.link) / "stage.json"
    record.write_text(content)
    commands.prune(workplace, "5GB", check=True)
    assert "(build/tiny/network): stage.json " in capsys.readouterr().out
