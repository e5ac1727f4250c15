"""Call Vela on a quantized model for a target."""

from pathlib import Path

from pipeline.errors import UnrollError
from pipeline.npu import clustering, vela_process
from pipeline.npu.section import Target


class CompileError(UnrollError):
    """Vela could not compile the model."""


def clustered(quantized: Path, clusters: int, folder: Path) -> Path:
    """Return a copy of a model, in the folder, whose weights share so many values."""
    copy = folder / "clustered" / quantized.name
    copy.parent.mkdir()
    copy.write_bytes(clustering.clustered(quantized.read_bytes(), clusters))
    return copy


def compile_model(model: Path, into: Path, target: Target, *more: str) -> tuple[Path, str]:
    """Compile a model into an empty folder.

    Args:
        model: the quantized model.
        into: where Vela writes the compiled model and its reports.
        target: of the experiment.
        more: further arguments for Vela.

    Returns:
        The compiled model, and all that Vela printed.

    Raises:
        CompileError: Vela failed.
        ImportError: Vela, or what it needs, is missing.

    """
    arguments = [str(model), "--output-dir", str(into), "--config", "Arm/vela.ini"]
    if target.config:
        arguments += ["--config", str(Path(target.config).resolve())]
    arguments += ["--accelerator-config", target.accelerator, "--system-config", target.system_config]
    arguments += ["--memory-mode", target.memory_mode, "--optimise", target.optimise]
    code, printed = vela_process.run([*arguments, *more])
    print(printed)  # noqa: T201 - goes into the stage's log
    if code:
        last = (printed.strip().splitlines() or ["(it printed nothing)"])[-1]
        kind, _, what = last.partition(": ")
        if kind in ("ImportError", "ModuleNotFoundError"):
            raise ImportError(what)  # of the environment, not of the model
        how = f"exit code {code}" if code > 0 else f"signal {-code}"
        message = f"Vela failed ({how}): {last}"
        raise CompileError(message)
    compiled = next(into.glob("*_vela.tflite"), None)
    if compiled is None:
        message = "Vela ended without an error, but wrote no compiled model"
        raise CompileError(message)
    return compiled, printed
