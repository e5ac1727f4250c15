"""A record of a result, whatever it is to say."""

from typing import Any

from msgspec.structs import replace

from pipeline.record import SCHEMA, Record, key_of


def a_record(**facts: Any) -> Record:
    """Return the record of a result, by default of tiny's weights with nothing in it.

    What is told of its inputs makes its key; so does ``what``, for results that differ in nothing else.
    """
    stage, what = facts.get("stage", "weights"), facts.pop("what", "")
    inputs = facts.setdefault("inputs", {"stage": stage, "config": {"what": what}})
    facts.setdefault("key", key_of(inputs))
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
