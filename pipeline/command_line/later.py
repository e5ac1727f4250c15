"""Functions whose module is loaded when they are called: a doit with nothing to do owes most of them nothing."""

import inspect
from importlib import import_module
from typing import Any


class Later:
    """A function of a module that is loaded when it is called, or when doit looks at what it takes."""

    def __init__(self, module: str, function: str) -> None:
        """Take the module's dotted name and the function's name in it."""
        self._module = module
        self._name = function

    @property
    def _function(self) -> Any:
        return getattr(import_module(self._module), self._name)

    @property
    def __signature__(self) -> inspect.Signature:
        """Return what the function takes: doit passes on options by these names."""
        return inspect.signature(self._function)

    def __call__(self, *arguments: Any, **options: Any) -> Any:
        """Call the function."""
        return self._function(*arguments, **options)
