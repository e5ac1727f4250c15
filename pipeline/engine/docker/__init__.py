"""The build inside Docker, asked for on the host: make the image when what goes into it changed, run tasks in it.

Only the ``docker`` command is used, so whatever it is set up to talk to (a context, a rootless engine) is talked to.
"""

import os


def inside() -> bool:
    """Tell whether this process runs in a container."""
    return os.path.exists("/.dockerenv") or "container" in os.environ
