"""The kinds of ``[dataset]``, one a module: a new module here is a new kind, and nothing else names it."""

import importlib
import pkgutil
from typing import TYPE_CHECKING, Union

from pipeline.data.source import Source


def load() -> tuple[type[Source], ...]:
    """Import every module of this package; return the sources that they define, by the modules' names."""
    modules = [importlib.import_module(f"{__name__}.{info.name}") for info in pkgutil.iter_modules(__path__)]
    return tuple(
        member
        for module in modules
        for member in vars(module).values()
        if isinstance(member, type) and issubclass(member, Source) and member.__module__ == module.__name__
    )


SOURCES = {source.kind(): source for source in load()}
"""By the name that ``dataset.name`` chooses them by."""

if TYPE_CHECKING:
    AnySource = Source
else:
    AnySource = Union[tuple(SOURCES.values())]  # noqa: UP007 - msgspec tells them apart by their tags
