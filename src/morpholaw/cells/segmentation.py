"""The nuclei of a crop: which pixels are foreground, and which connected component is the crop's own nucleus.

The crop's own nucleus ends where its brightness falls to half of its brightest chromatin. That depends on the nucleus
alone: a threshold from the whole crop (Otsu's) moves with what is around the cell, so that the same metaphase plate has
another outline beside other neighbours, and every length that is measured on it would tell the neighbourhood. The
outline lies inside the blurred edge: areas of simulated nuclei are 0.83 (interphase) and 0.77 (metaphase) of the true
ones; half of the mean brightness has 0.95 of both, and moves more with the neighbours. The other nuclei have Otsu's
threshold of the crop.

All crops of a batch are worked on together: one smoothing, one histogram, two labellings.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from morpholaw.cells.normalise import peak

BLOCK = 512
"""Crops worked on at a time."""
MARGIN = 3
"""Pixels by which a segmented nucleus is dilated: its blurred rim, dimmer than half of its brightest, belongs to it."""

_SMOOTHING = 1.0  # pixels
_SPECK = 20  # pixels; a smaller component is noise, neither a nucleus nor a neighbour
_CONTRAST = 12  # grey levels that foreground must be above background, on average, to be anything
_REACH = 12  # pixels from the centre within which the central nucleus must begin
_CONNECTED = np.zeros((3, 3, 3), int)
_CONNECTED[1] = 1  # in the plane of a crop, corners included; never from one crop to the next
_STRAIGHT = _CONNECTED * ndimage.generate_binary_structure(3, 1)
_DISC = (np.hypot(*np.ogrid[-MARGIN : MARGIN + 1, -MARGIN : MARGIN + 1]) <= MARGIN)[None]


def nucleus_masks(images: np.ndarray) -> np.ndarray:
    """Return the central nucleus of every crop: uint8 (n, s, s) to bool (n, s, s), all False where there is none."""
    masks = np.zeros(images.shape, bool)
    for i in range(0, len(images), BLOCK):
        masks[i : i + BLOCK] = segment(images[i : i + BLOCK]).central_mask
    return masks


def foreground_masks(images: np.ndarray) -> np.ndarray:
    """Return all nuclei of every crop, central or not: uint8 (n, s, s) to bool (n, s, s)."""
    masks = np.zeros(images.shape, bool)
    for i in range(0, len(images), BLOCK):
        masks[i : i + BLOCK] = segment(images[i : i + BLOCK]).labels > 0
    return masks


@dataclass(frozen=True)
class Components:
    """Connected components of foreground in a batch of crops."""

    labels: np.ndarray  # int (n, s, s): 0 background; numbers run through the batch
    owner: np.ndarray  # int (components + 1,): the crop of each component
    area: np.ndarray  # int (components + 1,): its pixels; specks are not in ``labels`` and have area 0
    central: np.ndarray  # int (n,): the central nucleus' label, 0 where there is none

    @property
    def central_mask(self) -> np.ndarray:
        """The central nucleus of each crop, bool (n, s, s)."""
        mask: np.ndarray = (self.labels > 0) & (self.labels == self.central[:, np.newaxis, np.newaxis])
        return mask

    def with_central(self, masks: np.ndarray) -> Components:
        """Return these components, the neighbours, and the central nuclei ``masks``, bool (n, s, s)."""
        crops, first = np.arange(len(masks)), len(self.area)
        found = masks.any(axis=(1, 2))
        own = np.where(found, first + crops, 0)
        return Components(
            np.where(masks, own[:, np.newaxis, np.newaxis], self.labels),
            np.concatenate([self.owner, crops]),
            np.concatenate([self.area, masks.sum(axis=(1, 2))]),
            own,
        )


def segment(images: np.ndarray) -> Components:
    """Find the nuclei of a batch of crops, uint8 (n, s, s)."""
    smooth = ndimage.gaussian_filter(images.astype(np.float32), (0, _SMOOTHING, _SMOOTHING), truncate=2.0)
    levels = np.rint(smooth).astype(np.uint8)
    histograms = _histograms(levels)
    threshold = _otsu(histograms)
    own = _own_nuclei(levels, histograms, threshold, peak(smooth))
    others = (levels > threshold[:, np.newaxis, np.newaxis]) & ~with_margin(own)
    return _components(others).with_central(own)


def with_margin(masks: np.ndarray) -> np.ndarray:
    """Return masks (n, s, s) dilated by `MARGIN` pixels."""
    dilated: np.ndarray = ndimage.binary_dilation(masks, _DISC)
    return dilated


def _own_nuclei(
    levels: np.ndarray, histograms: np.ndarray, threshold: np.ndarray, brightest: np.ndarray
) -> np.ndarray:
    """Return the central nucleus of each crop, bool (n, s, s)."""
    half = np.where(threshold < 255, np.rint(brightest / 2), 255)
    own = _central(_components(levels > half[:, np.newaxis, np.newaxis]).labels)
    lost = np.flatnonzero(~own.any(axis=(1, 2)) & (threshold < 255))
    if len(lost):
        # A dim nucleus beside a bright one, which set the level: look for it among what is below the threshold.
        dark = histograms[lost] * (np.arange(256) <= threshold[lost, np.newaxis])
        lower = np.minimum(_otsu(dark), threshold[lost])
        own[lost] = _central(_components(levels[lost] > lower[:, np.newaxis, np.newaxis]).labels)
    return own


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


def _components(foreground: np.ndarray) -> Components:
    """Label foreground, bool (n, s, s), its holes filled."""
    labels, count = ndimage.label(_fill_holes(foreground), structure=_CONNECTED)
    area = np.bincount(labels.ravel(), minlength=count + 1)
    speck = area < _SPECK
    speck[0] = True
    area[speck] = 0
    labels[speck[labels]] = 0
    owner = np.zeros(count + 1, np.int64)
    owner[labels] = np.arange(len(labels))[:, np.newaxis, np.newaxis]
    return Components(labels, owner, area, np.zeros(len(labels), np.int64))


def _fill_holes(foreground: np.ndarray) -> np.ndarray:
    """Fill holes: background that no straight step leads from to the crop's border."""
    labels, count = ndimage.label(~foreground, structure=_STRAIGHT)
    open_ = np.zeros(count + 1, bool)
    for edge in (labels[:, 0], labels[:, -1], labels[:, :, 0], labels[:, :, -1]):
        open_[edge] = True
    open_[0] = False
    closed: np.ndarray = ~open_[labels]
    return closed


def _central(labels: np.ndarray) -> np.ndarray:
    """Return the component under the centre, or the one that comes nearest to it within reach, bool (n, s, s)."""
    size = labels.shape[-1]
    from_centre = np.arange(size) - (size - 1) / 2
    distance = np.hypot(from_centre[:, np.newaxis], from_centre).ravel()
    order = np.argsort(distance, kind="stable")
    order = order[distance[order] <= _REACH * size / 64]
    near = labels.reshape(len(labels), -1)[:, order]
    first = near[np.arange(len(labels)), np.argmax(near > 0, axis=1)][:, np.newaxis, np.newaxis]
    central: np.ndarray = (labels == first) & (labels > 0)
    return central
