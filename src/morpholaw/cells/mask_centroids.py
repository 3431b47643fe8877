"""Centroids and areas of masks in label images."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import pandas as pd


def stack_centroids(frames: Iterable[tuple[int, np.ndarray]]) -> pd.DataFrame:
    """Return the centroids of every mask in (t, mask) pairs: a table of track_id, t, y, x and area (pixels)."""
    parts = []
    for t, mask in frames:
        ids, y, x, area = label_centroids(mask)
        parts.append(pd.DataFrame({"track_id": ids, "t": np.int64(t), "y": y, "x": x, "area": area}))
    columns = ["track_id", "t", "y", "x", "area"]
    return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=columns)


def label_centroids(mask: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Return ids, y, x and area (pixels) of the masks in one frame, without a loop over masks.

    Parameters
    ----------
    mask : ndarray
        (y, x) integers; 0 is background.

    Returns
    -------
    ids, y, x, area : ndarray
    """
    at = np.flatnonzero(mask)
    labels = mask.ravel()[at]
    if labels.size and (int(labels.max()) > 4 * mask.size or int(labels.min()) < 0):
        ids, labels = np.unique(labels, return_inverse=True)  # bincount would be as long as the largest id
    else:
        ids = np.arange(int(labels.max()) + 1 if labels.size else 0)
    area = np.bincount(labels, minlength=len(ids))
    row, column = np.divmod(at, mask.shape[1])
    present = np.flatnonzero(area)
    y = np.bincount(labels, weights=row, minlength=len(ids))[present] / area[present]
    x = np.bincount(labels, weights=column, minlength=len(ids))[present] / area[present]
    return ids[present].astype(np.int64), y, x, area[present]
