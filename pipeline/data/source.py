"""The seam of data sources: a module in ``data/sources/`` holds all that is known of one kind of ``[dataset]``."""

from typing import TYPE_CHECKING, Annotated, Any, ClassVar

from msgspec import Meta

from pipeline.section import Section

if TYPE_CHECKING:
    from pipeline.data.arrays import DataSet
    from pipeline.data.checks import Learner
    from pipeline.stage import Work

SamplesKept = Annotated[int, Meta(ge=1)]


class Source(Section, frozen=True, kw_only=True, tag_field="name"):
    """What to learn from. A kind is chosen by ``dataset.name``; its module loads libraries only when it is read."""

    ROWS: ClassVar[int | None] = None
    """Rows of a sample, where they are known before anything is read."""

    train_samples: Annotated[
        SamplesKept | None,
        Meta(description="use only so many training samples, of all classes and spread over the set"),
    ] = None
    test_samples: Annotated[
        SamplesKept | None, Meta(description="use only so many test samples, chosen in the same way")
    ] = None

    @classmethod
    def kind(cls) -> str:
        """Return what ``dataset.name`` calls it."""
        return str(cls.__struct_config__.tag)

    def read(self, work: "Work[Any]", learner: "Learner") -> "tuple[DataSet, str | None]":
        """Return the data set, and the kind that stands in for this one if it could not be had.

        Args:
            work: is told how far it is; nothing is written.
            learner: refuses targets of a user's that it can't learn.

        Raises:
            DataError: it can't be had, or is not right.

        """
        raise NotImplementedError
