"""Every kind of bad entry that a shared store can hold: each is made of a good one."""

import json
import os
import shutil
import socket
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

from pipeline.engine.results.record import RECORD, name_of

Damage = Callable[[Path], object]
"""Makes a bad entry of a good one, whose folder it is given."""

GIBIBYTE = 2**30
SYSTEM_FILE = Path("/etc/passwd")


def flip_a_bit(path: Path, position: int = 0) -> None:
    """Flip one bit of a file, counted from its first one, as a worn disk does: nothing else of the file changes."""
    facts = path.stat()
    content = bytearray(path.read_bytes())
    content[position // 8] ^= 1 << position % 8
    path.chmod(0o644)
    path.write_bytes(content)
    path.chmod(facts.st_mode)
    os.utime(path, ns=(facts.st_atime_ns, facts.st_mtime_ns))


def artefact(entry: Path) -> Path:
    """Return the first artefact of an entry."""
    names: Iterable[str] = json.loads((entry / RECORD).read_text("utf-8"))["outputs"]
    return entry / min(names)


def forge(entry: Path, change: Callable[[dict[str, Any]], object], *, fitting: bool) -> Path:
    """Change what a record says, and the name of the entry so that it fits, if that is asked for."""
    document = json.loads((entry / RECORD).read_text("utf-8"))
    change(document)
    content = json.dumps(document).encode()
    (entry / RECORD).unlink()
    (entry / RECORD).write_bytes(content)
    return entry.rename(entry.with_name(name_of(entry.name.partition(".")[0], content))) if fitting else entry


def _describe(entry: Path) -> Callable[[dict[str, Any]], None]:
    """Return what lets a record declare the artefacts as they are now."""

    def describe(document: dict[str, Any]) -> None:
        from pipeline.engine.digests.fingerprint import FileHashes  # noqa: PLC0415 - with no memory of what the files were

        hashes = FileHashes(Path(os.devnull))
        for name, facts in document["outputs"].items():
            facts |= {"sha256": hashes.sha256(entry / name), "bytes": (entry / name).stat().st_size}

    return describe


def _replace(path: Path, make: Callable[[Path], object]) -> None:
    path.unlink()
    make(path)


def _sparse(path: Path, size: int = GIBIBYTE) -> None:
    """Write a file that takes no room and is long to read."""
    path.unlink(missing_ok=True)
    path.touch()
    os.truncate(path, size)


def _link_to_the_system(entry: Path) -> None:
    _replace(artefact(entry), lambda path: path.symlink_to(SYSTEM_FILE))
    forge(entry, _describe(entry), fitting=True)


def _link_to_its_own_bytes(entry: Path) -> None:
    path = artefact(entry)
    elsewhere = entry.parent / ".elsewhere"
    path.rename(elsewhere)
    path.symlink_to(elsewhere)


def _socket(path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as listener:
        here = Path.cwd()
        os.chdir(path.parent)  # the path of a socket may have 107 bytes
        listener.bind(path.name)
        os.chdir(here)


def _alter_and_describe(entry: Path) -> None:
    flip_a_bit(artefact(entry))
    forge(entry, _describe(entry), fitting=False)


def _renamed_artefact(name: str) -> Damage:
    def rename(document: dict[str, Any]) -> None:
        document["outputs"] = {name: next(iter(document["outputs"].values()))}

    return lambda entry: forge(entry, rename, fitting=True)


def _said(fitting: bool = True, **facts: Any) -> Damage:  # noqa: FBT001, FBT002 - the facts are the keywords
    return lambda entry: forge(entry, lambda document: document.update(facts), fitting=fitting)


def _declared(**facts: Any) -> Damage:
    def declare(document: dict[str, Any]) -> None:
        next(iter(document["outputs"].values())).update(facts)

    return lambda entry: forge(entry, declare, fitting=True)


def _of_other_inputs(entry: Path) -> None:
    def change(document: dict[str, Any]) -> None:
        document["inputs"]["tools"] = {"another": "1.0"}

    forge(entry, change, fitting=True)


def _with_content(content: bytes) -> Damage:
    """Return what writes another record, under a name that fits."""

    def write(entry: Path) -> None:
        (entry / RECORD).unlink()
        (entry / RECORD).write_bytes(content)
        entry.rename(entry.with_name(name_of(entry.name.partition(".")[0], content)))

    return write


def _record_alone(entry: Path) -> None:
    for path in entry.iterdir():
        if path.is_dir():
            shutil.rmtree(path)
        elif path.name != RECORD:
            path.unlink()
    _said(outputs={})(entry)


def _signature_as_artefact(entry: Path) -> None:
    artefact(entry).rename(entry / "signature")
    for path in entry.iterdir():
        if path.is_dir():
            shutil.rmtree(path)
    _renamed_artefact("signature")(entry)


def _link_to_the_entry(entry: Path) -> None:
    elsewhere = entry.with_name(".elsewhere")
    entry.rename(elsewhere)
    entry.symlink_to(elsewhere)


def _file_in_its_place(entry: Path) -> None:
    shutil.rmtree(entry)
    entry.write_text("no folder", encoding="utf-8")


def _emptied(entry: Path) -> None:
    shutil.rmtree(entry)
    entry.mkdir()


UNSIGNED: Mapping[str, Damage] = {
    "a bit of an artefact flipped": lambda entry: flip_a_bit(artefact(entry)),
    "a bit of the record flipped": lambda entry: flip_a_bit(entry / RECORD, 8 * 40),
    "altered bytes with a fitting digest in the record": _alter_and_describe,
    "forged metrics": _said(fitting=False, metrics={"accuracy": 1.0}),
    "no artefacts declared": _said(fitting=False, outputs={}),
    "no artefacts declared, under a fitting name": _said(outputs={}),
    "nothing but a record, under a fitting name": _record_alone,
    "a link to a system file, with fitting digest and name": _link_to_the_system,
    "a link to the right bytes": _link_to_its_own_bytes,
    "a record of another key": _said(key="0" * 32),
    "a record of other inputs": _of_other_inputs,
    "a record of another stage": _said(stage="accuracy"),
    "a record of another schema": _said(schema=99),
    "an extra file": lambda entry: (entry / "more").touch(),
    "an extra file of 1 GiB": lambda entry: _sparse(entry / "more"),
    "an extra hidden file": lambda entry: (entry / ".more").touch(),
    "an extra folder": lambda entry: (entry / "more").mkdir(),
    "an extra link": lambda entry: (entry / "more").symlink_to(SYSTEM_FILE),
    "an extra file with control codes in its name": lambda entry: (entry / "\x1b[2Jmore\n").touch(),
    "an artefact that is a named pipe": lambda entry: _replace(artefact(entry), os.mkfifo),
    "an artefact that is a socket": lambda entry: _replace(artefact(entry), _socket),
    "an artefact that is a folder": lambda entry: _replace(artefact(entry), Path.mkdir),
    "an artefact that is cut short": lambda entry: os.truncate(artefact(entry), 1),
    "an artefact that has 1 GiB": lambda entry: _sparse(artefact(entry)),
    "an artefact that is missing": lambda entry: artefact(entry).unlink(),
    "a declared size of 1 PiB": _declared(bytes=2**50),
    "a declared size below 0": _declared(bytes=-1),
    "a declared size that is no number": _declared(bytes="many"),
    "a declared digest that is none": _declared(sha256="../../../etc/passwd"),
    "a name that leaves the folder": _renamed_artefact("../../../evil"),
    "a name that is a whole path": _renamed_artefact("/etc/evil"),
    "a name with control codes": _renamed_artefact("\x1b[2Jevil"),
    "the record as an artefact of its own": _renamed_artefact(RECORD),
    "the signature as an artefact": _signature_as_artefact,
    "a name of 50,000 folders": _renamed_artefact("a/" * 50_000 + "a"),
    "a record that is missing": lambda entry: (entry / RECORD).unlink(),
    "a record that is empty": lambda entry: os.truncate(entry / RECORD, 0),
    "a record that is cut short": lambda entry: os.truncate(entry / RECORD, 100),
    "a record of 1 GiB": lambda entry: _sparse(entry / RECORD),
    "a record that is a named pipe": lambda entry: _replace(entry / RECORD, os.mkfifo),
    "a record that is a link": lambda entry: _replace(entry / RECORD, lambda path: path.symlink_to(SYSTEM_FILE)),
    "a record that is no JSON": _with_content(b"\xff\xfe not JSON"),
    "a record that is nested without end": _with_content(b'{"inputs":' + b"[" * 100_000),
    "an entry that is a link": _link_to_the_entry,
    "an entry that is a file": _file_in_its_place,
    "an entry that is empty": _emptied,
}
"""What is refused whoever made it, and removed where we may."""


def _forged_throughout(entry: Path) -> None:
    flip_a_bit(artefact(entry))
    forge(entry, _describe(entry), fitting=True)


def _under_another_name(entry: Path) -> None:
    artefact(entry).rename(entry / "other")

    def rename(document: dict[str, Any]) -> None:
        document["outputs"]["other"] = document["outputs"].pop(min(document["outputs"]))

    forge(entry, rename, fitting=True)


SIGNED: Mapping[str, Damage] = {
    "no signature": lambda entry: (entry / "signature").unlink(),
    "an empty signature": lambda entry: os.truncate(entry / "signature", 0),
    "a bit of the signature flipped": lambda entry: flip_a_bit(entry / "signature"),
    "a signature of 1 GiB": lambda entry: _sparse(entry / "signature"),
    "a signature that is a named pipe": lambda entry: _replace(entry / "signature", os.mkfifo),
    "a signature that is a link": lambda entry: _replace(
        entry / "signature", lambda path: path.symlink_to(SYSTEM_FILE)
    ),
    "forged metrics, under a fitting name": _said(metrics={"accuracy": 1.0}),
    "altered bytes, with fitting digest and name": _forged_throughout,
    "an artefact of another name, under a fitting name": _under_another_name,
}
"""What only the team's key finds: whoever may write to the store can make it."""
