"""The central nucleus of a crop and what one would measure on it: size, elongation, position, neighbours.

All crops of a batch are worked on together: one smoothing, one histogram threshold, one labelling, and sums
over labels. The measurements are what latents are named and checked by; they are no part of any model.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import ndimage

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

_SMOOTHING = 1.0  # pixels
_BLOCK = 512  # crops worked on at a time
_SPECK = 20  # pixels; a smaller piece of foreground is noise, neither a nucleus nor a neighbour
_CONTRAST = 12  # grey levels that foreground must be above background, on average, to be anything
_REACH = 12  # pixels from the centre within which the central nucleus must begin
_CONNECTED = np.zeros((3, 3, 3), int)
_CONNECTED[1] = 1  # in the plane of a crop, corners included; never from one crop to the next
_STRAIGHT = _CONNECTED * ndimage.generate_binary_structure(3, 1)


def measure_shapes(images: np.ndarray) -> pd.DataFrame:
    """Measure the central nucleus of every crop.

    Parameters
    ----------
    images : ndarray, uint8 (n, s, s)
        Normalised crops.

    Returns
    -------
    DataFrame
        A row a crop, all numbers finite:

        - ``area`` (pixels), 0 where there is no nucleus, as in a blank crop;
        - ``axis_ratio``, major over minor axis of the ellipse of the same second moments, at least 1;
        - ``aspect`` = log(axis_ratio) cos(2 theta) and ``diagonality`` = log(axis_ratio) sin(2 theta), where
          theta is the major axis' angle from the x axis towards y (down the image): aspect is positive for a
          nucleus that lies along x, diagonality for one that runs from top left to bottom right;
        - ``offset_y``, ``offset_x`` (pixels) from the crop's centre, (s - 1) / 2: a flip changes the sign;
        - ``neighbour_area`` (pixels) and ``neighbours`` (count) of the other nuclei in the crop;
        - ``brightness``, mean over the nucleus in [0, 1]; ``texture``, standard deviation over mean there.
    """
    parts = [_measure(images[i : i + _BLOCK]) for i in range(0, len(images), _BLOCK)]
    return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=list(COLUMNS), dtype=float)


def nucleus_masks(images: np.ndarray) -> np.ndarray:
    """Return the central nucleus of every crop: uint8 (n, s, s) to bool (n, s, s), all False where there is none."""
    masks = np.zeros(images.shape, bool)
    for i in range(0, len(images), _BLOCK):
        pieces = _segment(images[i : i + _BLOCK])
        masks[i : i + _BLOCK] = (pieces.labels > 0) & (
            pieces.labels == pieces.central[:, np.newaxis, np.newaxis]
        )
    return masks


@dataclass(frozen=True)
class _Pieces:
    """Connected pieces of foreground in a batch of crops."""

    labels: np.ndarray  # int (n, s, s): 0 background; numbers run through the batch
    owner: np.ndarray  # int (pieces + 1,): the crop of each piece
    area: np.ndarray  # int (pieces + 1,): its pixels; specks are not in ``labels`` and have area 0
    central: np.ndarray  # int (n,): the central nucleus' label, 0 where there is none


def _segment(images: np.ndarray) -> _Pieces:
    smooth = ndimage.gaussian_filter(images.astype(np.float32), (0, _SMOOTHING, _SMOOTHING), truncate=2.0)
    levels = np.rint(smooth).astype(np.uint8)
    histograms = _histograms(levels)
    threshold = _otsu(histograms)
    pieces = _pieces(levels, threshold)
    lost = np.flatnonzero((pieces.central == 0) & (threshold < 255))
    if len(lost) == 0:
        return pieces
    # A dim nucleus among bright ones lies wholly below the threshold: look for it among what is below.
    dark = histograms[lost] * (np.arange(256) <= threshold[lost, np.newaxis])
    lower = threshold.copy()
    lower[lost] = _otsu(dark)
    found = _pieces(levels[lost], lower[lost]).central > 0
    if not found.any():
        return pieces
    lower[lost[~found]] = threshold[lost[~found]]
    return _pieces(levels, lower)


def _histograms(levels: np.ndarray) -> np.ndarray:
    """Return counts of the 256 grey levels of each crop: uint8 (n, s, s) to int (n, 256)."""
    n = len(levels)
    keys = levels.reshape(n, -1) + (np.arange(n, dtype=np.int32) * 256)[:, np.newaxis]
    return np.bincount(keys.ravel(), minlength=256 * n).reshape(n, 256)


def _otsu(histograms: np.ndarray) -> np.ndarray:
    """Otsu's threshold of each histogram (n, 256); 255, so no foreground, where the contrast is too low."""
    below = np.cumsum(histograms, axis=1, dtype=np.float64)
    mass = np.cumsum(histograms * np.arange(256.0), axis=1)
    above = below[:, -1:] - below
    low = mass / np.maximum(below, 1)
    high = (mass[:, -1:] - mass) / np.maximum(above, 1)
    between = below * above * (high - low) ** 2
    best = np.argmax(between, axis=1)
    rows = np.arange(len(best))
    two_sided = (below[rows, best] > 0) & (above[rows, best] > 0)
    return np.where(two_sided & ((high - low)[rows, best] >= _CONTRAST), best, 255)


