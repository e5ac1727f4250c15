"""The schema of an experiment file: the tables of the rooms, put together, and those that judge and compare.

``msgspec`` checks them, ``pipeline.experiments.experiment`` checks what no single key can show, and the
reference in ``docs/`` is written from the descriptions.
"""

from typing import Annotated

import msgspec
from msgspec import Meta

from pipeline.compression.section import Compress
from pipeline.data.sources import AnySource
from pipeline.frontends.section import ImportedModel, Model
from pipeline.lowering.section import Deployment
from pipeline.npu.section import Vela
from pipeline.quantization.section import Quantization
from pipeline.section import Section
from pipeline.training.section import Training
from pipeline.verification.section import ImportedVerify, Verify


class Budget(Section, frozen=True):
    """What a result may cost; nothing is rebuilt when it changes."""

    accuracy_min: Annotated[
        Annotated[float, Meta(ge=0, le=1)] | None, Meta(description="int8 accuracy at least this share of 1")
    ] = None
    accuracy_drop_max: Annotated[
        Annotated[float, Meta(ge=0, le=100)] | None,
        Meta(description="int8 accuracy at most so many percentage points below float"),
    ] = None
    compression_drop_max: Annotated[
        Annotated[float, Meta(ge=0, le=100)] | None,
        Meta(description="int8 accuracy at most so many percentage points below that without `[compress]`"),
    ] = None
    cycles_max: Annotated[Annotated[int, Meta(ge=1)] | None, Meta(description="cycles of one inference")] = None
    inference_ms_max: Annotated[
        Annotated[float, Meta(gt=0)] | None, Meta(description="milliseconds of one inference")
    ] = None
    sram_max: Annotated[Annotated[int, Meta(ge=1)] | None, Meta(description="bytes of SRAM")] = None
    flash_max: Annotated[
        Annotated[int, Meta(ge=1)] | None, Meta(description="bytes of flash, the compiled file as it is flashed")
    ] = None
    cpu_operators_max: Annotated[
        Annotated[int, Meta(ge=0)] | None,
        Meta(description="operators that may stay on the CPU; a build allows none unless this says so"),
    ] = None


class Grid(Section, frozen=True):
    """What `doit pareto` varies, all with all; an empty list keeps what is chosen. Nothing else is rebuilt for it."""

    rows_per_step: Annotated[list[Annotated[int, Meta(ge=1)]], Meta(description="values of `model.rows_per_step`")] = (
        msgspec.field(default_factory=lambda: [1, 2, 4])
    )
    units: Annotated[
        list[Annotated[int, Meta(ge=1)]] | None,
        Meta(description="values of `model.units`; by default half of the experiment's own, and that itself"),
    ] = None
    sparsity: Annotated[
        list[Annotated[float, Meta(ge=0, lt=1)]], Meta(description="values of `compress.sparsity`; 0 prunes nothing")
    ] = msgspec.field(default_factory=list)
    clusters: Annotated[
        list[Annotated[int, Meta(ge=0)]], Meta(description="values of `compress.clusters`; 0 shares nothing")
    ] = msgspec.field(default_factory=list)


class Experiment(Section, frozen=True):
    """A whole experiment file. Each section is read by the stages that its title names."""

    dataset: AnySource
    model: Model
    vela: Vela
    training: Training = Training()
    compress: Compress | None = None
    deployment: Deployment = Deployment()
    quantization: Quantization = Quantization()
    verify: Verify = Verify()
    budget: Budget = Budget()
    grid: Grid = Grid()
    description: Annotated[str, Meta(description="a sentence for whoever reads the list")] = ""


class Imported(Section, frozen=True):
    """An experiment whose model was made elsewhere: what its sections are is what is computed of it."""

    model: ImportedModel
    vela: Vela
    verify: ImportedVerify = ImportedVerify()
    budget: Budget = Budget()
    description: Annotated[str, Meta(description="a sentence for whoever reads the list")] = ""


AnyExperiment = Experiment | Imported
