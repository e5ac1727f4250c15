"""A project of one's own for each test, with real doit, real stages and real tools."""

import gc
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
from filelock import FileLock

ROOT = Path(__file__).parent.parent
os.environ.pop("UNROLL_CACHE", None)  # a store of the user's would bring back what a test wants made
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)  # hundreds of processes would compile our modules, each for itself
sys.dont_write_bytecode = False
LONG_FIXTURES = (
    "test_doitw",
    "pipeline/emulator/",
    "pipeline/npu/test_targets",
    "pipeline/views/pareto/test_answer",
    "pipeline/views/report/",
    "pipeline/views/matrix/test_answer",
    "pipeline/views/matrix/test_mlia",
)
Once = Callable[[str, Callable[[Path], object]], Path]
FEW_SAMPLES = ("train_samples = 2000", "train_samples = 200")
"""A change of ``tiny`` for who trains it and does not ask how well."""
MATRIX = "matrix.txt"
TINY = ("dataset", "network", "unrolled", "quantized", "accuracy", "vela", "verify")


def pytest_xdist_auto_num_workers() -> int:
    """Return one worker more than there are processors: tests wait for a part of their time."""
    return (os.cpu_count() or 1) + 1


@pytest.hookimpl(wrapper=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> Iterator[None]:
    """Let one worker have all tests of a module whose fixtures take long, to make them once; and begin with these.

    What builds the default experiment takes longest: begun last, it would leave the other processors idle.
    """
    for item in items:
        module = item.path.relative_to(ROOT / "tests").as_posix()
        if module.startswith(LONG_FIXTURES):
            item.add_marker(pytest.mark.xdist_group(module))
    yield
    items.sort(key=_place)


def _place(item: pytest.Item) -> int:
    """Return where a test stands: the longest first, then what is grouped, then all else, each as it was collected."""
    if item.path.name == "test_doitw.py":
        return 0
    return 1 if item.get_closest_marker("xdist_group") else 2


@pytest.fixture(scope="module", autouse=True)
def swift_collections() -> None:
    """Let the garbage collector pass over what is there already: TensorFlow's objects take it seconds each time."""
    gc.collect()
    gc.freeze()


@dataclass
class Project:
    """A copy of the product in a folder of its own."""

    folder: Path
    environment: dict[str, str] = field(default_factory=lambda: dict(os.environ))

    def doit(self, *arguments: str, check: int | None = 0, timeout: float = 300) -> str:
        """Run doit to its end; return what it printed, and expect an exit code."""
        running = self.start(*arguments)
        try:
            printed, _ = running.communicate(timeout=timeout)
        except subprocess.TimeoutExpired:
            os.killpg(running.pid, signal.SIGKILL)
            raise
        assert check is None or running.returncode == check, printed
        assert "Traceback" not in printed, printed
        return printed

    def run(self, *arguments: str) -> str:
        """Run doit to its end, however it ends; return what it printed, tracebacks included."""
        printed, _ = self.start(*arguments).communicate(timeout=600)
        return printed

    def out(self, *arguments: str, check: int | None = 0) -> str:
        """Run doit to its end; return only what it printed to its standard output."""
        done = subprocess.run(
            [sys.executable, "-m", "doit", *arguments],
            cwd=self.folder,
            env=self.environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert check is None or done.returncode == check, done.stdout + done.stderr
        return done.stdout

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        """Start doit in a session of its own, as a terminal does."""
        return subprocess.Popen(
            [sys.executable, "-m", "doit", *arguments],
            cwd=self.folder,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )

    def change(self, old: str, new: str, experiment: str = "tiny") -> None:
        """Replace text in an experiment file."""
        path = self.folder / "experiments" / f"{experiment}.toml"
        text = path.read_text(encoding="utf-8")
        assert old in text
        path.write_text(text.replace(old, new), encoding="utf-8")

    def status(self, *names: str) -> dict[str, dict[str, Any]]:
        """Return ``doit status --json`` by task name."""
        printed = self.doit("status", "--json", *(names or ("tiny",)), check=None)
        return {row["task"]: row for row in json.loads(printed)["stages"]}

    def states(self) -> dict[str, str]:
        """Return the state of tiny's stages by stage."""
        return {row["stage"]: row["state"] for row in self.status().values()}

    def events(self) -> list[dict[str, Any]]:
        """Return all events of this build folder."""
        path = self.folder / "build" / "events.jsonl"
        return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()] if path.exists() else []

    def wait_for(self, event: str, **facts: str) -> None:
        """Wait until an event with these facts was written after those there are now."""
        self.wait_until(lambda: any(_matches(seen, event, facts) for seen in self.events()[self._before :]))

    def mark(self) -> None:
        """Let ``wait_for`` look only at what comes from now on."""
        self._before = len(self.events())

    _before: int = 0

    @staticmethod
    def wait_until(true: Callable[[], bool], seconds: float = 60) -> None:
        """Wait for something to become true."""
        end = time.monotonic() + seconds
        while not true():
            assert time.monotonic() < end, "waited in vain"
            time.sleep(0.01)

    def stage_processes(self) -> list[int]:
        """Return the process numbers of stages at work in this project."""
        found = []
        for entry in Path("/proc").glob("[0-9]*"):
            try:
                words = (entry / "cmdline").read_bytes().split(b"\0")
                if {b"pipeline.engine.running.run", b"pipeline.engine.running.forking"} & set(words) and os.readlink(
                    entry / "cwd"
                ) == str(self.folder):
                    found.append(int(entry.name))
            except OSError:
                continue
        return found

    def results(self) -> dict[str, str]:
        """Return the sha256 of every artefact that is shown, read from the files themselves."""
        from pipeline.engine.digests.fingerprint import FileHashes  # noqa: PLC0415 - the fixture must not decide what is imported

        hashes = FileHashes(Path(os.devnull))
        build = self.folder / "build"
        shown = [*build.glob("*/*"), *build.glob("*/vela/*"), *build.glob("*/verify/*")]
        return {
            str(path.relative_to(build)): hashes.sha256(path)
            for link in shown
            if link.is_symlink()
            for path in sorted(link.iterdir())
            if path.name != "stage.json"
        }


def _matches(seen: dict[str, Any], event: str, facts: dict[str, str]) -> bool:
    return seen["event"] == event and all(seen.get(name) == value for name, value in facts.items())


def lay_out(folder: Path) -> Project:
    """Copy the product into a new folder, with two experiments and nothing built."""
    folder.mkdir(parents=True)
    shutil.copy2(ROOT / "dodo.py", folder)
    shutil.copytree(ROOT / "pipeline", folder / "pipeline")  # with bytecode, which knows a source by its times
    (folder / "experiments").mkdir()
    for name in ("mnist-gru", "tiny"):  # the default one, and one that takes seconds
        shutil.copy(ROOT / "experiments" / f"{name}.toml", folder / "experiments")
        if find_spec("tflite_micro") is None:  # then no byte can be compared on this machine
            with (folder / "experiments" / f"{name}.toml").open("a", encoding="utf-8") as file:
                file.write('\n[verify]\nrequire = "partly"\n')
    return Project(folder)


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """Return a project where nothing was built, under a path with a space and letters beyond ASCII."""
    return lay_out(tmp_path / "ein Prüfstand")


@pytest.fixture(scope="session")
def once(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Once:
    """Return what makes a folder by its name, once for all workers; nobody may change what is in it."""
    base = tmp_path_factory.getbasetemp()
    shared = base if worker_id == "master" else base.parent

    def make_once(name: str, make: Callable[[Path], object]) -> Path:
        folder = shared / name
        with FileLock(f"{folder}.lock"):
            if not (shared / f"{name}.made").exists():
                shutil.rmtree(folder, ignore_errors=True)
                make(folder)
                (shared / f"{name}.made").touch()
        return folder

    return make_once


@pytest.fixture(scope="session")
def template(once: Once) -> Path:
    """Build ``tiny``; return the project's folder, which nobody may change."""
    return once("template", lambda folder: lay_out(folder).doit("build:tiny"))


@pytest.fixture(scope="session")
def matrix_template(once: Once, template: Path) -> Path:
    """Build the matrix of ``tiny``, too; return the project's folder, where ``MATRIX`` is what was printed.

    Nobody may change what is in it.
    """

    def make(folder: Path) -> None:
        shutil.copytree(template, folder, symlinks=True)
        (folder / MATRIX).write_text(Project(folder).doit("matrix:tiny"), encoding="utf-8")

    return once("Prüfstand mit Matrix", make)


@pytest.fixture
def built(template: Path, tmp_path: Path) -> Iterator[Project]:
    """Return a project where ``tiny`` is built."""
    yield from _copied(template, tmp_path / "gebaut für Tests")


@pytest.fixture
def with_matrix(matrix_template: Path, tmp_path: Path) -> Iterator[Project]:
    """Return a project where ``tiny`` is built and compiled for every point of its matrix."""
    yield from _copied(matrix_template, tmp_path / "kompiliert für Tests")


def _copied(template: Path, folder: Path) -> Iterator[Project]:
    shutil.copytree(template, folder, symlinks=True)
    project = Project(folder)
    yield project
    for process in project.stage_processes():
        os.kill(process, signal.SIGKILL)
