"""The dataset stage: ``dataset.npz`` with x_train, y_train, x_test, y_test."""

import msgspec

from pipeline.data.sources import AnySource
from pipeline.metrics import Metric
from pipeline.stage import Found, Stage, Work
from pipeline.tasks.classification import CLASSIFICATION as TASK
from pipeline.text.quantities import COUNT


class Config(msgspec.Struct, frozen=True, kw_only=True):
    """What it reads of the experiment."""

    dataset: AnySource


def make(work: Work[Config]) -> Found:
    """Get the data set, check it, and keep as many samples as were asked for.

    Raises:
        DataError: it can't be had or is not right.

    """
    from pipeline.data import advice

    source = work.config.dataset
    data, stand_in = source.read(work, TASK)
    all_classes = data.y_train
    data = data.kept(source.train_samples, source.test_samples)
    cut = f", of which dataset.train_samples = {source.train_samples} were kept" if source.train_samples else ""
    TASK.check(data, f"the data set{cut}")
    data.save(work.into)
    samples, steps, features = data.x_train.shape
    return Found(
        metrics={
            "dataset": stand_in or source.kind(),
            "train_samples": samples,
            "test_samples": len(data.x_test),
            "time_steps": steps,
            "features": features,
            "classes": data.classes,
        },
        warnings=[*advice.of_classes_left_out(data, all_classes), *advice.of_labels(data), *advice.of_features(data)],
        stand_in=stand_in,
    )


METRICS = (
    Metric(name="train_samples", title="training samples", quantity=COUNT, basis="measured", detail=True),
    Metric(name="test_samples", title="test samples", quantity=COUNT, basis="measured", detail=True),
    Metric(name="time_steps", title="time steps", quantity=COUNT, basis="measured", detail=True),
    Metric(name="features", title="features", quantity=COUNT, basis="measured", detail=True),
    Metric(name="classes", title="classes", quantity=COUNT, basis="measured", detail=True),
)

STAGE = Stage(
    name="dataset",
    summary="get the data set, check it, normalize it to [0, 1]",
    config=Config,
    make=make,
    metrics=METRICS,
    tools=("numpy", "scikit-learn", "scipy"),
)
