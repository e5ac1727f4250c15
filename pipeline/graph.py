"""The graph: which stages there are, what each one reads, and the jobs an experiment asks for."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec

from pipeline.experiment import AnyExperiment, Imported
from pipeline.folders import BUILD, LOGS


class Stage(msgspec.Struct, frozen=True, kw_only=True):
    """A kind of result. Its function is ``make`` of ``module``."""

    name: str
    summary: str
    needs: tuple[str, ...]
    """Stages whose results it reads."""
    sections: tuple[str, ...]
    """Sections of the experiment it reads; nothing else in the file can make it stale."""
    tools: tuple[str, ...]
    """Distributions whose versions matter to the result."""
    sources: tuple[str, ...]
    """Files of ours that it runs, relative to ``pipeline/``; a test compares them with what it imports."""
    on_crash: str = ""
    """What the user should know when the process dies of a segmentation fault."""
    made_by: str = ""
    """Its module in ``pipeline.stages``, where that has not the stage's name."""

    @property
    def module(self) -> str:
        """Return the module of ``pipeline.stages`` that makes it."""
        return self.made_by or self.name


_KERAS = ("tensorflow", "keras", "numpy")
_SHARED = ("errors.py", "stages/__init__.py", "stages/contract.py")
_ARRAYS = ("data/__init__.py", "data/arrays.py")
_INFERENCE = ("stages/inference.py", *_ARRAYS)
_COMPRESSION = ("compression/__init__.py", "compression/codes.py")
_DEPLOYMENT = ("deployment/__init__.py", "deployment/names.py")

STAGES: Mapping[str, Stage] = {
    stage.name: stage
    for stage in (
        Stage(
            name="dataset",
            summary="get the data set, check it, normalize it to [0, 1]",
            needs=(),
            sections=("dataset",),
            tools=("numpy", "scikit-learn", "scipy"),
            sources=(
                *_SHARED,
                "stages/dataset.py",
                "data/__init__.py",
                "data/arrays.py",
                "data/digits.py",
                "data/mnist.py",
                "data/mirrors.py",
                "data/npz.py",
                "data/places.py",
                "folders.py",
            ),
        ),
        Stage(
            name="weights",
            summary="train the network with Keras",
            needs=("dataset",),
            sections=("model", "training"),
            tools=_KERAS,
            sources=(*_SHARED, "stages/weights.py", "stages/network.py", "stages/training.py", *_ARRAYS),
        ),
        Stage(
            name="compressed",
            summary="prune the weights or let them share values, and train on: there if the experiment has [compress]",
            needs=("dataset", "weights"),
            sections=("training", "compress"),
            tools=_KERAS,
            sources=(
                *_SHARED,
                "stages/compressed.py",
                "stages/network.py",
                "stages/training.py",
                *_ARRAYS,
                *_COMPRESSION,
                "compression/kernels.py",
            ),
        ),
        Stage(
            name="unrolled",
            summary="write every time step out with batch size 1, and prove that it computes the same",
            needs=("dataset", "weights"),
            sections=("model", "deployment"),
            tools=(*_KERAS, "ai-edge-litert", "flatbuffers"),
            sources=(
                *_SHARED,
                "stages/unrolled.py",
                "stages/network.py",
                *_INFERENCE,
                *_DEPLOYMENT,
                "deployment/cells.py",
                "deployment/graph.py",
                "deployment/weights.py",
                "deployment/writer.py",
            ),
        ),
        Stage(
            name="quantized",
            summary="full-integer post-training quantization, with one scale for each role",
            needs=("dataset", "unrolled"),
            sections=("deployment", "quantization"),
            tools=(*_KERAS, "ai-edge-litert", "flatbuffers", "litert-quantizer"),
            sources=(
                *_SHARED,
                "stages/quantized.py",
                "stages/guide.py",
                "stages/network.py",
                *_INFERENCE,
                *_COMPRESSION,
                "compression/matrices.py",
                *_DEPLOYMENT,
                "deployment/ranges.py",
                "deployment/rung.py",
                "deployment/rungs.py",
                "deployment/tied.py",
                "deployment/writer.py",
            ),
            on_crash=(
                "TFLiteConverter is known to crash while it calibrates a recurrent layer that is not unrolled"
                " (tensorflow issue 75140): build the deployment graph with batch size 1 and unroll=True,"
                " as the unrolled stage does."
            ),
        ),
        Stage(
            name="accuracy",
            summary="float and quantized accuracy over the whole test set",
            needs=("dataset", "unrolled", "quantized"),
            sections=(),
            tools=("ai-edge-litert", "numpy"),
            sources=(*_SHARED, "stages/accuracy.py", "stages/streaming.py", *_INFERENCE),
        ),
        Stage(
            name="vela",
            summary="compile for an Ethos-U with Vela; cycles, memory, operator placement",
            needs=("quantized",),
            sections=("vela",),
            tools=("ethos-u-vela",),
            sources=(
                *_SHARED,
                "stages/vela.py",
                *_COMPRESSION,
                "compression/matrices.py",
                "npu/__init__.py",
                "npu/clustering.py",
                "npu/compiled_file.py",
                "npu/constants.py",
                "npu/targets.py",
                "npu/vela_ini.py",
                "npu/vela_process.py",
                "npu/vela_report.py",
            ),
        ),
    )
}
"""Every stage by name, in an order in which they can be built."""

