"""``name = "digits"``: scikit-learn's handwritten digits, brought to MNIST's shape."""

from typing import TYPE_CHECKING, Any, ClassVar

from pipeline.data.source import Source

if TYPE_CHECKING:
    from pipeline.data.arrays import DataSet
    from pipeline.data.checks import Learner
    from pipeline.stage import Work


class Digits(Source, frozen=True, kw_only=True, tag="digits"):
    """Handwritten digits that ship in scikit-learn, brought to 28 x 28: nothing is downloaded."""

    ROWS: ClassVar[int | None] = 28

    def read(self, work: "Work[Any]", learner: "Learner") -> "tuple[DataSet, None]":
        """Make no more training images than are kept; the first of many are the same as those of fewer."""
        from pipeline.data import digits

        del learner
        samples = self.train_samples or digits.TRAIN_IMAGES
        return digits.make(work, min(max(samples, digits.TRAIN_DIGITS), digits.TRAIN_IMAGES)), None
