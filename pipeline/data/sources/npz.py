"""``name = "npz"``: the user's own arrays, in one file."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, ClassVar

from msgspec import Meta

from pipeline.data.source import Source

if TYPE_CHECKING:
    from pipeline.data.arrays import DataSet
    from pipeline.data.checks import Learner
    from pipeline.stage import Work


class Npz(Source, frozen=True, kw_only=True, tag="npz"):
    """Your own data: four arrays, `x_train`, `y_train`, `x_test` and `y_test`, in one file of `numpy.savez`."""

    path: Annotated[str, Meta(min_length=1, description="your `.npz` file")]
    PATHS: ClassVar[frozenset[str]] = frozenset({"path"})

    def own_files(self) -> Mapping[str, str]:
        """Return the file, by its own name."""
        return {Path(self.path).name: "path"}

    def read(self, work: "Work[Any]", learner: "Learner") -> "tuple[DataSet, None]":
        """Read and check the file.

        Raises:
            DataError: it is missing, no ``.npz``, holds Python objects, or fails a check.

        """
        from pipeline.data import npz

        del work
        return npz.read(Path(self.path), learner), None
