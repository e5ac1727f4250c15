"""Our own sources as a stage's process loads them: what runs has the digests that the result's key is made of.

Python would compile a file that may have changed since it was hashed, or run what it compiled before of a file of the
same size and second. Here each file is read once, and its digest is that of the bytes that run.
Nothing but the standard library is loaded here: what is loaded before ``watch`` is not seen.
"""

import hashlib
import json
import os
import sys
from collections.abc import Mapping, Sequence
from importlib.machinery import ModuleSpec, PathFinder, SourceFileLoader
from pathlib import Path
from types import CodeType, ModuleType

PACKAGE = Path(__file__).parents[2]
_loaded: dict[str, str] = {}
"""``pipeline/...`` -> sha256 of the source that runs in this process."""

_ORDER = "UNROLL_ORDER"
"""The variable that tells the processes that a stage starts which order they work on."""
_MARK = "changed_sources"
"""The file beside the order in which they name what they could not load."""


class _Loader(SourceFileLoader):
    """Compiles what it has read, and remembers the digest of just that."""

    def get_code(self, fullname: str) -> CodeType:
        path = self.get_filename(fullname)
        source = self.get_data(path)
        _loaded[_name(path)] = hashlib.sha256(source).hexdigest()
        code: CodeType = compile(source, path, "exec", dont_inherit=True)
        return code


class _Finder:
    """Finds our sources where Python would, for one of these loaders."""

    def __init__(self, loader: type[_Loader]) -> None:
        self._loader = loader

    def find_spec(
        self, fullname: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if not fullname.startswith(f"{PACKAGE.name}."):
            return None
        spec = PathFinder.find_spec(fullname, path, target)
        if spec and spec.origin and isinstance(spec.loader, SourceFileLoader):
            spec.loader = self._loader(fullname, spec.origin)
        return spec


def _name(path: str) -> str:
    return f"{PACKAGE.name}/{Path(path).relative_to(PACKAGE).as_posix()}"


def watch() -> None:
    """Note from now on which sources of ours this process loads."""
    sys.meta_path.insert(0, _Finder(_Loader))


def changed(digests: Mapping[str, str], order: Path) -> list[str]:
    """Return those of the sources that ran with another content, here or in a process that this one started.

    Args:
        digests: ``pipeline/...`` -> the sha256 that the result's key is made of.
        order: the file that this process works on.

    """
    try:
        elsewhere = set(order.with_name(_MARK).read_text(encoding="utf-8").splitlines())
    except FileNotFoundError:
        elsewhere = set()
    return [name for name, sha256 in digests.items() if _loaded.get(name, sha256) != sha256 or name in elsewhere]


def let_children_join(order: Path) -> None:
    """Tell the processes that this one will start, as multiprocessing does, which order they work on."""
    os.environ[_ORDER] = str(order.resolve())


def join() -> None:
    """Have this process, which a stage started, load the sources of the stage's order or fail."""
    if _ORDER not in os.environ:
        return
    order = Path(os.environ[_ORDER])
    digests: Mapping[str, str] = json.loads(order.read_bytes())["source"]

    class Strict(_Loader):
        def get_code(self, fullname: str) -> CodeType:
            code = super().get_code(fullname)
            name = _name(self.path)
            if digests.get(name, _loaded[name]) != _loaded[name]:
                with order.with_name(_MARK).open("a", encoding="utf-8") as marks:
                    marks.write(f"{name}\n")
                message = f"{name} changed after the stage began"
                raise ImportError(message)
            return code

    sys.meta_path.insert(0, _Finder(Strict))
