"""One line of ``roles.json``: what quantizing costs a role. Nothing heavy is imported; the dashboard reads it, too."""

import msgspec

METHODS = ("mse", "min_max", "percentile")
"""How a range may be chosen from what was seen; any other basis is a function's own."""


class RoleLoss(msgspec.Struct, frozen=True, kw_only=True):
    """A tie, its parameters, and what they do to the values that were seen."""

    tie: str
    scale: float
    zero_point: int
    seen_low: float
    seen_high: float
    low: float
    high: float
    basis: str
    """Where the range comes from."""
    rounding_error: float
    """Root mean square of what quantizing changes, in steps (RMSE / scale); rounding alone makes 0.29."""
    saturated: float
    """Share of the values beyond what can be stored, by more than rounding."""
    noise: float
    """The same root mean square as a share of the values' standard deviation: the weakest role has the most."""

    @property
    def harmless(self) -> bool:
        """Tell whether saturation is what the function does anyway."""
        return self.basis not in METHODS
