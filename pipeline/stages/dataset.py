"""The dataset stage: ``dataset.npz`` with x_train, y_train, x_test, y_test."""

from pathlib import Path

from pipeline.contract import Found, Work
from pipeline.data import advice, mnist, npz
from pipeline.data.arrays import DataError, DataSet
from pipeline.data.mirrors import OfflineError
from pipeline.tasks.classification import CLASSIFICATION as TASK


def make(work: Work) -> Found:
    """Get the data set, check it, and keep as many samples as were asked for.

    Raises:
        DataError: it can't be had or is not right.

    """
    wanted = work.config["dataset"]
    data, stand_in = _get(work)
    all_classes = data.y_train
    data = data.kept(wanted["train_samples"], wanted["test_samples"])
    cut = f", of which dataset.train_samples = {wanted['train_samples']} were kept" if wanted["train_samples"] else ""
    TASK.check(data, f"the data set{cut}")
    data.save(work.into)
    samples, steps, features = data.x_train.shape
    return Found(
        metrics={
            "dataset": stand_in or wanted["name"],
            "train_samples": samples,
            "test_samples": len(data.x_test),
            "time_steps": steps,
            "features": features,
            "classes": data.classes,
        },
        warnings=[*advice.of_classes_left_out(data, all_classes), *advice.of_labels(data), *advice.of_features(data)],
        stand_in=stand_in,
    )


def _get(work: Work) -> tuple[DataSet, str | None]:
    """Return the data set, and the name of the stand-in if that is what it is."""
    wanted = work.config["dataset"]
    if wanted["name"] == "npz":
        return npz.read(Path(wanted["path"]), TASK), None
    if wanted["name"] == "digits":
        return _digits(work), None
    try:
        return mnist.read(work.config, work), None
    except OfflineError as error:
        if wanted["stand_in"]:
            return _digits(work), wanted["stand_in"]
        looked = mnist.where_looked(work.config)
        message = (
            f"MNIST can't be had. Looked in: {looked}. Mirrors: {error}. Put the four IDX files into a folder and"
            ' name it as dataset.path, set UNROLL_DATA, or allow a stand-in: stand_in = "digits"'
        )
        raise DataError(message) from None


def _digits(work: Work) -> DataSet:
    from pipeline.data import digits  # noqa: PLC0415 - scikit-learn takes a second that MNIST does not owe

    samples = work.config["dataset"]["train_samples"] or digits.TRAIN_IMAGES
    return digits.make(work, min(max(samples, digits.TRAIN_DIGITS), digits.TRAIN_IMAGES))
