"""The ways to write a network for the board, by the experiment's ``deployment.graph``; each is a module of its own."""

import importlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
import numpy.typing as npt

from pipeline.network.graph import Network
from pipeline.tflite.roles import Graph

Progress = Callable[[int, int], None]
"""Is given how much is done, and of how much."""


@dataclass(frozen=True, kw_only=True)
class Quantized:
    """A quantized model that a way made by itself."""

    model: bytes
    graph: Graph
    warnings: list[str]


Quantize = Callable[[Path, str, npt.NDArray[np.float32], Progress], Quantized]
"""Quantizes a file of a folder, shown samples of (samples, rows, features)."""


class Way(Protocol):
    """One way to write a network."""

    SAME_BYTES_HOWEVER_CUT: bool
    """Whether the results of a sequence do not depend on how many of its steps are one inference."""

    def write(self, network: Network, steps: Mapping[str, int], into: Path, *, state: bool) -> dict[str, Graph]:
        """Write float files into a folder.

        Args:
            network: what to write.
            steps: file name -> time steps of the network's inputs in one inference.
            into: the folder, which may also get what ``quantize`` wants to have.
            state: take and return the state.

        Returns:
            File name -> what its tensors are for.

        """

    quantize: Quantize | None
    """How it quantizes by itself; None if the ranges of ``pipeline.quantization`` are to be used."""


WAYS: Mapping[str, str] = {"tied": "pipeline.lowering.plain", "keras": "pipeline.lowering.guide"}
"""``deployment.graph`` -> its module, loaded only when it is asked for: one of them needs TensorFlow."""


def way(name: str) -> Way:
    """Return a way to write a network."""
    chosen: Way = importlib.import_module(WAYS[name]).WAY
    return chosen
