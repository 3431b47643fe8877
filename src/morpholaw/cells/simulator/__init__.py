"""Simulation of H2B-fluorescence nuclei with known factors: crops, and tracked movies."""

from morpholaw.cells.simulator.crops import (
    simulate_blocks,
    simulate_crop_set,
    simulate_crops,
    simulated_normalisation,
)
from morpholaw.cells.simulator.domains import DOMAINS, PHASES
from morpholaw.cells.simulator.movie import SimulatedMovie, simulate_movie, simulate_tracks, without_links

__all__ = [
    "DOMAINS",
    "PHASES",
    "SimulatedMovie",
    "simulate_blocks",
    "simulate_crop_set",
    "simulate_crops",
    "simulate_movie",
    "simulate_tracks",
    "simulated_normalisation",
    "without_links",
]
