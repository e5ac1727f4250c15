"""Read results again, every byte of them: what a disk lost shows in no size and no time of a file."""

from collections.abc import Iterable, Sequence
from pathlib import Path

import msgspec

from pipeline.engine.project import Project
from pipeline.engine.results.record import BrokenRecordError, damage, read_record
from pipeline.engine.results.store import resolve


class Damaged(msgspec.Struct, frozen=True, kw_only=True):
    """A result that is not what its record says."""

    result: str
    """Where it shows, or its folder in the store."""
    reason: str


class Rehashed(msgspec.Struct, frozen=True, kw_only=True):
    """What was read, and what of it is damaged."""

    results: int
    files: int
    """Artefacts."""
    bytes: int
    """Of all artefacts, as their records have them."""
    damaged: tuple[Damaged, ...]

    @property
    def sentence(self) -> str:
        """Say how much was read and how it was."""
        read = f"read {self.files} files of {self.results} results again, {self.bytes / 1e6:.1f} MB"
        return f"{read}: {len(self.damaged)} damaged" if self.damaged else f"{read}: all as recorded"


def shown(project: Project, experiments: Sequence[str] | None = None) -> Rehashed:
    """Read all that experiments show, of every experiment by default: stages, matrices and grids."""
    links = project.store.shown_links()
    mine = (link for link in links if experiments is None or link.relative_to(project.build).parts[0] in experiments)
    return _read(project, mine)


def remembered(project: Project) -> Rehashed:
    """Read all that the store holds."""
    return _read(project, sorted(path for path in project.store.folder.glob("*.*") if path.is_dir()))


def _read(project: Project, places: Iterable[Path]) -> Rehashed:
    project.hashes.read_again()
    results, sizes, damaged = 0, list[int](), list[Damaged]()
    for place in places:
        home = resolve(place)
        results += 1
        try:
            record = read_record(home)
            sizes += [int(facts["bytes"]) for facts in record.outputs.values()]
            reason = damage(home, record, project.hashes)
        except FileNotFoundError:
            reason = "it is not in the store any more"
        except (BrokenRecordError, OSError) as error:
            reason = str(error)
        if reason:
            damaged.append(Damaged(result=project.shown(place), reason=reason))
    return Rehashed(results=results, files=len(sizes), bytes=sum(sizes), damaged=tuple(damaged))
