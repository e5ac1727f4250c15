"""What may come of verifying a compiled file, in the words that stand in records, tables and errors."""

from collections.abc import Mapping

PROVED = "proved"
"""Every check is whole, and every sample that is compared has TensorFlow Lite Micro's bytes, or a known difference."""
PARTLY = "partly proved"
"""Nothing speaks against it, and something is not checked or no sample is compared."""
NOTHING = "nothing proved"
FAILED = "failed"
"""A check fails or a byte differs, of a model that was made elsewhere; of one that was made here, the stage fails."""

FULL, SOME, NONE = "full", "partly", "nothing"
"""What an experiment may require."""
ENOUGH: Mapping[str, frozenset[str]] = {
    FULL: frozenset({PROVED}),
    SOME: frozenset({PROVED, PARTLY}),
    NONE: frozenset({PROVED, PARTLY, NOTHING, FAILED}),
}
"""What is required -> the verdicts that meet it."""
EXIT_CODES: Mapping[str, int] = {FAILED: 1, PARTLY: 4, NOTHING: 5}
"""Of doit, where a verdict is less than is required; 2 and 3 are doit's own."""
SEVEREST = (1, 5, 4)
"""Of several, which one doit ends with."""
