import hashlib
import sys
from pathlib import Path

import pytest

from pipeline.engine.digests.fingerprint import FileHashes
from pipeline.engine.digests.sources import NamesByDigest, Sources
from pipeline.engine.project import Project
from pipeline.stages.catalogue import STAGES


def test_versions_of_tools(workplace: Project) -> None:
    toolchain = workplace.toolchain()
    assert toolchain.version("doit") == "0.37.0"
    assert toolchain.version("no-such-tool-at-all") == "missing"
    assert toolchain.version("tensorflow") == "2.21.0", "also where it is installed as tensorflow-cpu"
    assert toolchain.versions(("doit", "none")) == {"doit": "0.37.0", "none": "missing"}


def test_sources_are_named_from_the_root(workplace: Project) -> None:
    digests = workplace.toolchain().source_digests(STAGES["vela"].module)
    assert "pipeline/errors.py" in digests
    assert list(digests) == sorted(digests)


def test_sources_are_looked_at_anew_only_by_a_new_look(tmp_path: Path) -> None:
    package = tmp_path / "pipeline"
    (package / "stages").mkdir(parents=True)
    source = package / "stages" / "one.py"

    def look() -> Sources:
        hashes = FileHashes(tmp_path / "hashes.json")
        return Sources(hashes, NamesByDigest(tmp_path / "imports.json", hashes), package)

    source.write_text("1")
    first = look()
    before = first.digests("pipeline.stages.one")
    source.write_text("another")
    assert first.digests("pipeline.stages.one") == before
    assert look().digests("pipeline.stages.one") == {"pipeline/stages/one.py": hashlib.sha256(b"another").hexdigest()}


def test_a_tool_that_is_installed_meanwhile_is_seen_by_a_new_look(
    workplace: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "path", [str(tmp_path), *sys.path])
    toolchain = workplace.toolchain()
    assert toolchain.version("a-tool") == "missing"
    (tmp_path / "a_tool-1.0.dist-info").mkdir()
    assert toolchain.version("a-tool") == "missing"
    assert workplace.toolchain().version("a-tool") == "1.0"
    (tmp_path / "a_tool-1.0.dist-info").rename(tmp_path / "a_tool-2.0.dist-info")
    assert workplace.toolchain().version("a-tool") == "2.0"
