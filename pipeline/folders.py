"""Where things live, relative to a project's root. doit runs there, and so does every stage."""

from pathlib import Path

EXPERIMENTS = Path("experiments")
BUILD = Path("build")
"""Everything that is made."""
STORE = BUILD / ".store"
"""Every result that is remembered; what ``build/<experiment>/`` shows are links into it."""
SCRATCH = STORE / "scratch"
DOWNLOADS = STORE / "downloads"
LOGS = BUILD / "logs"
