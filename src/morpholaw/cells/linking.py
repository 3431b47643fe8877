"""A simple linker that connects the masks of successive frames by overlap and distance.

Masks are linked to the masks that they overlap most, or else to the nearest within a cell diameter. A cell may be
missing in one frame. If a mask appears beside another of similar size, on the other side of where one larger mask was,
both become its daughters. Crowded or fast cells need a proper tracker (TrackMate, btrack, trackastra, ultrack).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import pandas as pd

from morpholaw.cells.mask_centroids import label_centroids

REACH = 1.0
"""Maximum movement of a cell between frames if its masks do not overlap, in cell diameters."""
_DAUGHTERS_REACH = 1.5
"""Maximum distance of a daughter from the position of her mother, in cell diameters."""
MISSED = 1
"""Number of frames in which a cell may be missing."""
_SHARE = 0.2, 2.2
"""Minimum ratio of a daughter's area to her mother's, and maximum for both daughters together."""
_ALIKE = 1.6
"""Maximum ratio of the areas of two daughters."""


@dataclass
class _Masks:
    """The masks of one frame, and the number of each mask's track."""

    image: np.ndarray
    ids: np.ndarray
    y: np.ndarray
    x: np.ndarray
    area: np.ndarray
    track: np.ndarray

    @property
    def diameter(self) -> np.ndarray:
        return np.sqrt(4 * self.area / np.pi)


def link_masks(frames: Iterable[tuple[int, np.ndarray]]) -> pd.DataFrame:
    """Link the masks of successive frames.

    Parameters
    ----------
    frames : iterable of (int, ndarray)
        Frame numbers and masks (y, x), integers with background 0. Ids need not correspond between frames.

    Returns
    -------
    DataFrame
        ``track_id`` (from 1), ``t``, ``y``, ``x``, ``area`` (pixels), ``parent`` (-1: none), ``mask_id``.
    """
    parts: list[pd.DataFrame] = []
    parent_of: dict[int, int] = {}
    count = 0
    earlier: list[_Masks] = []  # the last frames, the latest first
    for t, image in frames:
        ids, y, x, area = label_centroids(image)
        now = _Masks(np.asarray(image), ids, y, x, area, np.full(len(ids), -1, np.int64))
        for gap, then in enumerate(earlier):
            free = np.ones(len(then.ids), bool) if gap == 0 else ~np.isin(then.track, earlier[gap - 1].track)
            free &= ~np.isin(then.track, now.track[now.track >= 0])
            before, after = _matches(then, now, free)
            now.track[after] = then.track[before]
            if gap == 0:
                count = _divide(then, now, before, after, parent_of, count)
        new = now.track < 0
        now.track[new] = count + 1 + np.arange(new.sum())
        count += int(new.sum())
        columns = {"track_id": now.track, "t": np.int64(t), "y": y, "x": x, "area": area, "mask_id": ids}
        parts.append(pd.DataFrame(columns))
        earlier = [now, *earlier][: 1 + MISSED]
    if not parts:
        return pd.DataFrame(columns=["track_id", "t", "y", "x", "area", "parent", "mask_id"])
    table = pd.concat(parts, ignore_index=True)
    table["parent"] = table["track_id"].map(parent_of).fillna(-1).astype(np.int64)
    return table[["track_id", "t", "y", "x", "area", "parent", "mask_id"]]


def agreement(then: np.ndarray, now: np.ndarray) -> tuple[int, int, int]:
    """Compare the ids in two successive frames with the links of the linker.

    Parameters
    ----------
    then, now : ndarray
        Masks (y, x).

    Returns
    -------
    shared : int
        Number of ids that occur in both frames.
    judged : int
        Number of links from or to one of these.
    alike : int
        Number of links between masks with the same id.
    """
    frames = [_Masks(image, *label_centroids(image), np.zeros(0, np.int64)) for image in (then, now)]
    first, second = frames
    before, after = _matches(first, second, np.ones(len(first.ids), bool))
    linked = first.ids[before], second.ids[after]
    shared = np.intersect1d(first.ids, second.ids)
    judged = np.isin(linked[0], shared) | np.isin(linked[1], shared)
    return len(shared), int(judged.sum()), int((linked[0] == linked[1]).sum())


