"""What a network learns, one file a task. They are light to import: NumPy is loaded by what computes."""

from collections.abc import Mapping
from typing import Any

from pipeline.tasks.classification import CLASSIFICATION
from pipeline.tasks.task import Task

TASKS: Mapping[str, Task] = {task.name: task for task in (CLASSIFICATION,)}
"""Every task by name."""


def of_result(metrics: Mapping[str, Any]) -> Task:
    """Return the task of a result with scores, by its metrics; of a model that was made elsewhere nothing tells it."""
    return TASKS.get(metrics.get("task", ""), CLASSIFICATION)
