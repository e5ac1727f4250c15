"""SOFTMAX: Vela makes many commands of 32 bits of it, without a weight in them, and tables of its own."""

from pipeline.emulator.proof.kinds import Kind, kind


@kind("SOFTMAX")
class Softmax(Kind):
    """What it computes depends on all elements of a row: only samples show it."""

    BY_SAMPLES = True
