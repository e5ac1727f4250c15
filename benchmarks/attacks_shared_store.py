"""Attack a shared store of real results: every kind of bad entry, and bits flipped in each of its files.

No bad entry may be believed, each must be told of in one line, a right result be made in its place, and the store give
that to the next machine without a word. Ends with exit code 1 where that is not so.
"""

import argparse
import contextlib
import os
import random
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from benchmarks.side_by_side import DOIT, environment, project, show
from pipeline.engine.results.shared_store import SharedStore
from tests.attacks.bad_entries import SIGNED, UNSIGNED, Damage, flip_a_bit

Contents = dict[str, bytes]
"""File of a result -> its bytes; of a store, with the name of the result before them."""

EXPERIMENTS = ("tiny", "tiny-1", "tiny-2")
BUILD = tuple(f"build:{name}" for name in EXPERIMENTS)
ATTACKED, LINK = "vela:tiny:u55-128", "build/tiny/vela/u55-128"
"""The task whose entry is made bad in every way: it takes the least time to make again."""
RESULTS = 21
SECOND_TARGET = """
[vela.targets.u55-64]
accelerator = "ethos-u55-64"
system_config = "Ethos_U55_High_End_Embedded"
memory_mode = "Shared_Sram"
"""
BITS_A_FILE = 8
SECRET = b"a secret of the team's"


@dataclass
class Tally:
    """What came of attacks of one sort."""

    attacks: int = 0
    believed: int = 0
    unsaid: int = 0
    """Not told of in exactly one line."""
    wrong: int = 0
    """What was made in its place has other bytes than the reference, or nothing was."""
    not_replaced: int = 0
    """The next machine does not get the right bytes from the store without a word."""

    @property
    def row(self) -> list[str]:
        """Return the figures for a table."""
        return [str(number) for number in (self.attacks, self.believed, self.unsaid, self.wrong, self.not_replaced)]

    @property
    def failed(self) -> bool:
        """Tell whether anything went wrong, or nothing was tried."""
        return not self.attacks or bool(self.believed or self.unsaid or self.wrong or self.not_replaced)


def main() -> None:
    """Run all attacks, and print what came of them."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, default=13, help="chooses the bits")
    tallies = attack(random.Random(parser.parse_args().seed))  # noqa: S311 - a choice, no secret
    columns = ["", "attacks", "believed", "not told in one line", "wrong in its place", "not replaced"]
    show("a shared store under attack", columns, [[name, *tally.row] for name, tally in tallies.items()])
    sys.exit(any(tally.failed for tally in tallies.values()))


def attack(chosen: random.Random) -> dict[str, Tally]:
    """Build three experiments into a store, attack copies of it, and return what came of each sort of attack."""
    with tempfile.TemporaryDirectory(prefix="unroll-shared-") as place, project() as checkout:
        key = Path(place, "team.key")
        key.write_bytes(SECRET)
        _write_experiments(checkout)
        unsigned, signed = Path(place, "unsigned"), Path(place, "signed")
        printed = _build(checkout, unsigned, *BUILD)
        print(f"{len(_entries(unsigned))} results in the store")
        if len(_entries(unsigned)) != RESULTS:
            sys.exit(f"there should be {RESULTS}:\n{printed}")
        warnings: list[str] = []
        for entry in _entries(unsigned):
            SharedStore(signed, SECRET, warnings.append).feed(checkout / "build" / ".store" / entry.name)
        if warnings:
            sys.exit("\n".join(warnings))
        return {
            "every kind of bad entry": _every_kind(checkout, unsigned, UNSIGNED),
            "every kind that only a key finds": _every_kind(checkout, signed, SIGNED, UNROLL_CACHE_KEY=str(key)),
            f"{BITS_A_FILE} bits in each file, one by one": _bits(checkout, unsigned, chosen),
            "a bit in every entry, all made again": _all_again(checkout, unsigned, chosen),
        }


def _write_experiments(checkout: Path) -> None:
    """Let three experiments share a data set; one has two targets."""
    folder = checkout / "experiments"
    text = (folder / "tiny.toml").read_text("utf-8")
    for path in folder.glob("*.toml"):
        path.unlink()
    for seed, name in enumerate(EXPERIMENTS):
        more = "" if seed else SECOND_TARGET
        seeded = text.replace("[training]", f"[training]\nseed = {seed}") + more
        (folder / f"{name}.toml").write_text(seeded, "utf-8")


def _every_kind(checkout: Path, store: Path, kinds: Mapping[str, Damage], **variables: str) -> Tally:
    """Make the entry of one result bad in every way, each time in a new copy of the store, and build."""
    tally = Tally()
    link = checkout / LINK
    home = link.resolve()
    reference, kept = _contents(home), home.rename(checkout / "build" / "kept")
    for name, damage in kinds.items():
        with _copy(store) as attacked:
            link.unlink(missing_ok=True)
            damage(attacked / home.name)
            printed = _build(checkout, attacked, ATTACKED, **variables)
            believed = f"restored  {ATTACKED}" in printed
            said = printed.count("warning: ") == printed.count("warning: a shared result is refused, ") == 1
            right = f"done      {ATTACKED}" in printed and _artefacts(_contents(link)) == _artefacts(reference)
            again = _fetched(attacked, home.name.partition(".")[0], variables.get("UNROLL_CACHE_KEY"))
            tally.attacks += 1
            tally.believed += believed
            tally.unsaid += not said
            tally.wrong += not right
            tally.not_replaced += again is None or _artefacts(again) != _artefacts(reference)
            if believed or not said or not right:
                print(f"NOT AS IT SHOULD BE: {name}\n{printed}")
            shutil.rmtree(link.resolve())
    kept.rename(home)
    _build(checkout, store, *BUILD)
    return tally


def _bits(checkout: Path, store: Path, chosen: random.Random) -> Tally:
    """Flip bits in each file of each entry, one at a time; the store's own code fetches, refuses and replaces."""
    tally = Tally()
    with _copy(store) as attacked:
        for entry in _entries(attacked):
            reference = _contents(entry)
            for name, content in reference.items():
                for _ in range(BITS_A_FILE):
                    flip_a_bit(entry / name, chosen.randrange(8 * len(content)))
                    warnings: list[str] = []
                    shared = SharedStore(attacked, None, warnings.append)
                    fetched = _fetch_all(shared, entry.name.partition(".")[0])
                    shared.feed(checkout / "build" / ".store" / entry.name)
                    tally.attacks += 1
                    tally.believed += fetched is not None
                    tally.unsaid += len(warnings) != 1
                    tally.not_replaced += _contents(entry) != reference
    return tally


