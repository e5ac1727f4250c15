"""A look at a recorded project, and how its stages stand."""

from tests.tui.recorded import NOW
from tui.data import formats
from tui.data.project import ProjectWatcher, Snapshot


def look(watcher: ProjectWatcher | None = None) -> Snapshot:
    watcher = watcher or ProjectWatcher(lambda: NOW)
    watcher.poll()
    watcher.assess()
    return watcher.snapshot()


def states(snapshot: Snapshot, name: str = "keyword") -> str:
    """Return the states of an experiment's stages, by their first letters where they stand for themselves."""
    facts = snapshot.experiment(name)
    assert facts is not None
    assert all(stage.state in formats.GLYPHS for stage in facts.stages)
    return " ".join(stage.state for stage in facts.stages)


def note(snapshot: Snapshot, name: str) -> str:
    stage = snapshot.stage(name)
    assert stage is not None
    return stage.note
