"""The stages there are: what each one makes, reads and runs."""

from collections.abc import Mapping

import msgspec


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
    per_target: bool = False
    """Made once for each target, and not once for the experiment."""
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
_PROVING = (
    *_SHARED,
    "verdicts.py",
    "stages/proving.py",
    "stages/differing.py",
    "stages/emulated.py",
    "stages/micro.py",
    *_INFERENCE,
    *_COMPRESSION,
    "compression/matrices.py",
    "npu/__init__.py",
    "npu/clustering.py",
    "npu/compiler.py",
    "npu/vela_process.py",
    "npu/stream/__init__.py",
    "npu/stream/arithmetic.py",
    "npu/stream/checks.py",
    "npu/stream/commands.py",
    "npu/stream/container.py",
    "npu/stream/dataflow.py",
    "npu/stream/debug_database.py",
    "npu/stream/elements.py",
    "npu/stream/equivalence.py",
    "npu/stream/errors.py",
    "npu/stream/fast_weights.py",
    "npu/stream/feature_maps.py",
    "npu/stream/formulas.py",
    "npu/stream/gemmlowp.py",
    "npu/stream/hazards.py",
    "npu/stream/kernels.py",
    "npu/stream/known_differences.py",
    "npu/stream/lookup.py",
    "npu/stream/machine.py",
    "npu/stream/matches.py",
    "npu/stream/memory.py",
    "npu/stream/operands.py",
    "npu/stream/operations.py",
    "npu/stream/planning.py",
    "npu/stream/reach.py",
    "npu/stream/registers.py",
    "npu/stream/registers_u85.py",
    "npu/stream/source.py",
    "npu/stream/static_checks.py",
    "npu/stream/traces.py",
    "npu/stream/u55.py",
    "npu/stream/u85.py",
    "npu/stream/views.py",
    "npu/stream/weight_format.py",
    "npu/stream/weight_order.py",
    "npu/stream/weights.py",
    "npu/stream/whole_tables.py",
)

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
                "data/advice.py",
                "data/arrays.py",
                "data/checks.py",
                "data/digits.py",
                "data/file_kind.py",
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
            sources=(*_SHARED, "stages/weights.py", "stages/network.py", "stages/training.py", "steps.py", *_ARRAYS),
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
                "steps.py",
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
            summary="accuracy over the whole test set: float, quantized, and with TensorFlow Lite Micro",
            needs=("dataset", "unrolled", "quantized"),
            sections=(),
            tools=("ai-edge-litert", "tflite-micro", "numpy"),
            sources=(
                *_SHARED,
                "stages/accuracy.py",
                "stages/degradation.py",
                "stages/micro.py",
                "stages/streaming.py",
                "deployment/__init__.py",
                "deployment/rung.py",
                *_INFERENCE,
            ),
        ),
        Stage(
            name="vela",
            per_target=True,
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
                "npu/compiler.py",
                "npu/constants.py",
                "npu/operators.py",
                "npu/refusals.py",
                "npu/targets.py",
                "npu/vela_ini.py",
                "npu/vela_process.py",
                "npu/vela_report.py",
            ),
        ),
        Stage(
            name="verify",
            per_target=True,
            summary="prove by emulation that the compiled file computes what the quantized model does",
            needs=("dataset", "quantized", "accuracy", "vela"),
            sections=("vela", "verify"),
            tools=("ai-edge-litert", "ethos-u-vela", "numpy", "flatbuffers"),
            sources=(*_PROVING, "stages/verify.py"),
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
        sources=(*_SHARED, "stages/imported.py", "data/__init__.py", "data/file_kind.py"),
        made_by="imported",
    ),
    "vela": STAGES["vela"],
    "verify": Stage(
        name="verify",
        per_target=True,
        summary="prove by emulation, on random inputs, that the compiled file computes what the model does",
        needs=("quantized", "vela"),
        sections=("vela", "verify"),
        tools=("ai-edge-litert", "ethos-u-vela", "numpy", "flatbuffers", "tflite-micro"),
        sources=(*_PROVING, "stages/verify.py", "stages/verify_imported.py"),
        made_by="verify_imported",
    ),
}
"""The stages of a model that was made elsewhere: what reads ``quantized`` does not see the difference."""

COMPRESSED = "compressed"
"""The stage that only an experiment with ``[compress]`` has."""
