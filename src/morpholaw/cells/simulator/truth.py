"""True properties of simulated nuclei, as columns of a table."""

from __future__ import annotations

import numpy as np

from morpholaw.cells.simulator.domains import PHASES
from morpholaw.cells.simulator.render import KIND_NAMES, Nuclei


def true_columns(nuclei: Nuclei, pixel_size: float) -> dict[str, np.ndarray]:
    """Return the true properties of each nucleus: sizes in um^2, angles in radians from the x axis towards y.

    ``true_aspect`` and ``true_diagonality`` are the log axis ratio times the cosine and sine of twice the orientation:
    elongation along the axes and along the diagonals (paper, 6.1).
    """
    log_ratio = np.log(nuclei.axis_ratio)
    orientation = np.mod(nuclei.orientation, np.pi)
    return {
        "true_phase": np.array(KIND_NAMES)[nuclei.kind],
        "true_size": nuclei.area * pixel_size**2,
        "true_aspect": log_ratio * np.cos(2 * orientation),
        "true_diagonality": log_ratio * np.sin(2 * orientation),
        "true_axis_ratio": nuclei.axis_ratio,
        "true_orientation": orientation,
        "true_brightness": nuclei.brightness,
    }


def labels_of(nuclei: Nuclei) -> np.ndarray:
    """Return the names of the mitosis classes; "" for other kinds."""
    names = [name if name in PHASES else "" for name in KIND_NAMES]
    labels: np.ndarray = np.array(names, dtype=object)[nuclei.kind]
    return labels


def in_view(nuclei: Nuclei, size: int) -> np.ndarray:
    """Return whether each nucleus, as a disc of its area, extends at least one pixel into a crop of ``size``."""
    reach = np.sqrt(nuclei.area / np.pi) - 1
    dy = np.maximum(np.maximum(-nuclei.y, nuclei.y - (size - 1)), 0)
    dx = np.maximum(np.maximum(-nuclei.x, nuclei.x - (size - 1)), 0)
    inside: np.ndarray = np.hypot(dy, dx) < reach
    return inside
