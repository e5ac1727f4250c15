"""The installed packages, as far as a result depends on them: their versions, and whether one was exchanged meanwhile.

Nothing but the standard library is loaded here: a stage's process looks before it loads anything else.
"""

import contextlib
import os
import re
import sys
import time
from collections.abc import Iterable, Mapping

Look = Mapping[str, tuple[str, ...]]
"""Distribution -> its version, and what tells one installation of it from the next."""
MISSING = "missing"
_OURS = __name__.partition(".")[0]


def installed() -> dict[str, tuple[str, str]]:
    """Return distribution -> version and ``.dist-info`` folder, from the names of these folders.

    importlib.metadata would parse each tool's METADATA for it, a fifth of a no-op's time.
    """
    versions: dict[str, tuple[str, str]] = {}
    for folder in sys.path:
        try:
            names = os.listdir(folder or ".")
        except OSError:
            continue
        for name in names:
            if name.endswith(".dist-info"):
                distribution, _, version = name.removesuffix(".dist-info").partition("-")
                versions.setdefault(_normalized(distribution), (version, os.path.join(folder, name)))
    return versions


def _normalized(distribution: str) -> str:
    """Write a distribution's name as packaging.python.org's name normalization says."""
    return re.sub(r"[-_.]+", "-", distribution).lower()


def of_tool(tool: str, there: Mapping[str, tuple[str, str]]) -> tuple[str, str]:
    """Return version and ``.dist-info`` folder of a tool among the installed ones; ``missing`` if there is none.

    ``tensorflow-cpu`` counts as ``tensorflow``: the same version and results, built without CUDA.
    """
    return there.get(tool) or there.get(f"{tool}-cpu", (MISSING, ""))


def look(tools: Iterable[str] | None = None) -> Look:
    """Look at tools, or at all that is installed, so that a later look shows which was installed anew in between.

    Installers write RECORD last and take it away first; one that is written again is another file.
    """
    there = installed()
    if tools is None:
        return {name: _seen(*found) for name, found in there.items()}
    return {tool: _seen(*of_tool(tool, there)) for tool in tools}


def _seen(version: str, folder: str) -> tuple[str, ...]:
    for path in (os.path.join(folder, "RECORD"), folder):
        try:
            found = os.stat(path)
        except OSError:
            continue
        return version, path, str(found.st_ino), str(found.st_size), str(found.st_mtime_ns)
    return version, folder


class Watch:
    """Sees which packages change from now on; to be made before any of them is loaded."""

    def __init__(self) -> None:
        """Look at everything that is installed."""
        self.since = time.time_ns()
        """When it began, in nanoseconds since the epoch."""
        self._before = look()
        self._places = tuple(os.path.join(os.path.abspath(folder), "") for folder in sys.path)

    def changed(self, tools: Mapping[str, str]) -> list[str]:
        """Return what changed since, or was another version from the start.

        Args:
            tools: distribution -> the version that a result is to be made with.

        Returns:
            Names of tools, and of files of whatever package that were loaded and edited in place.

        """
        there = {tool: _seen(*of_tool(tool, installed())) for tool in tools}
        before = {tool: self._before.get(tool) or self._before.get(f"{tool}-cpu") for tool in tools}
        exchanged = [
            tool
            for tool, version in tools.items()
            if there[tool][0] != version or (version != MISSING and there[tool] != before[tool])
        ]
        return exchanged + self._edited()

    def _edited(self) -> list[str]:
        """Return the files of loaded modules that were written after the watch began.

        Only of what is installed: TensorFlow writes modules of its own making into the folder for temporary files.
        """
        edited = []
        for name, module in list(sys.modules.items()):
            path = getattr(module, "__file__", None)
            ours = name.partition(".")[0] == _OURS  # has its digests compared
            if ours or not isinstance(path, str) or not path.startswith(self._places):
                continue
            with contextlib.suppress(OSError):
                if os.stat(path).st_mtime_ns > self.since:
                    edited.append(path)
        return edited
