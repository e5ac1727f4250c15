"""A record of a result, whatever it is to say, and rows of ``layers.json``."""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from msgspec.structs import replace

from pipeline.engine.results.record import RECORD, SCHEMA, Record, encode_record, key_of, name_of, read_record
from pipeline.npu.roles import placed
from pipeline.tflite import keras_names
from pipeline.tflite.roles import Graph


def a_record(**facts: Any) -> Record:
    """Return the record of a result, by default of tiny's weights with nothing in it.

    What is told of its inputs makes its key; so does ``what``, for results that differ in nothing else.
    """
    stage, what = facts.get("stage", "network"), facts.pop("what", "")
    inputs = facts.setdefault("inputs", {"stage": stage, "config": {"what": what}})
    facts.setdefault("key", key_of(inputs))
    bare = Record(
        schema=SCHEMA,
        stage="network",
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


def scores(activations: str = "int8", **of_forms: float | None) -> dict[str, Any]:
    """Return the metrics that tell the accuracy of some forms of a classifier: ``float``, ``quantized``, ..."""
    known = {form: None if accuracy is None else {"accuracy": accuracy} for form, accuracy in of_forms.items()}
    return {"task": "classification", "activations": activations, "scores": known}


def amend(link: Path, **facts: Any) -> None:
    """Let the record of the result that a link shows say something else, under the name that goes with it.

    What is told of the metrics is added to them.
    """
    home = link.resolve()
    before = read_record(home)
    facts["metrics"] = before.metrics | facts.get("metrics", {})
    record = replace(before, **facts)
    (home / RECORD).unlink()
    (home / RECORD).write_bytes(encode_record(record))
    named = home.rename(home.with_name(name_of(record.key, encode_record(record))))
    link.unlink()
    link.symlink_to(os.path.relpath(named, link.parent.resolve()))


WORDS = {"FullyConnected": "FULLY_CONNECTED", "Sigmoid": "LOGISTIC"}


def layers_of_keras(rows: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return rows of ``layers.json`` as they are for a model whose tensors have Keras' names."""
    named = [(row["name"], WORDS.get(row["operator"], row["operator"].upper())) for row in rows]
    return placed(rows, Graph(steps=1, inputs=[], outputs=[], tensors=keras_names.roles(named)))
