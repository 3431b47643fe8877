"""An estimated value with its confidence interval."""

from __future__ import annotations

from dataclasses import dataclass

LEVEL = 0.95
"""Confidence level of all intervals."""
TAILS = (1 - LEVEL) / 2, (1 + LEVEL) / 2
"""Quantiles at the two ends of an interval."""


@dataclass(frozen=True)
class Estimate:
    """A value with the limits of its confidence interval."""

    value: float
    low: float
    high: float

    def __str__(self) -> str:
        """Return the value with its interval: "0.97 (0.951 to 0.982)"."""
        return f"{self.value:.3g} ({self.low:.3g} to {self.high:.3g})"
