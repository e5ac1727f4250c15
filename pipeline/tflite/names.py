"""The format's numbers in words: types of tensors, kinds of operators, activations."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from ai_edge_litert import schema_py_generated as schema


def _names(of: type) -> dict[int, str]:
    return {number: name for name, number in vars(of).items() if isinstance(number, int)}


KINDS: Mapping[int, str] = _names(schema.BuiltinOperator)
"""``FULLY_CONNECTED``, ``ADD``, ...; ``CUSTOM`` for every operator that is not the format's own."""
ACTIVATIONS: Mapping[int, str] = _names(schema.ActivationFunctionType)
"""What may be fused into an operator: ``NONE``, ``RELU``, ..."""
TYPES: Mapping[int, str] = {number: name.lower() for number, name in _names(schema.TensorType).items()}
"""``int8``, ``float32``, ..., ``string``."""
DTYPES: Mapping[str, np.dtype[Any]] = {
    name: np.dtype(name)
    for name in TYPES.values()
    if name.startswith(("int", "uint", "float", "bool", "complex")) and name in np.sctypeDict
}
"""The types that NumPy has, too."""
FLOATS = frozenset(name for name in TYPES.values() if "float" in name)
