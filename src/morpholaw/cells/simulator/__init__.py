"""Simulated H2B-fluorescence nuclei with known factors: crops, and tracked movies."""

from morpholaw.cells.simulator.crops import simulate_blocks, simulate_crops

__all__ = ["simulate_blocks", "simulate_crops"]
