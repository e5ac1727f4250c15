"""``python -m tui``: the dashboard, in the terminal, once as text, or in a browser."""

import argparse
import os
import sys

from pipeline.errors import UnrollError
from pipeline.folders import EXPERIMENTS


def main(arguments: list[str] | None = None) -> int:
    """Open the dashboard; return the exit code."""
    options = _options(arguments)
    if not EXPERIMENTS.is_dir():
        print(f"there is no {EXPERIMENTS}/ here: start the dashboard in the project's folder", file=sys.stderr)  # noqa: T201
        return 2
    try:
        if options.serve:
            from tui.serve import serve  # noqa: PLC0415 - each way loads only what it needs

            serve(options.host, options.port, options.public_url)
            return 0
        if options.once:
            from tui import once  # noqa: PLC0415

            return once.main()
        in_browser = "TEXTUAL_DRIVER" in os.environ  # set by textual-serve
        if not in_browser and not (sys.stdin.isatty() and sys.stdout.isatty()):
            print("this is no terminal: --once prints the same as text, --serve opens it in a browser", file=sys.stderr)  # noqa: T201
            return 2
        from tui.app import Dashboard  # noqa: PLC0415

        Dashboard().run()
    except UnrollError as error:
        print(f"dashboard: {error}", file=sys.stderr)  # noqa: T201
        return 1
    return 0


def _options(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="./doitw dashboard", description="Stages, accuracy and NPU cost, live.")
    how = parser.add_mutually_exclusive_group()
    how.add_argument("--once", action="store_true", help="print everything as plain text and end")
    how.add_argument("--serve", action="store_true", help="open it in a browser; each tab is a dashboard of its own")
    parser.add_argument("--host", default="127.0.0.1", help="address to serve on; whoever reaches it can run builds")
    parser.add_argument("--port", type=int, default=8000, help="port to serve on")
    parser.add_argument("--public-url", help="how browsers reach it, when that is not http://HOST:PORT")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main())
