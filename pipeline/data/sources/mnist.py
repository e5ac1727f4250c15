"""``name = "mnist"``: the four IDX files, from this machine or from a public mirror."""

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

from msgspec import Meta

from pipeline.data.mnist_files import DOWNLOADS, FILES, file
from pipeline.data.source import Source
from pipeline.data.sources.digits import Digits

if TYPE_CHECKING:
    from pipeline.data.arrays import DataSet
    from pipeline.data.checks import Learner
    from pipeline.stage import Work


class Mnist(Source, frozen=True, kw_only=True, tag="mnist"):
    """MNIST: 70,000 handwritten digits of 28 x 28, from this machine or a public mirror."""

    ROWS: ClassVar[int | None] = 28
    PATHS: ClassVar[frozenset[str]] = frozenset({"path"})

    path: Annotated[Annotated[str, Meta(min_length=1)] | None, Meta(description="a folder with the four IDX files")] = (
        None
    )
    stand_in: Annotated[
        Literal["digits"] | None, Meta(description="what to use, and say so everywhere, when MNIST can't be had")
    ] = None

    def places(self, root: Path = Path()) -> list[Path]:
        """Return the folders that may hold the files, in the order in which they are asked.

        Args:
            root: of the project.

        """
        data = os.environ.get("UNROLL_DATA")
        return [root / place for place in (self.path, data and Path(data, "mnist"), DOWNLOADS) if place]

    def folder(self, root: Path = Path()) -> Path | None:
        """Return the first folder that holds all four files."""
        return next((folder for folder in self.places(root) if all(file(folder, name) for name in FILES)), None)

    def at_hand(self, root: Path) -> str | None:
        """Name the data set if its files are on this machine."""
        return self.kind() if self.folder(root) else None

    def read(self, work: "Work[Any]", learner: "Learner") -> "tuple[DataSet, str | None]":
        """Read MNIST from this machine or, if it is not here, from a public mirror; or its stand-in.

        Raises:
            DataError: a file is damaged, ``path`` does not hold MNIST, or no mirror could be reached in seconds and
                nothing may stand in.

        """
        from pipeline.data import mirrors, mnist
        from pipeline.data.arrays import DataError

        try:
            return mnist.read(self.folder(), self.path, work), None
        except mirrors.OfflineError as error:
            if self.stand_in:
                digits = Digits(train_samples=self.train_samples, test_samples=self.test_samples)
                return digits.read(work, learner)[0], digits.kind()
            looked = ", ".join(str(place) for place in self.places())
            message = (
                f"MNIST can't be had. Looked in: {looked}. Mirrors: {error}. Put the four IDX files into a folder and"
                ' name it as dataset.path, set UNROLL_DATA, or allow a stand-in: stand_in = "digits"'
            )
            raise DataError(message) from None
