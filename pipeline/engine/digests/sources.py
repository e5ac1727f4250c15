"""Which files of ours a stage runs: its module, what that imports, and so on.

A module that imports a package as a whole (``from pipeline.network import layers``) may run all that lies in it: that
is how kinds that register themselves are found. So may one that holds a module's name as a string, as in a table of
modules that are loaded when they are asked for. What a file names is remembered by the file's digest, so that a no-op
parses nothing.
"""

import os
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path

import msgspec

from pipeline.engine.digests.fingerprint import PACKAGE, file_hashes
from pipeline.folders import BUILD

ROOT = PACKAGE.name
INIT = "__init__"


class NamesByDigest:
    """What source files name, by their sha256; a memory that is missing or damaged only costs time."""

    def __init__(self, memory: Path) -> None:
        """Remember in the file ``memory``."""
        self._memory = memory
        self._changed = False
        try:
            self._known = msgspec.json.decode(memory.read_bytes(), type=dict[str, list[str]])
        except (OSError, msgspec.MsgspecError):
            self._known = {}

    def names(self, path: Path) -> list[str]:
        """Return the dotted names of ours that a file imports, or holds as strings."""
        sha256 = file_hashes().sha256(path)
        if sha256 not in self._known:
            self._known[sha256] = sorted(set(_named(path.read_text(encoding="utf-8"), _package(path))))
            self._changed = True
        return self._known[sha256]

    def save(self) -> None:
        """Write what was learned, if anything; a disk that refuses only costs time later."""
        if not self._changed:
            return
        scratch = self._memory.with_name(f"{self._memory.name}.{os.getpid()}")
        try:
            scratch.write_bytes(msgspec.json.encode(self._known))
            scratch.replace(self._memory)
        except OSError:
            scratch.unlink(missing_ok=True)
        self._changed = False


def _package(path: Path) -> str:
    return ".".join((ROOT, *path.relative_to(PACKAGE).parent.parts))


def _named(source: str, package: str) -> Iterator[str]:
    """Yield the dotted names below our root that a source imports or holds as a string; all that it could mean."""
    import ast  # noqa: PLC0415 - only a file that changed is parsed

    for node in ast.walk(ast.parse(source)):
        match node:
            case ast.Import():
                yield from (alias.name for alias in node.names if _is_ours(alias.name))
            case ast.ImportFrom():
                origin = node.module or ""
                if node.level:
                    above = package.split(".")[: len(package.split(".")) - node.level + 1]
                    origin = ".".join([*above, *([origin] if origin else [])])
                if _is_ours(origin):
                    yield origin
                    yield from (f"{origin}.{alias.name}" for alias in node.names)
            case ast.Constant(value=str(text)) if _is_ours(text) and " " not in text:
                yield text


def _is_ours(name: str) -> bool:
    return name == ROOT or name.startswith(f"{ROOT}.")


@cache
def names_by_digest() -> NamesByDigest:
    """Return the memory of this build folder."""
    return NamesByDigest(BUILD / "imports.json")


@cache
def _modules() -> Mapping[str, tuple[str, ...]]:
    """Return dotted name -> files relative to ``pipeline/``: of a module its own, of a package all that lie in it."""
    modules: dict[str, tuple[str, ...]] = {}
    for folder, folders, files in os.walk(PACKAGE):
        folders.sort()
        inside = Path(folder).relative_to(PACKAGE)
        package = ".".join((ROOT, *inside.parts))
        sources = tuple((inside / file).as_posix() for file in sorted(files) if file.endswith(".py"))
        if package != ROOT and sources:
            modules[package] = sources
        modules |= {
            f"{package}.{Path(source).stem}": (source,) for source in sources if not source.endswith(f"{INIT}.py")
        }
    return modules


@cache
def sources(start: str) -> tuple[str, ...]:
    """Return what a module runs of ours, itself included: files relative to ``pipeline/``, sorted.

    Args:
        start: dotted name of the module.

    """
    modules, memory = _modules(), names_by_digest()
    seen: set[str] = set()
    todo = [*_with_packages([start])]
    while todo:
        file = todo.pop()
        if file in seen:
            continue
        seen.add(file)
        imported = memory.names(PACKAGE / file)
        todo += _with_packages(imported)
        # Imported itself, or for a name that it defines; not only passed through on the way to a module in it.
        through = {name.rpartition(".")[0] for name in imported if name in modules}
        through -= {name.rpartition(".")[0] for name in imported if name not in modules}
        todo += [other for name in imported if name not in through for other in modules.get(name, ())]
    memory.save()
    return tuple(sorted(seen))


def _with_packages(names: list[str]) -> Iterator[str]:
    """Yield the files that importing some names runs: of every package on the way its ``__init__``, and the module."""
    modules = _modules()
    for name in names:
        parts = name.split(".")
        for end in range(2, len(parts) + 1):
            files = modules.get(".".join(parts[:end]), ())
            yield from (file for file in files if len(files) == 1 or file.endswith(f"{INIT}.py"))


def forget() -> None:
    """Look at our sources anew: who watches all day sees them change."""
    _modules.cache_clear()
    sources.cache_clear()