def _pieces(levels: np.ndarray, threshold: np.ndarray) -> _Pieces:
    foreground = _filled(levels > threshold[:, np.newaxis, np.newaxis])
    labels, count = ndimage.label(foreground, structure=_CONNECTED)
    area = np.bincount(labels.ravel(), minlength=count + 1)
    speck = area < _SPECK
    speck[0] = True
    area[speck] = 0
    labels[speck[labels]] = 0
    owner = np.zeros(count + 1, np.int64)
    owner[labels] = np.arange(len(levels))[:, np.newaxis, np.newaxis]
    return _Pieces(labels, owner, area, _central(labels))


def _filled(foreground: np.ndarray) -> np.ndarray:
    """Fill holes: background that no straight step leads from to the crop's border."""
    labels, count = ndimage.label(~foreground, structure=_STRAIGHT)
    open_ = np.zeros(count + 1, bool)
    for edge in (labels[:, 0], labels[:, -1], labels[:, :, 0], labels[:, :, -1]):
        open_[edge] = True
    open_[0] = False
    closed: np.ndarray = ~open_[labels]
    return closed


def _central(labels: np.ndarray) -> np.ndarray:
    """Return the piece under the centre, or the one that comes nearest to it within reach."""
    size = labels.shape[-1]
    from_centre = np.arange(size) - (size - 1) / 2
    distance = np.hypot(from_centre[:, np.newaxis], from_centre).ravel()
    order = np.argsort(distance, kind="stable")
    order = order[distance[order] <= _REACH * size / 64]
    near = labels.reshape(len(labels), -1)[:, order]
    first = np.argmax(near > 0, axis=1)
    central: np.ndarray = near[np.arange(len(labels)), first]
    return central


def _measure(images: np.ndarray) -> pd.DataFrame:
    n, size = len(images), images.shape[-1]
    pieces = _segment(images)
    crop, row, column = np.nonzero(
        (pieces.labels > 0) & (pieces.labels == pieces.central[:, np.newaxis, np.newaxis])
    )
    value = images[crop, row, column] / 255.0
    y, x = row - (size - 1) / 2, column - (size - 1) / 2

    def total(of: np.ndarray) -> np.ndarray:
        return np.bincount(crop, of, minlength=n)

    area = np.bincount(crop, minlength=n).astype(np.float64)
    pixels = np.maximum(area, 1)
    offset_y, offset_x = total(y) / pixels, total(x) / pixels
    dy, dx = y - offset_y[crop], x - offset_x[crop]
    inside = 1 / 12  # the second moment of a pixel itself, so that a line one pixel wide has a width
    yy, xx, yx = total(dy * dy) / pixels + inside, total(dx * dx) / pixels + inside, total(dy * dx) / pixels
    spread = np.hypot(xx - yy, 2 * yx)
    axis_ratio = np.sqrt((xx + yy + spread) / np.maximum(xx + yy - spread, 1e-9))
    along = np.log(axis_ratio) / np.where(spread > 1e-12, spread, 1)
    brightness = total(value) / pixels
    variance = total((value - brightness[crop]) ** 2) / pixels
    other = np.bincount(pieces.owner, pieces.area, minlength=n) - area
    count = np.bincount(pieces.owner, pieces.area > 0, minlength=n) - (area > 0)
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
