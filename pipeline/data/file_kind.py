"""What a file is by its first bytes, for a user who named another one than was meant."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

HEAD_BYTES = 512
"""More than any of these kinds is told by."""
_MEMBER = slice(26, 30)
"""Of a zip file: the lengths of its first member's name, which begins at byte 30, and of what follows that."""
_NAME = 30


@dataclass(frozen=True, kw_only=True)
class FileKind:
    """What a file turned out to be."""

    name: str
    """With its article: ``an HDF5 file``."""
    remedy: str | None = None
    """What gets the file that was meant, where the kind says so."""


def mistaken(path: Path, content: bytes, wanted: str, otherwise: str) -> str:
    """Say what a file is in place of what was wanted, and what to do: ``otherwise``, if its kind says nothing better.

    Args:
        path: the file, as the user named it.
        content: its first ``HEAD_BYTES`` or more.
        wanted: what it should be, without an article.
        otherwise: what to do.

    """
    kind = recognised(content)
    if kind is None:
        return f"{path} is no {wanted}; {otherwise}"
    if kind.remedy:
        return f"{path} is {kind.name}: {kind.remedy}"
    return f"{path} is no {wanted} but {kind.name}; {otherwise}"


def recognised(content: bytes) -> FileKind | None:
    """Return what a file is by its first bytes, None when they tell nothing.

    Args:
        content: its first ``HEAD_BYTES`` or more.

    """
    head = content[:HEAD_BYTES]
    if not head:
        return FileKind(name="an empty file")
    for recognise in (_pointer, _signature, _zip_archive, _text):
        kind = recognise(head)
        if kind:
            return kind
    return None


_LFS = re.compile(rb"version https://(?:git-lfs|hawser)\.github\.com/spec/.*?\nsize (\d{1,18})\n", re.DOTALL)


def _pointer(head: bytes) -> FileKind | None:
    """Recognise what Git keeps in place of a large file."""
    if head.startswith(b"version https://git-lfs"):
        size = _LFS.match(head)
        of_size = f" of {int(size[1]):,} bytes" if size else ""
        return FileKind(name=f"a Git LFS pointer{of_size}", remedy="git lfs pull gets the file itself")
    if b"/annex/objects/" in head[:64]:
        return FileKind(name="a git-annex pointer", remedy="git annex get gets the file itself")
    return None


_SIGNATURES: tuple[tuple[int, bytes, str], ...] = (
    (0, b"\x89HDF\r\n\x1a\n", "an HDF5 file (Keras' .h5 is one)"),
    (4, b"TFL3", "a TensorFlow Lite model"),
    (0, b"\x93NUMPY", "a single NumPy array (.npy)"),
    (0, b"\x1f\x8b", "a gzip archive"),
    (0, b"BZh", "a bzip2 archive"),
    (0, b"\xfd7zXZ\0", "an xz archive"),
    (0, b"\x28\xb5\x2f\xfd", "a Zstandard archive"),
    (257, b"ustar", "a tar archive"),
    (0, b"MATLAB 5.0", "a MATLAB file (.mat)"),
    (0, b"PAR1", "a Parquet file"),
    (0, b"ARROW1", "an Arrow file"),
    (0, b"SQLite format 3\0", "a SQLite database"),
    (8, b"WAVE", "a WAV recording"),
    (0, b"\x89PNG", "a PNG picture"),
    (0, b"\xff\xd8\xff", "a JPEG picture"),
    (0, b"%PDF", "a PDF document"),
    (0, b"\0\0\x08\x01", "an IDX file of labels, as MNIST has"),
    (0, b"\0\0\x08\x03", "an IDX file of images, as MNIST has"),
    (0, b"\x7fELF", "a program"),
)
_PICKLE = re.compile(rb"\x80[\x02-\x05]")
_ONNX = re.compile(rb"\x08[\x03-\x1f]\x12[\x01-\x40][\x20-\x7e]")
"""Its version, then who made it."""


def _signature(head: bytes) -> FileKind | None:
    if _PICKLE.match(head):
        return FileKind(name="a Python pickle, which may run any code when it is loaded")
    if _ONNX.match(head):
        return FileKind(name="an ONNX model")
    return next((FileKind(name=name) for at, magic, name in _SIGNATURES if head.startswith(magic, at)), None)


_ARCHIVES: tuple[tuple[Callable[[str], bool], str], ...] = (
    (lambda name: name.endswith(".npy"), "a file of NumPy arrays (.npz)"),
    (lambda name: name in {"metadata.json", "config.json", "model.weights.h5"}, "a Keras model (.keras)"),
    (lambda name: name.endswith(("/data.pkl", "/byteorder", "/.format_version")), "a PyTorch file"),
    (lambda name: name == "[Content_Types].xml", "a document of Microsoft Office"),
)


def _zip_archive(head: bytes) -> FileKind | None:
    """Tell zip files apart by the name of their first member."""
    if not head.startswith(b"PK\x03\x04"):
        return None
    length = int.from_bytes(head[_MEMBER][:2], "little")
    name = head[_NAME : _NAME + length].decode(errors="replace")
    return FileKind(name=next((kind for fits, kind in _ARCHIVES if fits(name)), "a zip archive"))


_MARKUP = re.compile(r"\s*<(?:!doctype html|html|head|body)\b", re.IGNORECASE)


def _text(head: bytes) -> FileKind | None:
    try:
        text = head.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        if error.start < len(head) - 3 or not error.start:  # the last character may have been cut in two
            return None
        text = head[: error.start].decode("utf-8-sig")
    if not all(character.isprintable() or character.isspace() for character in text):
        return None
    if _MARKUP.match(text):
        return FileKind(name="a web page (HTML), such as a server sends in place of a file that it refuses")
    if text.lstrip()[:1] in {"{", "["}:
        return FileKind(name="a JSON file")
    lines = text.splitlines()
    separated = next(
        (name for mark, name in ((",", "commas"), (";", "semicolons"), ("\t", "tabs")) if mark in lines[0]), None
    )
    return FileKind(name=f"a table as text, with {separated} (CSV)" if separated else "a text file")
