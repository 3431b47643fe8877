"""Simulated H2B-fluorescence nuclei with known factors: crops, and tracked movies."""

from morpholaw.cells.simulator.crops import simulate_blocks, simulate_crops
from morpholaw.cells.simulator.domains import PHASES

__all__ = ["PHASES", "simulate_blocks", "simulate_crops"]
