"""How long a stage's process spends importing: a stage loads its libraries when it begins to work, not before."""

import builtins
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any


class ImportClock:
    """Runs while the main thread is inside an import statement, however deep."""

    def __init__(self) -> None:
        """Begin with 0 seconds."""
        self.seconds = 0.0
        self._depth = 0

    @contextmanager
    def running(self) -> Iterator[None]:
        """Measure imports until the end of the block."""
        original, main = builtins.__import__, threading.main_thread()

        def timed(*arguments: Any, **keywords: Any) -> Any:
            if self._depth or threading.current_thread() is not main:
                return original(*arguments, **keywords)
            self._depth += 1
            started = time.monotonic()
            try:
                return original(*arguments, **keywords)
            finally:
                self._depth -= 1
                self.seconds += time.monotonic() - started

        builtins.__import__ = timed
        try:
            yield
        finally:
            builtins.__import__ = original
