"""Draw the dashboard over what is built here as an SVG: ``python docs/dashboard.py OUT.svg [KEYS...]``."""

import asyncio
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))

from tests.tui.conftest import settled
from tui.app import Dashboard

SIZE = (124, 38)


async def draw(keys: list[str]) -> str:
    """Open the dashboard without a terminal, press keys, and return what it shows."""
    app = Dashboard()
    async with app.run_test(size=SIZE) as pilot:
        await settled(pilot)
        for key in keys:
            await pilot.press(key)
            await settled(pilot)
        return app.export_screenshot(title="Unroll")


if __name__ == "__main__":
    Path(sys.argv[1]).write_text(asyncio.run(draw(sys.argv[2:])), encoding="utf-8")
