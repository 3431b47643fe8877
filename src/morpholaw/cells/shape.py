"""Measurements of the central nucleus of a crop: size, elongation, position and neighbours.

All crops of a batch are processed together: one smoothing, one histogram threshold, one labelling, and sums over
labels. Latents are named and checked by these measurements, but models do not use them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

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

    n, size = len(images), images.shape[-1]
    components = segment(images)
    crop, row, column = np.nonzero(components.central_mask)
    value = images[crop, row, column] / 255.0
    y, x = row - (size - 1) / 2, column - (size - 1) / 2

    def total(of: np.ndarray) -> np.ndarray:
        return np.bincount(crop, of, minlength=n)

    area = np.bincount(crop, minlength=n).astype(np.float64)
    pixels = np.maximum(area, 1)
    offset_y, offset_x = total(y) / pixels, total(x) / pixels
    dy, dx = y - offset_y[crop], x - offset_x[crop]
    inside = 1 / 12  # second moment of a pixel itself, so that a line one pixel wide has a width
    yy, xx, yx = total(dy * dy) / pixels + inside, total(dx * dx) / pixels + inside, total(dy * dx) / pixels
    spread = np.hypot(xx - yy, 2 * yx)
    axis_ratio = np.sqrt((xx + yy + spread) / np.maximum(xx + yy - spread, 1e-9))
    along = np.log(axis_ratio) / np.where(spread > 1e-12, spread, 1)
    brightness = total(value) / pixels
    variance = total((value - brightness[crop]) ** 2) / pixels
    other = np.bincount(components.owner, components.area, minlength=n) - area
    count = np.bincount(components.owner, components.area > 0, minlength=n) - (area > 0)
    columns = {
        "area": area,
        "axis_ratio": np.where(area > 0, axis_ratio, 1.0),
        "aspect": along * (xx - yy),
        "diagonality": along * 2 * yx,
        "offset_y": offset_y,
        "offset_x": offset_x,
        "neighbour_area": other,
        "neighbours": count.astype(np.int64),
        "brightness": brightness,
        "texture": np.sqrt(variance) / np.maximum(brightness, 1 / 255),
    }
    return pd.DataFrame(columns)
