"""Which files of ours a stage runs: its module, what that imports, and so on.

A module that imports a package as a whole (``from pipeline.network import layers``) may run all that lies in it: that
is how kinds that register themselves are found. So may one that holds a module's name as a string, as in a table of
modules that are loaded when they are asked for. What a file names is remembered by the file's digest, so that a no-op
parses nothing.
"""

import os
from collections.abc import Iterator, Mapping
from functools import cached_property
from pathlib import Path

import msgspec

from pipeline.engine.digests.fingerprint import PACKAGE, FileHashes

ROOT = PACKAGE.name
INIT = "__init__"


class NamesByDigest:
    """What source files name, by their sha256; a memory that is missing or damaged only costs time."""

    def __init__(self, memory: Path, hashes: FileHashes) -> None:
        """Remember in the file ``memory``."""
        self._memory = memory
        self._hashes = hashes
        self._changed = False
        try:
            self._known = msgspec.json.decode(memory.read_bytes(), type=dict[str, list[str]])
        except (OSError, msgspec.MsgspecError):
            self._known = {}

    def names(self, path: Path, package: str) -> list[str]:
        """Return the dotted names of ours that a file of a package imports, or holds as strings."""
        sha256 = self._hashes.sha256(path)
        if sha256 not in self._known:
            self._known[sha256] = sorted(set(_named(path.read_text(encoding="utf-8"), package)))
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


def _modules(root: Path) -> Mapping[str, tuple[str, ...]]:
    """Return dotted name -> files relative to ``pipeline/``: of a module its own, of a package all that lie in it."""
    modules: dict[str, tuple[str, ...]] = {}
    for folder, folders, files in os.walk(root):
        folders.sort()
        inside = Path(folder).relative_to(root)
        package = ".".join((ROOT, *inside.parts))
        sources = tuple((inside / file).as_posix() for file in sorted(files) if file.endswith(".py"))
        if package != ROOT and sources:
            modules[package] = sources
        modules |= {
            f"{package}.{Path(source).stem}": (source,) for source in sources if not source.endswith(f"{INIT}.py")
        }
    return modules


class Sources:
    """Our sources as they are now, looked at once: whoever watches all day makes a new one to see them change."""

    def __init__(self, hashes: FileHashes, names: NamesByDigest, package: Path = PACKAGE) -> None:
        """Take what is remembered of files, and of what they name; ``package`` is the folder of ``pipeline``."""
        self._hashes = hashes
        self._names = names
        self._package = package
        self._imports: dict[str, tuple[str, ...]] = {}
        self._run_by: dict[str, tuple[str, ...]] = {}
        self._digests: dict[str, str] = {}

    @cached_property
    def _modules(self) -> Mapping[str, tuple[str, ...]]:
        return _modules(self._package)

    def run_by(self, start: str) -> tuple[str, ...]:
        """Return what a module runs of ours, itself included: files relative to ``pipeline/``, sorted.

        Args:
            start: dotted name of the module.

        """
        if start not in self._run_by:
            self._run_by[start] = tuple(sorted(self._closure(start)))
            self._names.save()
        return self._run_by[start]

    def digests(self, module: str) -> dict[str, str]:
        """Return ``pipeline/...`` -> sha256 of the files that a module runs."""
        return {f"{ROOT}/{source}": self.digest(source) for source in self.run_by(module)}

    def digest(self, source: str) -> str:
        """Return the sha256 of a file of ours, given relative to ``pipeline/``, as it was at the first look."""
        if source not in self._digests:
            self._digests[source] = self._hashes.sha256(self._package / source)
        return self._digests[source]

    def _closure(self, start: str) -> set[str]:
        seen: set[str] = set()
        todo = [*self._with_packages([start])]
        while todo:
            file = todo.pop()
            if file not in seen:
                seen.add(file)
                todo += self._imported_by(file)
        return seen

    def _imported_by(self, file: str) -> tuple[str, ...]:
        """Return the files that a file runs by what it names itself; looked up once, however many modules run it."""
        if file not in self._imports:
            names = self._names.names(self._package / file, ".".join((ROOT, *file.split("/")[:-1])))
            # Imported itself, or for a name that it defines; not only passed through on the way to a module in it.
            through = {name.rpartition(".")[0] for name in names if name in self._modules}
            through -= {name.rpartition(".")[0] for name in names if name not in self._modules}
            whole = (other for name in names if name not in through for other in self._modules.get(name, ()))
            self._imports[file] = tuple(dict.fromkeys([*self._with_packages(names), *whole]))
        return self._imports[file]

    def _with_packages(self, names: list[str]) -> Iterator[str]:
        """Yield the files that importing names runs: of every package on the way its ``__init__``, and the module."""
        for name in names:
            parts = name.split(".")
            for end in range(2, len(parts) + 1):
                files = self._modules.get(".".join(parts[:end]), ())
                yield from (file for file in files if len(files) == 1 or file.endswith(f"{INIT}.py"))
