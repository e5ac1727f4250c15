"""The network stage: a network that is trained here; ``network.json`` and ``network.npz``."""

import msgspec

from pipeline.frontends.section import Model
from pipeline.metrics import Metric
from pipeline.stage import Found, Stage, Work
from pipeline.text.quantities import COUNT, NUMBER, SHARE, SIZE
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


METRICS = (
    Metric(name="parameters", title="parameters", quantity=COUNT, basis="measured", detail=True),
    Metric(name="training_loss", title="training loss", quantity=NUMBER, basis="measured", detail=True),
    Metric(name="training_accuracy", title="training accuracy", quantity=SHARE, basis="measured", detail=True),
    Metric(name="weights_bytes", title="trained weights", quantity=SIZE, basis="measured", detail=True),
)

STAGE = Stage(
    name="network",
    summary="train the network with Keras",
    config=Config,
    make=make,
    metrics=METRICS,
    needs=("dataset",),
    tools=("tensorflow", "keras", "numpy"),
)
