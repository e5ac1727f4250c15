"""What a stage runs of ours is found by looking, and what is not found would be a stale result that is called fresh."""

from pathlib import Path

import pytest

from pipeline.engine.digests.fingerprint import FileHashes
from pipeline.engine.digests.sources import NamesByDigest, Sources
from pipeline.engine.project import Project
from pipeline.stages.catalogue import STAGES, AnyStage
from tests.conftest import ROOT

EVERY_STAGE = list(STAGES.values())


@pytest.fixture
def package(tmp_path: Path) -> Path:
    """Return the folder of a package of the test's own, in place of ours."""
    folder = tmp_path / "pipeline"
    folder.mkdir()
    return folder


def remembered(package: Path) -> NamesByDigest:
    """Return what is remembered of the package."""
    return NamesByDigest(package.with_name("imports.json"), FileHashes(package.with_name("hashes.json")))


def sources(package: Path) -> Sources:
    """Look at the package as it is now."""
    return Sources(FileHashes(package.with_name("hashes.json")), remembered(package), package)


def write(package: Path, **modules: str) -> None:
    """Write modules, ``__`` standing for a folder."""
    for name, text in modules.items():
        path = package.joinpath(*name.split("__")).with_suffix(".py")
        for folder in path.relative_to(package).parents:
            (package / folder).mkdir(exist_ok=True)
            (package / folder / "__init__.py").touch()
        path.write_text(text, encoding="utf-8")


def of(package: Path, module: str) -> set[str]:
    found = sources(package).run_by(f"pipeline.{module}")
    return {source for source in found if not source.endswith("__init__.py")}


@pytest.mark.parametrize(
    "line",
    [
        "import pipeline.other",
        "from pipeline import other",
        "from pipeline.other import thing",
        "from . import other",
        "from .other import thing",
        "def later():\n    from pipeline.other import thing",
        "import importlib\nTABLE = {'a': 'pipeline.other'}",
    ],
)
def test_however_a_module_is_imported_it_counts(package: Path, line: str) -> None:
    write(package, stage=line, other="from pipeline.deep.er import x", deep__er="", unused="")

    assert of(package, "stage") == {"stage.py", "other.py", "deep/er.py"}


def test_what_packages_run_on_the_way_counts(package: Path) -> None:
    write(package, stage="from pipeline.deep.er import x", deep__er="", helper="")
    (package / "deep" / "__init__.py").write_text("from pipeline import helper", encoding="utf-8")

    assert set(sources(package).run_by("pipeline.stage")) == {"stage.py", "deep/__init__.py", "deep/er.py", "helper.py"}


def test_a_package_that_is_imported_as_a_whole_counts_as_a_whole(package: Path) -> None:
    """Kinds that register themselves are found by their place in a folder."""
    lstm = "from pipeline import other"
    write(package, stage="from pipeline import layers", layers__gru="", layers__lstm=lstm, other="")
    assert of(package, "stage") == {"stage.py", "layers/gru.py", "layers/lstm.py", "other.py"}

    write(package, layers__conv="")

    assert "layers/conv.py" in of(package, "stage")


def test_a_package_from_which_a_name_is_taken_is_a_source_as_a_whole(package: Path) -> None:
    write(package, stage="from pipeline.layers import KINDS", layers__gru="", other="")
    (package / "layers" / "__init__.py").write_text("KINDS = load()", encoding="utf-8")

    assert of(package, "stage") == {"stage.py", "layers/gru.py"}


def test_of_a_package_that_is_only_passed_through_nothing_else_counts(package: Path) -> None:
    write(package, stage="from pipeline.layers.gru import GRU", layers__gru="", layers__lstm="")

    assert of(package, "stage") == {"stage.py", "layers/gru.py"}


def test_circles_end_and_what_is_not_ours_does_not_count(package: Path) -> None:
    write(package, stage="import json, numpy\nfrom pipeline import other", other="from pipeline import stage")

    assert of(package, "stage") == {"stage.py", "other.py"}


def test_a_module_that_changes_is_looked_at_again(package: Path) -> None:
    write(package, stage="", other="")
    assert of(package, "stage") == {"stage.py"}

    write(package, stage="import pipeline.other")

    assert of(package, "stage") == {"stage.py", "other.py"}


def test_what_was_learned_is_kept_and_a_damaged_memory_only_costs_time(tmp_path: Path, package: Path) -> None:
    write(package, stage="import pipeline.other", other="")
    sources(package).run_by("pipeline.stage")

    kept = remembered(package)
    kept._changed = False
    assert kept.names(package / "stage.py", "pipeline") == ["pipeline.other"]
    assert not kept._changed, "nothing was parsed again"

    (tmp_path / "imports.json").write_bytes(b"[1")
    assert remembered(package).names(package / "stage.py", "pipeline") == ["pipeline.other"]


@pytest.mark.parametrize("stage", EVERY_STAGE, ids=lambda stage: stage.module)
def test_the_sources_of_a_stage_are_there(workplace: Project, stage: AnyStage) -> None:
    ours = workplace.toolchain().sources.run_by(stage.module)
    assert f"{stage.module.replace('.', '/').removeprefix('pipeline/')}.py" in ours
    assert "errors.py" in ours
    assert all((ROOT / "pipeline" / source).is_file() for source in ours)


def test_kinds_that_register_themselves_are_sources_of_what_runs_them(workplace: Project) -> None:
    ours = workplace.toolchain().sources
    layers = {path.name for path in (ROOT / "pipeline/network/layers").glob("*.py")}

    unrolled = ours.run_by(STAGES["unrolled"].module)
    assert {Path(source).name for source in unrolled if "network/layers" in source} == layers
    assert {"lowering/plain.py", "lowering/guide.py"} <= set(unrolled)
    dataset = ours.run_by(STAGES["dataset"].module)
    assert {"data/sources/mnist.py", "data/sources/npz.py", "data/mnist.py", "data/mirrors.py"} <= set(dataset)
    assert not [source for source in dataset if "network" in source]
