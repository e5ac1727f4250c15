from pathlib import Path
from typing import Any

import pytest

from pipeline.engine.job_graph import Job
from pipeline.engine.project import Project
from pipeline.engine.results.record import NAME, RECORD, BrokenRecordError, Record, damage, name_of, read_record
from pipeline.engine.results.store import Store, resolve
from tests.pipeline.records import a_record

pytestmark = pytest.mark.smoke


@pytest.fixture
def store(workplace: Project) -> Store:
    """Return the store of a project in which nothing was built."""
    return workplace.store


def _publish(store: Store, job: Job, what: str, content: str, **facts: Any) -> Record:
    """Publish a result of other inputs for every ``what``; return the record that shows now."""
    with store.scratch_folder() as scratch:
        result = scratch / "result"
        result.mkdir()
        (result / "artefact").write_text(content)
        store.publish(result, a_record(what=what, outputs=store.describe_outputs(result), **facts), job.link)
    return read_record(job.link)


def _key(what: str, stage: str = "network") -> str:
    return a_record(what=what, stage=stage).key


def test_a_published_result_shows_under_its_link(jobs: dict[str, Job], workplace: Project, store: Store) -> None:
    job = jobs["network"]
    record = _publish(store, job, "key", "content")
    assert job.link.is_symlink()
    assert not job.link.readlink().is_absolute(), "else a container would not find it"
    assert (job.link / "artefact").read_text() == "content"
    assert read_record(job.link) == record
    assert damage(resolve(job.link), record, workplace.hashes) is None


def test_artefacts_are_read_only(jobs: dict[str, Job], store: Store) -> None:
    _publish(store, jobs["network"], "key", "content")
    assert (jobs["network"].link / "artefact").stat().st_mode & 0o222 == 0


def test_publishing_again_leaves_the_earlier_result_in_the_store(jobs: dict[str, Job], store: Store) -> None:
    job = jobs["network"]
    first = _publish(store, job, "first", "one")
    _publish(store, job, "second", "two")
    assert (job.link / "artefact").read_text() == "two"
    assert store.restore(first.key, job.link) == first
    assert (job.link / "artefact").read_text() == "one"


def test_the_same_result_made_twice_is_kept_once(jobs: dict[str, Job], store: Store) -> None:
    job = jobs["network"]
    _publish(store, job, "key", "same")
    home = resolve(job.link)
    _publish(store, job, "key", "same")
    assert resolve(job.link) == home
    assert len(list(store.folder.glob("*.*"))) == 1


def test_another_outcome_of_the_same_inputs_replaces_the_one_shown(jobs: dict[str, Job], store: Store) -> None:
    job = jobs["network"]
    _publish(store, job, "key", "one")
    _publish(store, job, "key", "other")
    assert (job.link / "artefact").read_text() == "other"


def test_a_damaged_result_is_neither_restored_nor_kept(jobs: dict[str, Job], workplace: Project, store: Store) -> None:
    job = jobs["network"]
    record = _publish(store, job, "key", "content")
    artefact = job.link / "artefact"
    artefact.chmod(0o644)
    artefact.write_text("edited!")
    assert damage(resolve(job.link), record, workplace.hashes) == "artefact was changed by hand"
    assert store.restore(_key("key"), job.link) is None
    assert store.find(_key("key")) is None


def test_publishing_over_a_damaged_twin_mends_it(jobs: dict[str, Job], store: Store) -> None:
    job = jobs["network"]
    _publish(store, job, "key", "content")
    artefact = job.link / "artefact"
    artefact.chmod(0o644)
    artefact.write_text("edited!")
    _publish(store, job, "key", "content")
    assert artefact.read_text() == "content"


def test_a_stand_in_is_not_restored_since_the_data_may_be_there_now(jobs: dict[str, Job], store: Store) -> None:
    _publish(store, jobs["dataset"], "key", "content", stage="dataset", stand_in="digits")
    assert store.restore(_key("key", "dataset"), jobs["dataset"].link) is None
    _publish(store, jobs["network"], "derived", "content", stage="network", stand_in="digits")
    assert store.restore(_key("derived"), jobs["network"].link) is not None


def test_a_store_is_read_without_what_can_not_be_read(jobs: dict[str, Job], store: Store) -> None:
    assert store.records() == [], "there is none yet"
    first = _publish(store, jobs["network"], "first", "one")
    second = _publish(store, jobs["network"], "second", "two")
    assert {record.key for record in store.records()} == {first.key, second.key}
    path = resolve(jobs["network"].link) / RECORD
    for content in ("", "{", "[]", '{"schema": 99}'):
        path.unlink()
        path.write_text(content)
        assert store.records() == [first]
    path.unlink()
    assert store.records() == [first]
    path.mkdir()
    assert store.records() == [first]


