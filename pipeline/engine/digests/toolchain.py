"""What stages are made with at one moment: our sources, and the installed tools."""

from collections.abc import Mapping
from functools import cached_property

from pipeline.engine.digests import packages
from pipeline.engine.digests.fingerprint import FileHashes
from pipeline.engine.digests.sources import NamesByDigest, Sources


class Toolchain:
    """Looks once; whoever watches all day makes a new one to see sources and tools change."""

    def __init__(self, hashes: FileHashes, names: NamesByDigest) -> None:
        """Take what is remembered of files, and of what our sources import."""
        self.sources = Sources(hashes, names)
        self._digests: dict[str, Mapping[str, str]] = {}
        self._versions: dict[tuple[str, ...], Mapping[str, str]] = {}

    @cached_property
    def _installed(self) -> Mapping[str, tuple[str, str]]:
        return packages.installed()

    def source_digests(self, module: str) -> Mapping[str, str]:
        """Return ``pipeline/...`` -> sha256 of what a module of ``pipeline.stages`` runs of ours."""
        if module not in self._digests:
            self._digests[module] = self.sources.digests(module)
        return self._digests[module]

    def version(self, tool: str) -> str:
        """Return the installed version of a distribution, ``missing`` if there is none."""
        return packages.of_tool(tool, self._installed)[0]

    def versions(self, tools: tuple[str, ...]) -> Mapping[str, str]:
        """Return distribution -> installed version."""
        if tools not in self._versions:
            self._versions[tools] = {tool: self.version(tool) for tool in tools}
        return self._versions[tools]
