"""The tabs beside the list, one a module: a new module here is a new tab, and nothing else names it."""

import importlib
import pkgutil
from types import ModuleType

from tui.widgets.details_tab import DetailsTab


def load() -> tuple[type[DetailsTab], ...]:
    """Import every module of this package; return their tabs in the order of the tab bar."""
    modules = [importlib.import_module(f"{__name__}.{info.name}") for info in pkgutil.iter_modules(__path__)]
    return tuple(sorted((_tab(module) for module in modules), key=lambda tab: (tab.ORDER, tab.tab_id())))


def _tab(module: ModuleType) -> type[DetailsTab]:
    """Return the tab that a module defines.

    Raises:
        TypeError: it defines none, or several.

    """
    tabs = [
        member
        for member in vars(module).values()
        if isinstance(member, type) and issubclass(member, DetailsTab) and member.__module__ == module.__name__
    ]
    if len(tabs) != 1:
        message = f"{module.__name__} defines {len(tabs)} tabs: each module of {__name__} defines one"
        raise TypeError(message)
    return tabs[0]
