"""Whether an image holds one mask per cell: not grey values, not foreground and background, no labelled background."""

from __future__ import annotations

import numpy as np

from morpholaw.cells.mask_centroids import label_centroids
from morpholaw.errors import InputError

CHECKED = 3
"""Frames of a movie's masks that are checked, spread over it."""
_SCATTERED = 0.1
"""Area of masks over the area of the boxes around them below which they are no masks of single cells."""


def check_mask(mask: np.ndarray, t: int, where: str) -> None:
    """Refuse an image that does not hold one mask per cell.

    Parameters
    ----------
    mask : ndarray, integers (y, x)
        0 is background; an image without any mask passes.
    t : int
        Its frame, for messages.
    where : str
        Its file or folder, for messages.

    Raises
    ------
    InputError
        It shows that it does not.
    """
    ids, _, _, area = label_centroids(mask)
    if len(ids) == 0:
        return
    if area.max() > 0.5 * mask.size and (mask != 0).mean() > 0.98:
        raise InputError(
            f"{where} has no background: {ids[area.argmax()]} covers {area.max() / mask.size:.0%} of frame {t}. "
            "Masks have the value 0 outside of cells and a number for each cell."
        )
    if len(ids) > 20 and area.sum() < _SCATTERED * _boxed(mask, ids):
        raise InputError(
            f"{where} looks like an image and not like masks: frame {t} has {len(ids)} values, each scattered "
            "over the frame. Masks have the value 0 outside of cells and a number for each cell; is it the movie?"
        )
    if len(ids) <= 5 and (cells := _components(mask, ids)) >= 3 * len(ids):
        shown = ", ".join(map(str, ids))
        raise InputError(
            f"{where} marks foreground and not single cells: frame {t} has the value{'s' * (len(ids) > 1)} {shown} "
            f"in {cells} separate places. Number the cells first, e.g. with skimage.measure.label or MorphoLibJ's "
            "Connected Components Labeling in Fiji."
        )


def spread_over(count: int, most: int) -> list[int]:
    """Return up to ``most`` of 0 to count-1, evenly spaced and rising."""
    if count <= 0:
        return []
    places: list[int] = np.unique(np.linspace(0, count - 1, min(count, most)).round().astype(int)).tolist()
    return places


def _boxed(mask: np.ndarray, ids: np.ndarray) -> int:
    """Sum the areas of the boxes around the values of a frame."""
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
    """Separate places in which a frame's values are, without specks."""
    from scipy import ndimage

    count = 0
    for value in ids.tolist():
        _, _, _, areas = label_centroids(ndimage.label(mask == value)[0])
        count += int((areas >= 0.1 * areas.max()).sum())
    return count
