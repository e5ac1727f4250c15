"""textual-serve's web server, which here ends after the dashboards it started."""

import asyncio
import os
from time import monotonic

from aiohttp import web
from textual_serve.server import Server

LONGEST_END_SECONDS = 5.0
LOOK_SECONDS = 0.05


class WebServer(Server):
    """A server that waits for its children when it ends: asyncio complains of one that outlives the event loop."""

    async def _make_app(self) -> web.Application:
        app = await super()._make_app()
        app.on_cleanup.append(_until_children_ended)
        return app


async def _until_children_ended(app: web.Application) -> None:
    del app
    until = monotonic() + LONGEST_END_SECONDS
    while _has_children() and monotonic() < until:  # noqa: ASYNC110 - children set no event
        await asyncio.sleep(LOOK_SECONDS)
    await asyncio.sleep(LOOK_SECONDS)  # a child that is gone is told to the loop from a thread


def _has_children() -> bool:
    try:
        os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)
    except ChildProcessError:
        return False
    return True
