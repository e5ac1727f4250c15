"""A record of a result, whatever it is to say."""

from typing import Any

from msgspec.structs import replace

from pipeline.record import SCHEMA, Record


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