def _matches(then: _Masks, now: _Masks, free: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return pairs of masks as row numbers, each mask at most once, closest pairs first."""
    before, after, score = _candidates(then, now)
    usable = free[before] & (now.track[after] < 0 if len(now.track) else True)
    before, after, score = before[usable], after[usable], score[usable]
    taken_before, taken_after = np.zeros(len(then.ids), bool), np.zeros(len(now.ids), bool)
    pairs = []
    for k in np.argsort(-score, kind="stable").tolist():
        a, b = before[k], after[k]
        if not (taken_before[a] or taken_after[b]):
            taken_before[a] = taken_after[b] = True
            pairs.append((a, b))
    chosen = np.array(pairs, np.int64).reshape(-1, 2)
    return chosen[:, 0], chosen[:, 1]


def _candidates(then: _Masks, now: _Masks, reach: float = REACH) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return pairs that overlap (score in (0, 1]) or are within reach (score <= 0: minus the distance)."""
    from scipy.spatial import cKDTree

    nothing = np.zeros(0, np.int64)
    if not (len(then.ids) and len(now.ids)):
        return nothing, nothing, np.zeros(0)
    shared = (then.image != 0) & (now.image != 0)
    a = np.searchsorted(then.ids, then.image[shared])
    b = np.searchsorted(now.ids, now.image[shared])
    codes, overlap = np.unique(a * len(now.ids) + b, return_counts=True)
    a, b = np.divmod(codes, len(now.ids))
    score = overlap / np.minimum(then.area[a], now.area[b])
    places = [np.column_stack([one.y, one.x]) for one in (then, now)]
    most = reach * float(max(then.diameter.max(), now.diameter.max()))
    near = cKDTree(places[0]).sparse_distance_matrix(cKDTree(places[1]), most, output_type="coo_matrix")
    mean = (then.diameter[near.row] + now.diameter[near.col]) / 2
    distance = near.data / mean
    apart = (distance <= reach) & ~np.isin(near.row.astype(np.int64) * len(now.ids) + near.col, codes)
    before = np.concatenate([a, near.row[apart]]).astype(np.int64)
    after = np.concatenate([b, near.col[apart]]).astype(np.int64)
    return before, after, np.concatenate([score, -distance[apart]])


def _divide(
    then: _Masks, now: _Masks, before: np.ndarray, after: np.ndarray, parent_of: dict[int, int], count: int
) -> int:
    """Make daughters of masks that came from the same mask; return the number of tracks so far."""
    mothers, masks, score = _candidates(then, now, _DAUGHTERS_REACH)
    order = np.argsort(-score, kind="stable")
    mothers, masks = mothers[order], masks[order]
    heir = np.full(len(then.ids), -1, np.int64)
    heir[before] = after
    for mother, second in zip(mothers.tolist(), masks.tolist(), strict=True):
        first = heir[mother]
        if first < 0 or now.track[second] >= 0:
            continue
        areas = now.area[[first, second]] / then.area[mother]
        like = areas.max() <= _ALIKE * areas.min() and areas.min() >= _SHARE[0] and areas.sum() <= _SHARE[1]
        sides = [(now.y[k] - then.y[mother], now.x[k] - then.x[mother]) for k in (first, second)]
        if like and sides[0][0] * sides[1][0] + sides[0][1] * sides[1][1] < 0:
            mother_track = int(then.track[mother])
            for daughter in (first, second):
                count += 1
                now.track[daughter] = count
                parent_of[count] = mother_track
            heir[mother] = -1
    return count
