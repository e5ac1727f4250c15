"""Artefacts that are read as JSON: one that is missing or damaged is a sentence, never a traceback."""

from pathlib import Path
from typing import Any

import msgspec

from pipeline.errors import UnrollError


class UnreadableError(UnrollError):
    """An artefact that is missing or damaged; the sentence names it."""


def read_json(path: Path, kind: Any) -> Any:
    """Read an artefact that must have a certain form.

    Raises:
        UnreadableError: it is missing, truncated or of another form.

    """
    try:
        return msgspec.json.decode(path.read_bytes(), type=kind)
    except OSError as error:
        message = f"{path} can't be read: {error.strerror}"
    except (msgspec.MsgspecError, UnicodeDecodeError):
        message = f"{path} is truncated or not ours"
    raise UnreadableError(message)
