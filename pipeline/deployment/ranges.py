"""Which range of real numbers each role gets: seen in float inference, fixed by a function, or chosen.

A tensor's *tie* is what it shares its scale and zero point with: its layer and role, at every time
step. Views (slices, reshapes, concatenations) belong to the tie of what they show.
"""

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from pipeline.deployment.names import parse
from pipeline.errors import UnrollError

Values = npt.NDArray[np.float32]
INT8 = 8
MOST_VALUES = 1 << 19
"""Values of a tie that are kept to choose and judge its range; of more, an even selection."""
SEED = 20_261_128
"""Of where each selection begins: always at the first value, every fourth one would be of the same units."""
CANDIDATES = 60
"""Ranges that the MSE choice tries, from a twentieth of what was seen to all of it."""


class RangeError(UnrollError):
    """A tensor whose range is not known, or can't be used."""


@dataclass(frozen=True, kw_only=True)
class Range:
    """What a tie may hold; real numbers beyond it saturate."""

    low: float
    high: float
    basis: str
    """Where it comes from: ``min_max``, ``percentile``, ``mse``, or the function that fixes or bounds it."""


@dataclass(kw_only=True)
class Seen:
    """What a tie held while the float graph ran on the representative samples."""

    low: float = math.inf
    high: float = -math.inf
    values: Values
    """An even selection of all values, sorted."""


def sigmoid_bound(bits: int) -> float:
    """Return beyond which |x| a sigmoid stays within one step of 0 or 1, its steps being 1/256 or 1/32768."""
    step = 2.0 ** -(8 if bits == INT8 else 15)
    return math.log((1 - step) / step)


def tanh_bound(bits: int) -> float:
    """Return beyond which |x| a tanh rounds to its last step, 1 - 2^(1 - bits) (127/128 in int8)."""
    return math.atanh(1 - 2.0**-bits)


def fixed(role: str, bits: int) -> Range | None:
    """Return the range that a function's output has by its nature, None for other roles.

    The hidden state is bounded by tanh; its zero is the zero byte, and the state that goes out
    has the bytes that go in.
    """
    top = 1 - 2.0 ** (1 - bits)  # 127/128 or 32767/32768: scale 2^-7 or 2^-15, zero point 0
    match role:
        case "gates" | "output":
            return Range(low=0.0, high=1 - 2.0**-8 if bits == INT8 else top, basis="sigmoid or softmax")
        case "candidate" | "cell_tanh" | "hidden":
            return Range(low=-1.0 if bits == INT8 else -top, high=top, basis="tanh")
    return None


def bound(role: str, bits: int) -> float:
    """Return the |x| beyond which nothing changes any more in the only function that reads a role."""
    match role:
        case "gate_sum":
            return sigmoid_bound(bits)
        case "candidate_sum" | "sum":
            return tanh_bound(bits)
    return math.inf


def choose(tie: str, seen: Seen, method: str, percentile: float, bits: int) -> Range:
    """Choose the range of a tie.

    Args:
        tie: ``gru_1/gate_sum``, ``input``, ...
        seen: what it held.
        method: ``min_max``, ``percentile`` or ``mse``.
        percentile: of the values, this share (in percent) is to lie within.
        bits: 8 or 16.

    Raises:
        RangeError: it held nothing but 0, or so little else that the percentile is 0, or what is not a number.

    """
    name = parse(tie)
    role = name.role if name else tie
    known = fixed(role, bits)
    if known is not None:
        return known
    if not (math.isfinite(seen.low) and math.isfinite(seen.high)):
        message = (
            f"{tie} was {seen.low} to {seen.high} on the representative samples: check the data for NaN and infinity"
        )
        raise RangeError(message)
    low, high = min(seen.low, 0.0), max(seen.high, 0.0)
    if low == high:
        message = (
            f"{tie} was 0 in every representative sample, so it has no range: check the data for constant features,"
            " raise quantization.representative_samples, or train the network"
        )
        raise RangeError(message)
    basis = "min_max" if role == "input" else method  # a picture's white is no outlier
    if basis == "percentile":
        outside = (100 - percentile) / 200
        low, high = (float(np.quantile(seen.values, q)) for q in (outside, 1 - outside))
        if low == high == 0:
            message = (
                f"{tie} was 0 in {percentile:g} % of what the representative samples show, so no range is left:"
                ' raise quantization.percentile, or set quantization.ranges = "min_max"'
            )
            raise RangeError(message)
    elif basis == "mse":
        low, high = _least_squares(seen.values, low, high, bits)
    limit = bound(role, bits)
    if max(-low, high) > limit:
        basis += ", bounded by its function"
    return Range(low=min(max(low, -limit), 0.0), high=max(min(high, limit), 0.0), basis=basis)


def _least_squares(values: Values, low: float, high: float, bits: int) -> tuple[float, float]:
    """Return the share of [low, high] with the least mean squared error.

    A value inside is off by a rounding error of variance scale^2 / 12, a value outside by its distance
    to the edge (Bennett 1948; the usual model of MSE calibration). ``values`` is sorted.
    """
    levels = 2**bits - 1
    best, least = (low, high), math.inf
    ordered = values.astype(np.float64)
    sums = np.concatenate([[0.0], np.cumsum(ordered)])
    squares = np.concatenate([[0.0], np.cumsum(ordered**2)])
    for share in np.linspace(0.05, 1.0, CANDIDATES):
        a, b = low * share, high * share
        first, last = np.searchsorted(ordered, (a, b), side="left")
        below = squares[first] - 2 * a * sums[first] + first * a * a
        count = len(ordered) - last
        above = (squares[-1] - squares[last]) - 2 * b * (sums[-1] - sums[last]) + count * b * b
        error = float(below + above + (last - first) * ((b - a) / levels) ** 2 / 12)
        if error < least:
            best, least = (float(a), float(b)), error
    return best


def collect(
    ties: Mapping[str, str], runs: Iterable[Callable[[str], npt.NDArray[Any]]], runs_total: int
) -> dict[str, Seen]:
    """Pool what every tie holds over a number of inferences.

    Args:
        ties: tensor -> tie.
        runs: for each inference, what returns a tensor's values by its name.
        runs_total: how many inferences there will be; so many values are thinned out evenly.

    """
    low: dict[str, float] = {}
    high: dict[str, float] = {}
    kept: dict[str, list[Values]] = {}
    stride: dict[str, int] = {}
    random = np.random.default_rng(SEED)
    for read in runs:
        held: dict[str, list[Values]] = {}
        for tensor, tie in ties.items():
            held.setdefault(tie, []).append(np.asarray(read(tensor), np.float32).ravel())
        for tie, parts in held.items():
            values = np.concatenate(parts)
            low[tie] = float(np.minimum(low.get(tie, math.inf), values.min()))  # unlike min, it keeps a NaN
            high[tie] = float(np.maximum(high.get(tie, -math.inf), values.max()))
            every = stride.setdefault(tie, max(1, math.ceil(len(values) * runs_total / MOST_VALUES)))
            kept.setdefault(tie, []).append(values[int(random.integers(every)) :: every])
    return {
        tie: Seen(low=low[tie], high=high[tie], values=np.sort(np.concatenate(parts))) for tie, parts in kept.items()
    }
