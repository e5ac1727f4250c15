"""Where things live, relative to the project's root, which is where doit runs."""

from pathlib import Path

EXPERIMENTS = Path("experiments")
BUILD = Path("build")
"""Everything that is made."""
STORE = BUILD / ".store"
"""Every result that is remembered; what ``build/<experiment>/`` shows are links into it."""
SCRATCH = STORE / "scratch"
DOWNLOADS = STORE / "downloads"
LOGS = BUILD / "logs"
