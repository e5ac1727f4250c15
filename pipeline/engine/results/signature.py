"""The team's key, and what it signs: records of results that are shared, against those who may write to the store."""

import hashlib
import hmac
import os
from pathlib import Path

from pipeline.errors import UnrollError

SIGNATURE = "signature"
"""The file of a shared result that holds the signature of its record, which declares the digests of all else."""
MOST_BYTES = 4096
"""Of a key or of a signature."""
_LEAST_BYTES = 16
_PURPOSE = b"unroll: a result's record\n"
"""Signed as well, so that what the same key may sign elsewhere is no signature of a record."""


class SigningKeyError(UnrollError):
    """A key that can't be used, in a sentence."""


def team_key() -> bytes | None:
    """Return the key in the file that ``UNROLL_CACHE_KEY`` names, or None where it names none.

    Raises:
        SigningKeyError: the file can't be read, or is too short or too long for a key.

    """
    named = os.environ.get("UNROLL_CACHE_KEY")
    if not named:
        return None
    where = f"UNROLL_CACHE_KEY={named}"
    try:
        with Path(named).open("rb") as file:
            key = file.read(MOST_BYTES + 1).strip()
    except OSError as error:
        message = f"{where}: the team's key can't be read: {error.strerror}"
        raise SigningKeyError(message) from None
    if not _LEAST_BYTES <= len(key) <= MOST_BYTES:
        message = f"{where}: a key has {_LEAST_BYTES} to {MOST_BYTES:,} bytes (openssl rand -hex 32 makes one)"
        raise SigningKeyError(message)
    return key


def sign(key: bytes, record: bytes) -> bytes:
    """Return the signature of the bytes of a ``stage.json``: HMAC-SHA256 in hex digits, and a line's end."""
    return hmac.new(key, _PURPOSE + record, hashlib.sha256).hexdigest().encode() + b"\n"


def is_signed(key: bytes, record: bytes, signature: bytes) -> bool:
    """Tell whether this is the signature of the bytes of a ``stage.json``."""
    return hmac.compare_digest(sign(key, record), signature)
