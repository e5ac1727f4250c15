"""A record of a result, whatever it is to say, and rows of ``layers.json``."""

from collections.abc import Sequence
from typing import Any

from msgspec.structs import replace

from pipeline.npu.roles import placed
from pipeline.record import SCHEMA, Record
from pipeline.tflite import keras_names
from pipeline.tflite.roles import Graph


def a_record(**facts: Any) -> Record:
    """Return the record of a result, by default of tiny's weights with nothing in it."""
    bare = Record(
        schema=SCHEMA,
        stage="weights",
        experiment="tiny",
        target=None,
        key="",
        inputs={},
        outputs={},
        metrics={},
        seconds=1.0,
        seconds_importing=0.5,
        peak_memory_bytes=1,
        finished=0.0,
    )
    return replace(bare, **facts)


WORDS = {"FullyConnected": "FULLY_CONNECTED", "Sigmoid": "LOGISTIC"}


def layers_of_keras(rows: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return rows of ``layers.json`` as they are for a model whose tensors have Keras' names."""
    named = [(row["name"], WORDS.get(row["operator"], row["operator"].upper())) for row in rows]
    return placed(rows, Graph(steps=1, inputs=[], outputs=[], tensors=keras_names.roles(named)))
