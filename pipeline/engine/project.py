"""A project: a folder with experiments, and all that is kept of what was built from them."""

from functools import cached_property
from pathlib import Path

from pipeline.engine.digests.fingerprint import FileHashes
from pipeline.engine.digests.sources import NamesByDigest
from pipeline.engine.digests.toolchain import Toolchain
from pipeline.engine.events import Events
from pipeline.engine.lock import Lock
from pipeline.engine.marks import Marks
from pipeline.engine.results.store import Store
from pipeline.folders import BUILD, EXPERIMENTS, LOGS, STORE


class Project:
    """Knows where things are and remembers what it read of them; one process may use several projects.

    Paths are relative to the working directory, as users know them, if that is the root. Of any other root they are
    absolute.
    """

    def __init__(self, root: Path = Path()) -> None:
        """Take a folder as root; nothing is read or made."""
        self.root = root if root == Path() else root.absolute()
        self.experiments = self.root / EXPERIMENTS
        self.build = self.root / BUILD
        self.logs = self.root / LOGS
        self.events = Events(self.build / "events.jsonl")
        self.lock = Lock(self.build)
        self.forgotten = Marks(self.build / ".forgotten")
        """Tasks that ``doit forget`` named: their results are made again."""
        self.ignored = Marks(self.build / ".ignored")
        """Tasks that ``doit ignore`` named: nothing happens to them."""

    @cached_property
    def hashes(self) -> FileHashes:
        """The sha256 of files, remembered."""
        return FileHashes(self.build / "hashes.json", self.root)

    @cached_property
    def store(self) -> Store:
        """Every result that is remembered."""
        return Store(self.root / STORE, self.hashes)

    @cached_property
    def _imports(self) -> NamesByDigest:
        return NamesByDigest(self.build / "imports.json", self.hashes)

    def toolchain(self) -> Toolchain:
        """Look at our sources and the installed tools as they are now."""
        return Toolchain(self.hashes, self._imports)

    def shown(self, path: Path) -> str:
        """Write a path as users know it: relative to the root, if it is within."""
        return path.relative_to(self.root).as_posix() if path.is_relative_to(self.root) else path.as_posix()
