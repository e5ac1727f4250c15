"""The experiment: one model, every choice written down in ``experiments/<name>.toml``.

It is read by ``pipeline.experiments.schema``; what is wrong with it becomes one line that names file, key,
value and remedy (the words are in ``pipeline.experiments.mistakes``).
"""

import re
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any, TypeVar

import msgspec
import tomli

from pipeline.data.steps import StepsError, parts
from pipeline.errors import UnrollError
from pipeline.experiments.schema import AnyExperiment, Experiment, Imported
from pipeline.folders import EXPERIMENTS
from pipeline.frontends.section import Model
from pipeline.npu.section import Target
from pipeline.npu.targets import ACCELERATORS, MEMORY_MODES, SYSTEM_CONFIGS, why_impossible
from pipeline.section import Section
from pipeline.text.nearest import did_you_mean

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pipeline.npu.vela_ini import VelaIni

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]*")
"""What experiments and targets may be called: they become doit task names and folders."""

TWIN = ".dense"
"""What is put behind the name of an experiment with ``[compress]`` to name the same without it: see ``payback``."""

Kind = TypeVar("Kind", bound="Section")


class ExperimentError(UnrollError):
    """One line: file, key, value, what is allowed."""


def names(folder: Path = EXPERIMENTS) -> list[str]:
    """List the experiments of a folder by name, sorted."""
    return sorted(path.stem for path in folder.glob("*.toml"))


def load(name: str, folder: Path = EXPERIMENTS) -> AnyExperiment:
    """Read and check ``<folder>/<name>.toml``.

    Raises:
        ExperimentError: one line that names file, key, value and remedy.

    """
    path = folder / f"{name}.toml"
    try:
        if not NAME.fullmatch(name):
            _fail("its name can't be a task's: use letters, digits, '.', '_' and '-'")
        if name.endswith(TWIN):
            _fail(f"a name that ends in {TWIN} is that of an experiment without its [compress]; give it another one")
        return _checked(_parse(path), folder.parent)
    except _Problem as problem:
        message = f"{path.as_posix()}: {problem}"
        raise ExperimentError(message) from None


def checked(document: dict[str, Any], root: Path = Path()) -> Experiment:
    """Check an experiment that no file holds, of a model that is trained here, given as JSON types.

    Paths in it start at ``root``, the project's.

    Raises:
        ExperimentError: one line that names key, value and remedy.

    """
    try:
        found = _checked(document, root)
        assert isinstance(found, Experiment)  # noqa: S101 - it names no model that was made elsewhere
        return found  # noqa: TRY300 - only here is it known to be one
    except _Problem as problem:
        raise ExperimentError(str(problem)) from None


def _mistakes() -> ModuleType:
    """Load the words for mistakes, which most runs never need."""
    from pipeline.experiments import mistakes  # noqa: PLC0415

    return mistakes


class _Problem(Exception):  # noqa: N818 - never leaves this module
    """What is wrong, before the file's name is put in front."""


def _fail(problem: str) -> None:
    raise _Problem(problem)


def _parse(path: Path) -> dict[str, Any]:
    try:
        return tomli.loads(path.read_text(encoding="utf-8-sig"))
    except FileNotFoundError:
        there = ", ".join(names(path.parent)) or "none"
        message = f"no such experiment; there are: {there}"
    except UnicodeDecodeError as error:
        message = f"is not UTF-8 text (byte {error.start}); save it as UTF-8"
    except OSError as error:
        message = f"can't be read: {error.strerror}"
    except tomli.TOMLDecodeError as error:
        message = f"is not valid TOML: {error}"
    except RecursionError:
        message = "is not valid TOML: brackets are nested too deeply"
    raise _Problem(message)