IMPORTED: Mapping[str, Stage] = {
    "quantized": Stage(
        name="quantized",
        summary="take a model that was made elsewhere, after a look at what is inside",
        needs=(),
        sections=("model",),
        tools=("ai-edge-litert", "flatbuffers"),
        sources=(*_SHARED, "stages/imported.py"),
        made_by="imported",
    ),
    "vela": STAGES["vela"],
}
"""The stages of a model that was made elsewhere: what reads ``quantized`` does not see the difference."""

COMPRESSED = "compressed"
"""The stage that only an experiment with ``[compress]`` has."""


class Job(msgspec.Struct, frozen=True, kw_only=True):
    """One stage of one experiment (and, for ``vela``, of one target)."""

    stage: Stage
    experiment: str
    target: str | None
    config: Mapping[str, Any]
    """The part of the experiment that the stage reads, defaults filled in."""
    needs: tuple["Job", ...]
    name: str
    """The doit task: ``<stage>:<experiment>`` or ``vela:<experiment>:<target>``."""
    link: Path
    """Where its result shows: ``build/<experiment>/<stage>[/<target>]``."""

    @property
    def log(self) -> Path:
        """What its process last wrote to stdout and stderr."""
        return LOGS / f"{self.name.replace(':', '.')}.log"


def stages(experiment: AnyExperiment) -> Mapping[str, Stage]:
    """Return the stages that an experiment asks for."""
    return IMPORTED if isinstance(experiment, Imported) else STAGES


def jobs(name: str, experiment: AnyExperiment) -> list[Job]:
    """Return the jobs of an experiment, each after those it needs.

    Without ``[compress]`` there is no job ``compressed``; with it, what reads the trained weights reads its weights.
    """
    made: dict[str, Job] = {}
    found = []
    for stage in stages(experiment).values():
        if stage.name == COMPRESSED and (isinstance(experiment, Imported) or experiment.compress is None):
            continue
        needs = tuple(made[need] for need in _needs(stage, made))
        for target, config in _configs(stage, experiment):
            words = [stage.name, name, target] if target else [stage.name, name]
            link = Path("/".join([str(BUILD), name, stage.name, *words[2:]]))
            job = Job(
                stage=stage,
                experiment=name,
                target=target,
                config=config,
                needs=needs,
                name=":".join(words),
                link=link,
            )
            made[stage.name] = job
            found.append(job)
    return found


def _needs(stage: Stage, made: Mapping[str, Job]) -> Sequence[str]:
    """Return the stages that a stage needs; the compressed weights, if there are any, take the place of ``weights``."""
    if COMPRESSED not in made:
        return stage.needs
    replaced = tuple(COMPRESSED if need == "weights" else need for need in stage.needs)
    return (*replaced, COMPRESSED) if stage.name == "quantized" else replaced


def _configs(stage: Stage, experiment: AnyExperiment) -> list[tuple[str | None, dict[str, Any]]]:
    """Return what a stage reads of an experiment: once, or once for each target."""
    if stage.name == "vela":
        return [(name, target.as_dict()) for name, target in experiment.vela.targets.items()]
    return [(None, {section: getattr(experiment, section).as_dict() for section in stage.sections})]
