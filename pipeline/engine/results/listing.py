"""What a store holds, by key."""

import os
import time
from pathlib import Path

from pipeline.engine.digests.fingerprint import SETTLED_NS

_listed: dict[str, tuple[int, dict[str, list[Path]]]] = {}


def by_key(store: Path) -> dict[str, list[Path]]:
    """List a store by key; the list is kept while the folder does not change, since a search of many is slow.

    Raises:
        OSError: the store is not there, or can't be read.

    """
    changed = store.stat().st_mtime_ns
    when, listed = _listed.get(os.path.abspath(store), (0, {}))
    if when != changed:
        listed = {}
        for name in os.listdir(store):
            key, dot, _ = name.partition(".")
            if key and dot:
                listed.setdefault(key, []).append(store / name)
        if time.time_ns() - changed > SETTLED_NS:
            _listed[os.path.abspath(store)] = (changed, listed)
    return listed
