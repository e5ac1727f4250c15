"""``[vela]``."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal

from msgspec import Meta

from pipeline.npu.targets import ACCELERATORS, MEMORY_MODES, SYSTEM_CONFIGS
from pipeline.section import Section

Strategy = Literal["Performance", "Size"]
"""Of Vela's optimisation."""


class Target(Section, frozen=True):
    """One Ethos-U to compile for; the table's name is yours."""

    accelerator: Annotated[
        str, Meta(description="accelerator configuration; the number is MACs per cycle", extra={"names": ACCELERATORS})
    ]
    system_config: Annotated[
        str, Meta(description="clocks and memories, of Vela's `Arm/vela.ini`", extra={"names": SYSTEM_CONFIGS})
    ]
    memory_mode: Annotated[
        str, Meta(description="where constants and arena live, of `Arm/vela.ini`", extra={"names": MEMORY_MODES})
    ]
    optimise: Annotated[Strategy, Meta(description="Vela's optimisation strategy")] = "Performance"
    config: Annotated[
        Annotated[str, Meta(min_length=1)] | None,
        Meta(description="your own `vela.ini`; `system_config` and `memory_mode` may be of it or of `Arm/vela.ini`"),
    ] = None
    LATER: ClassVar[Mapping[str, Any]] = {"config": None}
    PATHS: ClassVar[frozenset[str]] = frozenset({"config"})

    def own_files(self) -> Mapping[str, str]:
        """Return the user's ``vela.ini``, by its own name, if there is one."""
        return {Path(self.config).name: "config"} if self.config else {}


class Variant(Section, frozen=True):
    """What the matrix tries on a copy of the model; no experiment file has it."""

    clusters: Annotated[int, Meta(ge=2, description="weights share so many values")]


class Vela(Section, frozen=True):
    """What to compile for."""

    targets: Annotated[dict[str, Target], Meta(min_length=1, description="at least one named target")]
