"""Measurements of the central nucleus of a crop with its orientation, its place in the crop, and its neighbours.

All crops of a batch are processed together: one smoothing, one histogram threshold, one labelling, and sums over
labels. Latents are named and checked by these measurements, but models do not use them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from morpholaw.cells.nucleus_moments import nucleus_moments
from morpholaw.cells.segmentation import BLOCK, segment

if TYPE_CHECKING:
    import pandas as pd

# pandas is imported on first use, so that a panel opens without it.

COLUMNS = (
    "area",
    "axis_ratio",
    "aspect",
    "diagonality",
    "offset_y",
    "offset_x",
    "neighbour_area",
    "neighbours",
    "brightness",
    "texture",
)


def measure_shapes(images: np.ndarray) -> pd.DataFrame:
    """Measure the central nucleus of every crop.

    Parameters
    ----------
    images : ndarray of uint8, shape (n, s, s)
        Normalised crops.

    Returns
    -------
    DataFrame
        One row per crop; all numbers are finite:

        - ``area`` (pixels), 0 without a nucleus, as in a blank crop;
        - ``axis_ratio``, major over minor axis of the ellipse with the same second moments, at least 1;
        - ``aspect`` = log(axis_ratio) cos(2 theta) and ``diagonality`` = log(axis_ratio) sin(2 theta), where
          theta is the angle of the major axis from the x axis towards y (down the image): aspect is positive for a
          nucleus along x, diagonality for one from top left to bottom right;
        - ``offset_y``, ``offset_x`` (pixels) from the crop's centre, (s - 1) / 2: a flip changes the sign;
        - ``neighbour_area`` (pixels) and ``neighbours`` (count) of the other nuclei in the crop;
        - ``brightness``, mean over the nucleus in [0, 1]; ``texture``, its standard deviation over its mean.
    """
    import pandas as pd

    parts = [_measure(images[i : i + BLOCK]) for i in range(0, len(images), BLOCK)]
    return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=list(COLUMNS), dtype=float)


def _measure(images: np.ndarray) -> pd.DataFrame:
    import pandas as pd

    n, centre = len(images), (images.shape[-1] - 1) / 2
    components = segment(images)
    nucleus = nucleus_moments(images, components.central_mask)
    area, brightness = nucleus.area, np.nan_to_num(nucleus.brightness)
    spread = np.nan_to_num(nucleus.spread)
    axis_ratio = np.where(area > 0, nucleus.length / nucleus.width, 1.0)
    along = np.log(axis_ratio) / np.where(spread > 1e-12, spread, 1)
    other = np.bincount(components.owner, components.area, minlength=n) - area
    count = np.bincount(components.owner, components.area > 0, minlength=n) - (area > 0)
    columns = {
        "area": area,
        "axis_ratio": axis_ratio,
        "aspect": along * np.nan_to_num(nucleus.xx - nucleus.yy),
        "diagonality": along * 2 * np.nan_to_num(nucleus.yx),
        "offset_y": np.nan_to_num(nucleus.y - centre),
        "offset_x": np.nan_to_num(nucleus.x - centre),
        "neighbour_area": other,
        "neighbours": count.astype(np.int64),
        "brightness": brightness,
        "texture": np.nan_to_num(nucleus.deviation) / np.maximum(brightness, 1 / 255),
    }
    return pd.DataFrame(columns)
