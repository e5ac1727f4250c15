"""One stage in one process: ``python -m pipeline.engine.running.run STAGE EXPERIMENT [TARGET] --order FILE``.

The order is written by ``pipeline.engine.build`` and holds everything the stage may know: its part of
the experiment, the folders of the results it reads, the scratch folder it writes to, and the digests of all
that the result's key is made of. The names on the command line are there for whoever looks at the list of processes.

Only what lets this process see what it loads is imported here; ``pipeline.engine.running.work`` does the work.
"""

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from pipeline.engine.digests import loading, packages

_WATCH = packages.Watch()


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the stage; return 0 when it made its result."""
    from pipeline.engine.running import work  # noqa: PLC0415 - its sources count: see above

    parser = argparse.ArgumentParser(prog="python -m pipeline.engine.running.run", description=__doc__)
    parser.add_argument("names", nargs="+", metavar="STAGE EXPERIMENT [TARGET]")
    parser.add_argument("--order", type=Path, required=True, help="the JSON file written by the build")
    options = parser.parse_args(arguments)
    return work.carry_out(options.order, ":".join(options.names), _WATCH)


if __name__ == "__mp_main__":
    loading.join()

if __name__ == "__main__":
    loading.watch()
    code = main()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)  # the report is written; TensorFlow would take its time to take itself down
