"""``[verify]``."""

from typing import Annotated, ClassVar, Literal

from msgspec import Meta

from pipeline.section import Section


class Verify(Section, frozen=True):
    """How much of the test set goes through the emulated compiled file; the checks of its commands are whole always."""

    samples: Annotated[
        Annotated[int, Meta(ge=1)] | None,
        Meta(description="only so many test samples, of all classes and spread over the set; the whole set by default"),
    ] = None
    require: Annotated[
        Literal["full", "partly", "nothing"],
        Meta(description="what must be proved, or the build fails: all, a part, or nothing; nothing is rebuilt for it"),
    ] = "full"
    JUDGES: ClassVar[frozenset[str]] = frozenset({"require"})


class ImportedVerify(Section, frozen=True):
    """How a model that was made elsewhere is verified: with random inputs, since there is no test set."""

    samples: Annotated[
        int, Meta(ge=1, description="random inputs, seeded, that go through the emulated compiled file")
    ] = 100
    require: Annotated[
        Literal["full", "partly", "nothing"],
        Meta(description="what must be proved, or the build fails: all, a part, or nothing; nothing is rebuilt for it"),
    ] = "nothing"
    JUDGES: ClassVar[frozenset[str]] = frozenset({"require"})
