"""What can be wrong with a network."""

from collections.abc import Sequence

from pipeline.errors import UnrollError


class NetworkError(UnrollError):
    """A network that does not hold together; names every fault, each with its layer or value."""

    def __init__(self, faults: Sequence[str]) -> None:
        """Take the faults, a sentence each."""
        super().__init__("; ".join(faults))
        self.faults = tuple(faults)


class LayerError(UnrollError):
    """What is wrong with one layer, without its name, which the network puts in front."""
