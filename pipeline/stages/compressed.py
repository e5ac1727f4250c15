"""The compressed stage: the network with cheaper weights, trained on; the same files as ``network``, and int8 codes."""

import msgspec

from pipeline.compression.section import Compress
from pipeline.metrics import Metric
from pipeline.stage import Found, Stage, Work
from pipeline.text.quantities import NUMBER, SHARE, SIZE
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
    from pipeline import array_file
    from pipeline.compression import codes, fine_tune
    from pipeline.data import arrays
    from pipeline.network import files

    network, data = files.load(work.inputs["network"]), arrays.load(work.inputs["dataset"])
    compressed, matrices, metrics = fine_tune.compress(network, data, work.config.compress, work.config.training, work)
    files.save(compressed, work.into)
    array_file.save(work.into / codes.FILE, matrices)
    metrics["weights_bytes"] = (work.into / files.ARRAYS).stat().st_size
    return Found(
        metrics={**metrics, "matrices": {name: codes.described(matrix) for name, matrix in matrices.items()}},
        basis=dict.fromkeys(metrics, "measured"),
    )


METRICS = (
    Metric(name="training_loss", title="training loss", quantity=NUMBER, basis="measured", detail=True),
    Metric(name="training_accuracy", title="training accuracy", quantity=SHARE, basis="measured", detail=True),
    Metric(name="scores.before.accuracy", title="accuracy before", quantity=SHARE, basis="measured", detail=True),
    Metric(name="scores.float.accuracy", title="float accuracy", quantity=SHARE, basis="measured", detail=True),
    Metric(name="weights_bytes", title="trained weights", quantity=SIZE, basis="measured", detail=True),
)

STAGE = Stage(
    name="compressed",
    summary="prune the weights or let them share values, and train on: there if the experiment has [compress]",
    config=Config,
    make=make,
    metrics=METRICS,
    needs=("dataset", "network"),
    provides="network",
    tools=("tensorflow", "keras", "numpy"),
)