def test_scratch_folders_vanish_even_when_the_work_fails(jobs: dict[str, Job], store: Store) -> None:
    del jobs
    with pytest.raises(RuntimeError), store.scratch_folder() as scratch:  # noqa: PT012 - the context is what is tested
        (scratch / "half").write_text("half")
        raise RuntimeError
    assert not scratch.exists()


def test_pruning_forgets_the_least_recently_used_and_keeps_what_is_shown(jobs: dict[str, Job], store: Store) -> None:
    job = jobs["network"]
    for name in ("oldest", "middle", "shown"):
        _publish(store, job, name, name * 1000)
    assert store.restore(_key("oldest"), job.link)
    _publish(store, job, "shown", "shown" * 1000)
    size = sum(path.stat().st_size for path in store.folder.rglob("*") if path.is_file())
    freed, left = store.prune(size - 1)
    assert (freed > 0, freed + left) == (True, size)
    assert store.find(_key("middle")) is None, "it was used longest ago"
    assert store.find(_key("oldest")) is not None
    store.prune(0)
    assert store.find(_key("oldest")) is None
    assert (job.link / "artefact").exists()


def _home(job: Job) -> Path:
    return resolve(job.link)


def _rename(home: Path, name: str) -> Path:
    return home.rename(home.with_name(name))


def test_a_result_is_named_for_its_record(jobs: dict[str, Job], store: Store) -> None:
    record = _publish(store, jobs["network"], "key", "content")
    home = _home(jobs["network"])
    assert home.name == name_of(record.key, (home / RECORD).read_bytes())
    assert NAME.fullmatch(home.name)


def test_a_record_that_was_edited_is_neither_restored_nor_kept(jobs: dict[str, Job], store: Store) -> None:
    record = _publish(store, jobs["network"], "key", "content")
    path = _home(jobs["network"]) / RECORD
    path.write_bytes(path.read_bytes().replace(b'"seconds": 1.0', b'"seconds": 2.0'))
    with pytest.raises(BrokenRecordError, match=r"stage\.json was changed by hand"):
        read_record(_home(jobs["network"]))
    assert store.restore(record.key, jobs["network"].link) is None
    assert store.find(record.key) is None


@pytest.mark.parametrize("content", ["0123456789ab", None], ids=["0.1", "0.2"])
def test_a_result_of_another_key_is_neither_restored_nor_kept(
    jobs: dict[str, Job], content: str | None, store: Store
) -> None:
    job = jobs["network"]
    _publish(store, job, "one", "content")
    home = _home(job)
    wanted = _key("another")
    _rename(home, f"{wanted}.{content or home.name.partition('.')[2]}")
    assert store.restore(wanted, job.link) is None
    assert store.find(wanted) is None


def test_a_result_that_an_earlier_version_named_is_still_restored(jobs: dict[str, Job], store: Store) -> None:
    job = jobs["network"]
    record = _publish(store, job, "key", "content")
    _rename(_home(job), f"{record.key}.0123456789ab")
    job.link.unlink()
    assert store.restore(record.key, job.link) == record
    assert (job.link / "artefact").read_text() == "content"
    _publish(store, job, "key", "content")
    assert _home(job).name == f"{record.key}.0123456789ab", "it is not kept a second time"


def test_a_whole_result_is_restored_where_a_newer_one_is_damaged(jobs: dict[str, Job], store: Store) -> None:
    job = jobs["network"]
    first = _publish(store, job, "key", "one")
    _publish(store, job, "key", "two")
    artefact = job.link / "artefact"
    artefact.chmod(0o644)
    artefact.write_text("edited!")
    assert store.restore(first.key, job.link) == first
    assert (job.link / "artefact").read_text() == "one"


def test_results_that_differ_in_their_metrics_alone_are_two(jobs: dict[str, Job], store: Store) -> None:
    job = jobs["network"]
    _publish(store, job, "key", "content", metrics={"accuracy": 0.5})
    assert _publish(store, job, "key", "content", metrics={"accuracy": 0.6}).metrics == {"accuracy": 0.6}
    assert _publish(store, job, "key", "content", metrics={"accuracy": 0.6}, finished=9.0).finished == 0.0
    assert len(list(store.folder.glob("*.*"))) == 2
