"""The compressed stage: the network with cheaper weights, trained on; the same files as ``network``, and int8 codes."""

import msgspec

from pipeline.compression.section import Compress
from pipeline.stage import Found, Stage, Work
from pipeline.training.section import Training


class Config(msgspec.Struct, frozen=True, kw_only=True):
    """What it reads of the experiment."""

    training: Training
    compress: Compress


def make(work: Work[Config]) -> Found:
    """Prune weights, let the rest share values, and train on; the same seed gives the same weights.

    Raises:
        CompressError: a matrix is too small for that, or the loss became NaN or infinite.

    """
    from pipeline.compression import codes, fine_tune
    from pipeline.data import arrays
    from pipeline.network import files

    network, data = files.load(work.inputs["network"]), arrays.load(work.inputs["dataset"])
    compressed, matrices, metrics = fine_tune.compress(network, data, work.config.compress, work.config.training, work)
    files.save(compressed, work.into)
    arrays.save(work.into / codes.FILE, matrices)
    metrics["weights_bytes"] = (work.into / files.ARRAYS).stat().st_size
    return Found(
        metrics={**metrics, "matrices": {name: codes.described(matrix) for name, matrix in matrices.items()}},
        basis=dict.fromkeys(metrics, "measured"),
    )


STAGE = Stage(
    name="compressed",
    summary="prune the weights or let them share values, and train on: there if the experiment has [compress]",
    config=Config,
    make=make,
    needs=("dataset", "network"),
    provides="network",
    tools=("tensorflow", "keras", "numpy"),
)
