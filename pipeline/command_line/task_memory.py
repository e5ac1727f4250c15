"""What doit remembers of tasks between two runs: only what its users told it, ``doit forget`` and ``doit ignore``.

doit keeps a database of what it finished, which would be a second truth beside the records of the results. Whether a
stage is fresh, those alone decide; a failure takes nothing from the earlier result, which is still whole.
"""

from collections.abc import Collection
from typing import Any

from doit.dependency import Dependency
from doit.task import Task

from pipeline.engine.project import Project

CONFIG = {"backend": "json", "dep_file": "build/.doit"}
"""For ``DOIT_CONFIG``: of doit's databases, the one that opens no file which is not there. This one never is."""


class TaskMemory:
    """Takes the place of doit's database, by the methods of its own that doit calls."""

    def __init__(self, project: Project, jobs: Collection[str]) -> None:
        """Take the names of the tasks that make results."""
        self._project = project
        self._jobs = jobs
        self._ignored = project.ignored.names()

    def replace(self, dependencies: Dependency) -> None:
        """Have doit ask and tell this memory in place of its database."""
        dependencies.remove = self.forget
        dependencies.remove_all = self.forget_all
        dependencies.remove_success = _nothing
        dependencies.save_success = _nothing
        dependencies.ignore = self.ignore
        dependencies.status_is_ignore = self.is_ignored
        dependencies.close = _nothing

    def forget(self, name: str) -> None:
        """Have a task's result made again, and end that it is ignored."""
        self._project.ignored.remove(name)
        if name in self._jobs:
            self._project.forgotten.add(name)

    def forget_all(self) -> None:
        """Have every result made again, and end that tasks are ignored."""
        for name in {*self._project.ignored.names(), *self._jobs}:
            self.forget(name)

    def ignore(self, task: Task) -> None:
        """Have nothing happen to a task from now on."""
        self._project.ignored.add(task.name)

    def is_ignored(self, task: Task) -> bool:
        """Tell whether nothing is to happen to a task."""
        return task.name in self._ignored


def _nothing(*_arguments: Any, **_keywords: Any) -> None:
    """Keep nothing: the records of the results say what is finished."""
