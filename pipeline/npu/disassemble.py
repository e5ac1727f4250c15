"""``python -m pipeline.npu.disassemble FILE``: what a compiled model's commands do, as text.

A model of several graphs, or with operators on the CPU, has several command streams: each is listed in its place.
With ``--source``, commands are grouped by the operators of the quantized model. For that the model is
compiled again, with Vela's debug database, for the target in the ``stage.json`` beside the file.
"""

import argparse
import json
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import redirect_stdout
from io import StringIO
from pathlib import Path

import msgspec

from pipeline.emulator.errors import StreamError
from pipeline.emulator.machine import listing
from pipeline.emulator.proof import source
from pipeline.emulator.stream import debug_database, program
from pipeline.errors import UnrollError
from pipeline.npu import compiler, operators
from pipeline.npu.section import Target, Variant
from pipeline.text import tables

STAGE = "stage.json"


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the listing; return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m pipeline.npu.disassemble", description=__doc__)
    parser.add_argument("file", type=Path, help="a model that Vela compiled for an Ethos-U")
    parser.add_argument("--source", type=Path, help="the quantized model that was compiled")
    options = parser.parse_args(arguments)
    try:
        for line in _lines(options.file, options.source):
            print(tables.printable(line))  # noqa: T201 - what was asked for
    except BrokenPipeError:  # whoever reads has seen enough
        sys.stderr.close()
    except UnrollError as error:
        print(error, file=sys.stderr)  # noqa: T201 - what went wrong
        return 1
    except OSError as error:
        print(f"{error.filename}: {error.strerror}", file=sys.stderr)  # noqa: T201 - what went wrong
        return 1
    return 0


def _lines(compiled: Path, source_of: Path | None) -> Iterator[str]:
    """Return the listing of every command stream, with the operators on the CPU between them."""
    programs = program.programs(compiled)
    with program.damage_named(compiled):
        every = operators.operators(compiled)
    if source_of and len(programs) > 1:
        message = f"{compiled} has {len(programs)} command streams: of which a command is, Vela's database does not say"
        raise StreamError(message)
    groups = _groups(compiled, source_of) if source_of else {}
    if len(every) == 1:
        yield from listing.lines(programs[0], groups)
        return
    on_cpu = sum(not operator.on_npu for operator in every)
    graphs = len({operator.graph for operator in every})
    yield f"{len(programs)} command streams and {on_cpu} operators on the CPU, in {graphs} graph{'s' * (graphs > 1)}"
    following = iter(programs)
    for operator in every:
        where = f" (graph {operator.graph_name})" if graphs > 1 else ""
        yield ""
        if operator.on_npu:
            yield f"command stream{where}"
            yield from listing.lines(next(following), groups)
        else:
            yield f"on the CPU{where}: {operator.title} {operator.name}".rstrip()


def _groups(compiled: Path, quantized: Path) -> Mapping[int, str]:
    """Return the operators of each command, by its offset."""
    model, (target, variant) = source.load(quantized), _compiled_for(compiled)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        with redirect_stdout(StringIO()):
            copy = compiler.clustered(quantized, variant.clusters, folder) if variant else quantized
            again, _ = compiler.compile_model(copy, folder, target, debug_database.ARGUMENT)
        if again.read_bytes() != compiled.read_bytes():
            message = f"{quantized}, compiled for the target in {STAGE}, gives another file than {compiled}"
            raise StreamError(message)
        origins = debug_database.read(debug_database.beside(again))
    return {
        offset: " + ".join(str(model.operators[number]) for number in origin.operators)
        for offset, origin in origins.items()
    }


def _compiled_for(compiled: Path) -> tuple[Target, Variant | None]:
    path = compiled.parent / STAGE
    if not path.exists():
        message = f"--source needs {path}, which says what {compiled.name} was compiled for"
        raise StreamError(message)
    config = json.loads(path.read_text(encoding="utf-8"))["inputs"]["config"]
    return msgspec.convert((config["target"], config.get("variant")), tuple[Target, Variant | None])


if __name__ == "__main__":
    raise SystemExit(main())
