"""What every kind of layer tells of itself, and the kinds there are. All that is known of a kind stands in its file."""

import abc
import importlib
import pkgutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import Any, ClassVar, Self, TypeVar

import numpy as np

from pipeline.network.errors import LayerError
from pipeline.network.operations import Operations, Role, Tensor
from pipeline.network.signals import Signal
from pipeline.network.values import Array, State, Value

Kind = TypeVar("Kind", bound="type[Layer]")
States = Mapping[str, Array]
"""Role -> (batch, units)."""
StateTensors = Mapping[str, Tensor]
"""Role -> (1, units)."""
GivenState = Callable[[], StateTensors | None]
"""Adds the inputs of the state before the first step where it is called; gives None if that state is 0."""


@dataclass(frozen=True)
class KerasLayer:
    """A layer in Keras' words: its class, its config, and its weights in Keras' order."""

    class_name: str
    config: Mapping[str, Any]
    arrays: tuple[Array, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Layer(abc.ABC):
    """A layer of a network: attributes and arrays are its fields; one file in ``layers/`` is one kind."""

    KIND: ClassVar[str]
    STATE: ClassVar[tuple[State, ...]] = ()
    """What it carries from step to step."""

    name: str
    inputs: tuple[str, ...]
    """Names of the values that it reads."""
    output: str
    """Name of the value that it makes."""

    @abc.abstractmethod
    def infer(self, *inputs: Value) -> Value:
        """Return what it makes of such inputs.

        Raises:
            LayerError: they, or its arrays, have shapes that don't fit.

        """

    @abc.abstractmethod
    def run(self, inputs: Sequence[Array], state: States) -> tuple[Array, States]:
        """Compute the formula: the oracle of every test.

        Args:
            inputs: (batch, steps, ...) with a time axis, else (batch, ...).
            state: before the first step, for each of ``STATE``.

        Returns:
            The output, and the state after the last step.

        """

    @abc.abstractmethod
    def lower(self, operations: Operations, inputs: Sequence[Signal], given: GivenState) -> tuple[Signal, StateTensors]:
        """Write it as plain operations, every time step written out.

        Args:
            operations: what there is to write with.
            inputs: in the order of ``inputs``.
            given: gives the state before the first step; if it is 0, what it multiplies is to be left out.

        Returns:
            The output, and the state after the last step.

        """

    @abc.abstractmethod
    def keras(self) -> KerasLayer:
        """Return it in Keras' words, for training; a recurrent layer returns its whole sequence."""

    def with_keras_arrays(self, arrays: Sequence[Array]) -> "Layer":
        """Return it with weights that Keras trained, in Keras' order; a layer without weights takes none."""
        if arrays:
            message = f"takes no weights, but Keras has {len(arrays)}"
            raise LayerError(message)
        return self

    def arrays(self) -> dict[str, Array]:
        """Return its weights, by field."""
        return {name: value for name, value in vars(self).items() if isinstance(value, np.ndarray)}

    def with_arrays(self, arrays: Mapping[str, Array]) -> Self:
        """Return it with other weights in some fields."""
        changed: dict[str, Any] = dict(arrays)
        return replace(self, **changed)

    def role(self, role: str, step: int | None = None) -> Role:
        """Return the role of a tensor inside this layer, with the bound that the layer declares for it."""
        within = next((state.within for state in self.STATE if state.role == role), None)
        return Role(self.name, role, step, within=within)

    def result(self, role: str) -> Role:
        """Return the role of the tensor that holds its output, which goes by the value's own name."""
        return Role(self.name, role, shared=self.output)


@dataclass(frozen=True, kw_only=True)
class Stateless(Layer):
    """A layer that carries nothing from step to step."""

    @abc.abstractmethod
    def compute(self, *inputs: Array) -> Array:
        """Compute the formula in NumPy."""

    @abc.abstractmethod
    def write(self, operations: Operations, *inputs: Signal) -> Signal:
        """Write it as plain operations."""

    def run(self, inputs: Sequence[Array], state: States) -> tuple[Array, States]:
        """Compute the formula, and leave what there is of a state."""
        return self.compute(*inputs), state

    def lower(self, operations: Operations, inputs: Sequence[Signal], given: GivenState) -> tuple[Signal, StateTensors]:
        """Write it; nobody asks for the state."""
        del given
        return self.write(operations, *inputs), {}


_KINDS: dict[str, type[Layer]] = {}


def layer(kind: str) -> Callable[[Kind], Kind]:
    """Register a class as a kind of layer."""

    def register(found: Kind) -> Kind:
        found.KIND = kind
        _KINDS[kind] = found
        return found

    return register


@cache
def kinds() -> Mapping[str, type[Layer]]:
    """Return every kind of layer by name: each module of ``layers/`` registers its own."""
    from pipeline.network import layers  # noqa: PLC0415 - its modules import this one

    for module in pkgutil.iter_modules(layers.__path__):
        importlib.import_module(f"{layers.__name__}.{module.name}")
    return dict(sorted(_KINDS.items()))
