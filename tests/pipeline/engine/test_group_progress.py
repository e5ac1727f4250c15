"""Many jobs as one bar: what who watches sees, and what the events tell."""

from typing import Any

import pytest

from pipeline.engine.build import Build
from pipeline.engine.group_progress import one_bar
from pipeline.engine.project import Project


@pytest.fixture
def watched(workplace: Project) -> tuple[Build, list[dict[str, Any]]]:
    """Return a build, and the events that who watches it is given."""
    build, seen = Build(workplace), list[dict[str, Any]]()
    build.watcher = seen.append
    return build, seen


def test_who_watches_sees_one_stage(watched: tuple[Build, list[dict[str, Any]]]) -> None:
    build, seen = watched

    with one_bar(build, "matrix", "tiny", "3 points to compile") as advance:
        build.watcher({"event": "stage_started", "stage": "vela"})
        advance(1, 3, what="u55-128")

    assert [event["event"] for event in seen] == ["stage_started", "stage_progress", "stage_done"]
    assert {(event["stage"], event["experiment"], event["target"]) for event in seen} == {("matrix", "tiny", None)}
    assert seen[0]["reasons"] == ["3 points to compile"]
    assert (seen[1]["done"], seen[1]["total"], seen[1]["what"]) == (1, 3, "u55-128")
    assert [event["event"] for event in build.project.events.follow().new()] == [event["event"] for event in seen]
    assert build.watcher == seen.append


def test_what_is_stopped_says_so(watched: tuple[Build, list[dict[str, Any]]]) -> None:
    build, seen = watched

    with pytest.raises(KeyboardInterrupt), one_bar(build, "matrix", "tiny", "3 points to compile"):
        raise KeyboardInterrupt

    assert (seen[-1]["event"], seen[-1]["message"]) == ("stage_failed", "stopped")
    assert build.watcher == seen.append
