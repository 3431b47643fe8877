"""Check that an image has one mask per cell, rather than grey values, foreground and background only, and the like."""

from __future__ import annotations

import numpy as np

from morpholaw.cells.mask_centroids import label_centroids
from morpholaw.errors import InputError

CHECKED = 3
"""Number of frames that are checked, spread over the movie."""
_SCATTERED = 0.1
"""Ratio of the area of masks to that of their bounding boxes, below which they are not masks of single cells."""


def check_mask(mask: np.ndarray, t: int, where: str) -> None:
    """Reject an image without one mask per cell.

    Parameters
    ----------
    mask : ndarray of int, shape (y, x)
        Mask with background 0; an image without any mask passes.
    t : int
        Number of the frame, for messages.
    where : str
        Name of the file or folder, for messages.

    Raises
    ------
    InputError
        If the image clearly does not have one mask per cell.
    """
    ids, _, _, area = label_centroids(mask)
    if len(ids) == 0:
        return
    if area.max() > 0.5 * mask.size and (mask != 0).mean() > 0.98:
        raise InputError(
            f"{where} has no background: {ids[area.argmax()]} covers {area.max() / mask.size:.0%} of frame {t}. "
            "Masks need the value 0 outside of cells and a number for each cell."
        )
    if len(ids) > 20 and area.sum() < _SCATTERED * _boxed(mask, ids):
        raise InputError(
            f"{where} looks like an image and not like masks: frame {t} has {len(ids)} values, each scattered "
            "over the frame. Masks need the value 0 outside of cells and a number for each cell; is it the movie?"
        )
    if len(ids) <= 5 and (cells := _components(mask, ids)) >= 3 * len(ids):
        shown = ", ".join(map(str, ids))
        raise InputError(
            f"{where} marks foreground and not single cells: frame {t} has the value{'s' * (len(ids) > 1)} {shown} "
            f"in {cells} separate places. Number the cells first, e.g. with skimage.measure.label or MorphoLibJ's "
            "Connected Components Labeling in Fiji."
        )


def _boxed(mask: np.ndarray, ids: np.ndarray) -> int:
    """Return the total area of the bounding boxes of a frame's values."""
    row, column = np.nonzero(mask)
    number = np.searchsorted(ids, mask[row, column])
    spans = []
    for place, length in ((row, mask.shape[0]), (column, mask.shape[1])):
        low, high = np.full(len(ids), length), np.full(len(ids), -1)
        np.minimum.at(low, number, place)
        np.maximum.at(high, number, place)
        spans.append(high - low + 1)
    return int((spans[0] * spans[1]).sum())


def _components(mask: np.ndarray, ids: np.ndarray) -> int:
    """Return the number of connected components of a frame's values, without specks."""
    from scipy import ndimage

    count = 0
    for value in ids.tolist():
        _, _, _, areas = label_centroids(ndimage.label(mask == value)[0])
        count += int((areas >= 0.1 * areas.max()).sum())
    return count
