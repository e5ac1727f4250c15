"""The verify stage of a model that was made elsewhere: the same checks, and random inputs in place of a test set."""

from functools import partial

import msgspec

from pipeline.npu.section import Target
from pipeline.stage import Found, Stage, Work
from pipeline.verification.metrics import SAMPLES
from pipeline.verification.section import ImportedVerify


class Config(msgspec.Struct, frozen=True, kw_only=True):
    """What it reads of the experiment."""

    target: Target
    verify: ImportedVerify


def make(work: Work[Config]) -> Found:
    """Check every command of the compiled file, and let random inputs through them.

    What is not covered is a warning and never a guess. Where a check fails or a byte differs, the result says so
    instead of ending the stage: ``[verify] require`` decides what comes of it.
    Writes ``emulated.npz``: every input that went in, and every output that came out, by their places in the file.

    Raises:
        StreamError: the compiled file is damaged.
        CompileError: Vela, which tells what each command is for, failed.

    """
    from pipeline.verification import proving, random_inputs

    emulate = partial(random_inputs.emulate, work.inputs["quantized"], work.config.verify.samples, work)
    return proving.prove(work, work.config.target, random_inputs.OF_SAMPLES, emulate)


STAGE = Stage(
    name="verify",
    summary="prove by emulation, on random inputs, that the compiled file computes what the model does",
    config=Config,
    make=make,
    metrics=SAMPLES,
    needs=("quantized", "compiled"),
    provides="verified",
    tools=("ai-edge-litert", "ethos-u-vela", "numpy", "flatbuffers", "tflite-micro"),
)
