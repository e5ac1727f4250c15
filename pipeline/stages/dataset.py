"""The dataset stage: ``dataset.npz`` with x_train, y_train, x_test, y_test."""

import msgspec

from pipeline.data.sources import AnySource
from pipeline.stage import Found, Stage, Work


class Config(msgspec.Struct, frozen=True, kw_only=True):
    """What it reads of the experiment."""

    dataset: AnySource


def make(work: Work[Config]) -> Found:
    """Get the data set, check it, and keep as many samples as were asked for.

    Raises:
        DataError: it can't be had or is not right.

    """
    from pipeline.data import advice
    from pipeline.data.checks import check_classes

    source = work.config.dataset
    data, stand_in = source.read(work)
    all_classes = data.y_train
    data = data.kept(source.train_samples, source.test_samples)
    cut = f", of which dataset.train_samples = {source.train_samples} were kept" if source.train_samples else ""
    check_classes(data, f"the data set{cut}")
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


STAGE = Stage(
    name="dataset",
    summary="get the data set, check it, normalize it to [0, 1]",
    config=Config,
    make=make,
    tools=("numpy", "scikit-learn", "scipy"),
)