def _all_again(checkout: Path, store: Path, chosen: random.Random) -> Tally:
    """Flip a bit in a file of every entry at once, and build everything on a machine that has nothing."""
    tally = Tally()
    reference = _shown(checkout)
    with _copy(store) as attacked:
        for entry in _entries(attacked):
            path = chosen.choice([path for path in entry.rglob("*") if path.is_file()])
            flip_a_bit(path, chosen.randrange(8 * path.stat().st_size))
        shutil.rmtree(checkout / "build")
        printed = _build(checkout, attacked, *BUILD)
        tally.attacks = len(_entries(store))
        # Two of three experiments restore the data set all the same: from this machine's store, where the first put it.
        tally.believed = tally.attacks - len(re.findall(r"^done  ", printed, re.MULTILINE))
        tally.unsaid = tally.attacks - printed.count("warning: a shared result is refused, ")
        tally.wrong = _differences(reference, _shown(checkout))
        shutil.rmtree(checkout / "build")
        printed = _build(checkout, attacked, *BUILD)
        made = len(re.findall(r"^done  ", printed, re.MULTILINE))
        tally.not_replaced = made + printed.count("warning: ") + _differences(reference, _shown(checkout))
    return tally


def _build(checkout: Path, store: Path, *tasks: str, **variables: str) -> str:
    """Let doit make tasks with a shared store; return what it printed. One that fails ends the campaign."""
    done = subprocess.run(
        [*DOIT, *tasks],
        cwd=checkout,
        env=environment(**variables) | {"UNROLL_CACHE": str(store)},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    if done.returncode or "Traceback" in done.stdout:
        sys.exit(f"doit {' '.join(tasks)} ended with exit code {done.returncode}:\n{done.stdout}")
    return done.stdout


@contextlib.contextmanager
def _copy(store: Path) -> Iterator[Path]:
    with tempfile.TemporaryDirectory(dir=store.parent) as folder:
        yield shutil.copytree(store, Path(folder, "attacked"))


def _entries(store: Path) -> list[Path]:
    return sorted(path for path in store.iterdir() if not path.name.startswith("."))


def _contents(folder: Path) -> Contents:
    files = (path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}


def _artefacts(contents: Contents) -> Contents:
    """Leave out what is another one each time: the record says when and in what time, and the signature is of that."""
    return {name: content for name, content in contents.items() if name not in {"stage.json", "signature"}}


def _fetched(store: Path, key: str, key_file: str | None) -> Contents | None:
    """Return what the next machine gets of a key without a word, or None."""
    warnings: list[str] = []
    contents = _fetch_all(SharedStore(store, Path(key_file).read_bytes() if key_file else None, warnings.append), key)
    return None if warnings else contents


def _fetch_all(shared: SharedStore, key: str) -> Contents | None:
    for name in shared.names(key):
        with tempfile.TemporaryDirectory() as folder:
            if shared.fetch(name, Path(folder, "result")):
                return _contents(Path(folder, "result"))
    return None


def _shown(checkout: Path) -> dict[str, Contents]:
    """Return the artefacts that the experiments show, by the path of their link."""
    links = (path for path in (checkout / "build").rglob("*") if path.is_symlink())
    return {os.path.relpath(link, checkout): _artefacts(_contents(link)) for link in links}


def _differences(reference: dict[str, Contents], shown: dict[str, Contents]) -> int:
    return sum(shown.get(link) != contents for link, contents in reference.items())


if __name__ == "__main__":
    main()