def _checked(document: dict[str, Any], root: Path) -> AnyExperiment:
    # Targets first and one by one: msgspec does not say which entry of a table is wrong.
    vela = document.get("vela")
    targets = vela.get("targets") if isinstance(vela, dict) else None
    for name, table in targets.items() if isinstance(targets, dict) else ():
        _check_target(["vela", "targets", name], _convert(table, Target, ["vela", "targets", name]), root)
    model = document.get("model")
    if isinstance(model, dict) and "tflite" in model:
        _refuse_training(document, model)
        return _convert(document, Imported, [])
    experiment = _convert(document, Experiment, [])
    for section in msgspec.structs.asdict(experiment).values():
        if isinstance(section, Section) and (problem := section.problem()):
            _fail(problem)
    _check_across(experiment)
    _check_steps(experiment)
    return experiment


def _convert(value: Any, kind: type[Kind], path: list[str]) -> Kind:
    try:
        return msgspec.convert(value, kind)
    except msgspec.ValidationError as error:
        document = Imported if kind is Imported else Experiment
        raise _Problem(_mistakes().explain(str(error), value, path, document)) from None


def _refuse_training(document: dict[str, Any], model: dict[str, Any]) -> None:
    """Refuse what would be read for a model that is trained here, beside one that was made elsewhere."""
    why = "model.tflite names a model that was made elsewhere, so nothing is trained or quantized here"
    for section in document:
        if section in Experiment.__struct_fields__ and section not in Imported.__struct_fields__:
            _fail(f"{section}: {why}; remove the table, or model.tflite")
    for key in model:
        if key in Model.__struct_fields__:
            _fail(f"model.{key}: {why}; remove the key, or model.tflite")


def _check_across(experiment: Experiment) -> None:
    """Check what no single section can show."""
    if experiment.compress is None and experiment.budget.compression_drop_max is not None:
        _fail("budget.compression_drop_max: there is no [compress] to lose accuracy by; remove the key")
    if experiment.deployment.graph == "keras" and experiment.quantization.activations == "int16":
        _fail(
            "quantization.activations = 'int16': TFLiteConverter's int16 is silently wrong for unrolled layers (11 %"
            ' accuracy on MNIST); set deployment.graph = "tied", or activations = "int8"'
        )


def _check_steps(experiment: Experiment) -> None:
    rows = experiment.dataset.ROWS
    if rows is None:
        return
    try:
        time_steps = parts("model.rows_per_step", experiment.model.rows_per_step, rows, "rows of the data set")
        wanted = experiment.deployment.steps_per_inference or time_steps
        parts("deployment.steps_per_inference", wanted, time_steps, "time steps of a sequence")
    except StepsError as error:
        _fail(str(error))


def _check_target(path: list[str], target: Target, root: Path) -> None:
    if not NAME.fullmatch(path[-1]):
        _fail_at(path, ": a target's name may hold letters, digits, '.', '_' and '-'")
    own = _own_ini(path, target, root)
    tables: dict[str, Mapping[str, Any]] = {
        "accelerator": ACCELERATORS,
        "system_config": own.systems if own else SYSTEM_CONFIGS,
        "memory_mode": own.modes if own else MEMORY_MODES,
    }
    for field, known in tables.items():
        value = getattr(target, field)
        if value not in known:
            _fail_at([*path, field], f" = {value!r}: {did_you_mean(value, list(known))}")
    if own:
        impossible = own.why_impossible(target.accelerator, target.system_config, target.memory_mode)
    else:
        impossible = why_impossible(target.accelerator, target.system_config, target.memory_mode)
    if impossible:
        _fail_at(path, f": {impossible}")


def _own_ini(path: list[str], target: Target, root: Path) -> "VelaIni | None":
    if target.config is None:
        return None
    from pipeline.npu import vela_ini  # noqa: PLC0415 - few experiments have one

    try:
        return vela_ini.read(root / target.config)
    except vela_ini.VelaIniError as error:
        _fail_at([*path, "config"], f" = {target.config!r}: {error}")
    return None


def _fail_at(path: list[str], problem: str) -> None:
    _fail(f"{_mistakes().dotted(path)}{problem}")
