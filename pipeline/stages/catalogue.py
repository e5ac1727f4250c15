"""The stages there are: a module each in this folder, and nothing else names one."""

import importlib
import pkgutil
from collections.abc import Mapping
from graphlib import TopologicalSorter
from pathlib import Path
from typing import Any

from pipeline.stage import Stage

AnyStage = Stage[Any]


def load() -> Mapping[str, AnyStage]:
    """Import every module of this folder; return the stages by module, in an order in which they can be made.

    Raises:
        ValueError: something is needed that no stage provides, or stages need each other.

    """
    names = (info.name for info in pkgutil.iter_modules([str(Path(__file__).parent)]))
    modules = (importlib.import_module(f"{__package__}.{name}") for name in names)
    stages = {module.__name__.rpartition(".")[2]: module.STAGE for module in modules if hasattr(module, "STAGE")}
    names_in_order = order(list(stages.values()))
    return dict(sorted(stages.items(), key=lambda item: names_in_order.index(item[1].name)))


def order(stages: list[AnyStage]) -> list[str]:
    """Return the names of stages, those that others need first, else by the alphabet.

    Raises:
        ValueError: something is needed that no stage provides, or stages need each other.

    """
    sorter: TopologicalSorter[str] = TopologicalSorter()
    for stage in stages:
        sorter.add(stage.name, *(other for need in stage.needs for other in _before(stage, need, stages)))
    sorter.prepare()
    names: list[str] = []
    while sorter.is_active():
        ready = sorted(sorter.get_ready())
        names += ready
        sorter.done(*ready)
    return names


def _before(stage: AnyStage, need: str, stages: list[AnyStage]) -> list[str]:
    """Return the names of the stages that provide what a stage needs and come before it."""
    providers = [other for other in stages if other.provides == need and other.name != stage.name]
    if not providers:
        message = f"{stage.module} needs {need!r}, which no stage provides"
        raise ValueError(message)
    first = [other for other in providers if need not in other.needs]
    return [other.name for other in (first if stage.provides == need else providers)]


STAGES = load()


def by_name() -> Mapping[str, AnyStage]:
    """Return one stage of each name, in the same order: of several, the one whose module has the name."""
    return {stage.name: STAGES.get(stage.name, stage) for stage in STAGES.values()}
