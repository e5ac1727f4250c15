"""What doit remembers of tasks is what its users told it, and nothing of what it finished."""

from pathlib import Path

import pytest
from doit.dependency import Dependency, JsonDB
from doit.task import Task

from pipeline.command_line.task_memory import CONFIG, TaskMemory
from pipeline.engine.project import Project


@pytest.fixture
def doits(workplace: Project) -> Dependency:
    """Return doit's own object, which asks and tells our memory."""
    dependencies = Dependency(JsonDB, str(workplace.root / CONFIG["dep_file"]))
    TaskMemory(workplace, {"network:tiny", "dataset:tiny"}).replace(dependencies)
    return dependencies


def test_what_is_forgotten_is_marked_and_a_group_has_nothing_to_forget(workplace: Project, doits: Dependency) -> None:
    doits.remove("network:tiny")
    doits.remove("build:tiny")
    assert workplace.forgotten.names() == {"network:tiny"}
    doits.remove_all()
    assert workplace.forgotten.names() == {"network:tiny", "dataset:tiny"}


def test_a_failure_forgets_nothing_and_a_success_is_no_record(workplace: Project, doits: Dependency) -> None:
    task = Task("network:tiny", None)
    doits.remove_success(task)
    doits.save_success(task)
    doits.close()
    assert workplace.forgotten.names() == frozenset()
    assert doits.get_values("network:tiny") == {}
    assert not (workplace.root / CONFIG["dep_file"]).exists(), "a no-op writes nothing"


def test_ignored_tasks_are_ignored_by_the_next_doit_until_they_are_forgotten(
    workplace: Project, doits: Dependency
) -> None:
    task = Task("build:tiny", None)
    doits.ignore(task)
    assert TaskMemory(workplace, ()).is_ignored(task)
    assert not TaskMemory(workplace, ()).is_ignored(Task("network:tiny", None))
    doits.remove("build:tiny")
    assert not TaskMemory(workplace, ()).is_ignored(task)


def test_every_method_that_is_replaced_is_one_that_doit_has(tmp_path: Path) -> None:
    dependencies = Dependency(JsonDB, str(tmp_path / "none"))
    before = set(dir(dependencies))
    TaskMemory(Project(tmp_path), ()).replace(dependencies)
    assert set(dir(dependencies)) == before
