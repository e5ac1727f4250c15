"""Run a stage in this process."""

from dataclasses import replace
from typing import Any

import msgspec

from pipeline.stage import Found, Work
from pipeline.stages.catalogue import STAGES


def make_stage(module: str, job: Work[Any]) -> Found:
    """Make a result; the job's part of the experiment is given as JSON types, as an order has it."""
    stage = STAGES[module]
    return stage.make(replace(job, config=msgspec.convert(job.config, stage.config)))
