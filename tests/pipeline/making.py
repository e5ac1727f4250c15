"""Run a stage in this process."""

from dataclasses import replace
from typing import Any

import msgspec

from pipeline.stage import Found, Work
from pipeline.stages.catalogue import STAGES


def make_stage(module: str, job: Work[Any]) -> Found:
    """Make a result; the job's part of the experiment may be given as JSON types, as an order has it."""
    stage = STAGES[module]
    given = isinstance(job.config, msgspec.Struct)
    return stage.make(job if given else replace(job, config=msgspec.convert(job.config, stage.config)))
