"""The verify stage: whether the compiled file computes what the quantized model does, without a board."""

from functools import partial

import msgspec

from pipeline.errors import UnrollError
from pipeline.npu.section import Target
from pipeline.stage import Found, Stage, Work
from pipeline.tasks.classification import CLASSIFICATION as TASK
from pipeline.tasks.task import scored
from pipeline.verification.metrics import SAMPLES
from pipeline.verification.section import Verify


class VerifyError(UnrollError):
    """The compiled file computes something else than the quantized model; the sentence says where."""


class Config(msgspec.Struct, frozen=True, kw_only=True):
    """What it reads of the experiment."""

    target: Target
    verify: Verify


def make(work: Work[Config]) -> Found:
    """Check every command of the compiled file, and let the test set through them.

    What is not covered is a warning and never a guess; a check that fails, or a byte that differs, ends the stage.
    Writes ``emulated.npz``: what came out for every sample, as the model stores it, states included, and which
    samples of the test set those are.

    Raises:
        VerifyError: a check failed, or an output differs from TensorFlow Lite Micro's.
        StreamError: the compiled file is damaged, or of another model.
        CompileError: Vela, which tells what each command is for, failed.

    """
    from pipeline.verification import proving, test_set

    emulate = partial(test_set.emulate, work.inputs, work.config.verify.samples, work)
    result = proving.prove(work, work.config.target, test_set.OF_SAMPLES, emulate)
    if result.metrics["failures"]:
        raise VerifyError(result.metrics["failures"][0])
    return result


STAGE = Stage(
    name="verify",
    summary="prove by emulation that the compiled file computes what the quantized model does",
    config=Config,
    make=make,
    metrics=(scored("compiled", TASK, "emulated"), *SAMPLES),
    needs=("dataset", "quantized", "accuracy", "compiled"),
    provides="verified",
    tools=("ai-edge-litert", "ethos-u-vela", "numpy", "flatbuffers"),
)
