"""A network as two files: ``network.json``, which one can read, and ``network.npz`` with the arrays."""

import json
from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any, get_type_hints
from zipfile import BadZipFile

import msgspec
import numpy as np
import numpy.typing as npt

from pipeline import array_file
from pipeline.network.errors import NetworkError
from pipeline.network.graph import Network
from pipeline.network.layer import Layer, kinds
from pipeline.network.values import Value

DESCRIPTION, ARRAYS = "network.json", "network.npz"
SCHEMA = 1


def save(network: Network, folder: Path) -> None:
    """Write both files; the same network gives the same bytes."""
    arrays: dict[str, npt.NDArray[Any]] = {}
    layers = []
    for layer in network.layers:
        of_layer = layer.arrays()
        arrays |= {f"{layer.name}/{name}": value for name, value in of_layer.items()}
        plain = {field.name: getattr(layer, field.name) for field in fields(layer) if field.name not in of_layer}
        layers.append({"kind": layer.KIND, **plain, "arrays": sorted(of_layer)})
    document = {"schema": SCHEMA, "inputs": network.inputs, "layers": layers, "outputs": network.outputs}
    (folder / DESCRIPTION).write_text(json.dumps(msgspec.to_builtins(document), indent=1) + "\n", encoding="utf-8")
    array_file.save(folder / ARRAYS, arrays)


def load(folder: Path) -> Network:
    """Read both files, and hold the network against its grammar.

    Raises:
        NetworkError: they are damaged, of another version, or their network does not hold together.

    """
    try:
        document = json.loads((folder / DESCRIPTION).read_bytes())
        if document["schema"] != SCHEMA:
            problem = f"schema {document['schema']}, this version reads {SCHEMA}"
            raise ValueError(problem)  # noqa: TRY301 - told as every other damage
        with (folder / ARRAYS).open("rb") as file, np.load(file, allow_pickle=False) as arrays:
            layers = tuple(_layer(described, arrays) for described in document["layers"])
        inputs = msgspec.convert(document["inputs"], tuple[Value, ...])
        network = Network(inputs, layers, msgspec.convert(document["outputs"], tuple[str, ...]))
    except (OSError, ValueError, KeyError, TypeError, EOFError, BadZipFile) as error:
        raise NetworkError([f"{folder / DESCRIPTION} and {ARRAYS} can't be read ({error}): build them anew"]) from None
    network.check()
    return network


def _layer(described: Mapping[str, Any], arrays: Mapping[str, npt.NDArray[Any]]) -> Layer:
    kind = kinds()[described["kind"]]
    types = get_type_hints(kind)
    attributes: dict[str, Any] = {
        name: msgspec.convert(value, types[name])
        for name, value in described.items()
        if name not in ("kind", "arrays") and value is not None
    }
    attributes |= {name: arrays[f"{described['name']}/{name}"] for name in described["arrays"]}
    return kind(**attributes)
