"""The network stage: a network that is trained here; ``network.json`` and ``network.npz``."""

import msgspec

from pipeline.frontends.section import Model
from pipeline.stage import Found, Stage, Work
from pipeline.training.section import Training


class Config(msgspec.Struct, frozen=True, kw_only=True):
    """What it reads of the experiment."""

    model: Model
    training: Training


def make(work: Work[Config]) -> Found:
    """Train the network; the same seed on the same machine gives the same weights.

    Raises:
        StepsError: ``rows_per_step`` does not divide the rows of a sequence.
        TrainingError: the loss became NaN or infinite.

    """
    from pipeline.data import arrays
    from pipeline.frontends import built
    from pipeline.network import files
    from pipeline.training import train

    data = arrays.load(work.inputs["dataset"])
    _, rows, features = data.x_train.shape
    network = built.build(work.config.model, rows, features, data.classes)
    network.check()
    trained, metrics = train.train(network, data, work.config.training, work)
    files.save(trained, work.into)
    metrics["weights_bytes"] = (work.into / files.ARRAYS).stat().st_size
    return Found(
        metrics=metrics,
        basis={"training_loss": "measured", "training_accuracy": "measured", "weights_bytes": "measured"},
    )


STAGE = Stage(
    name="network",
    summary="train the network with Keras",
    config=Config,
    make=make,
    needs=("dataset",),
    tools=("tensorflow", "keras", "numpy"),
)
