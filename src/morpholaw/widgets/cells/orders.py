"""Orders of the gallery that make labelling fast, and steps along a track."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from morpholaw.widgets.study.cell_scores import disagreement

if TYPE_CHECKING:
    import pandas as pd

    from morpholaw.widgets.study.cell_scores import CellScores

AS_CUT, BY_TRACK, DIVIDING, BRIGHTEST = "as cut", "along tracks", "before a division", "brightest first"
LEAST_SURE, DISAGREEING = "least sure first", "classifiers disagree"
ORDERS = {
    AS_CUT: "the order in which the crops were cut",
    BY_TRACK: "one track after another, each in order of time",
    DIVIDING: "the last frames before a cell divides come first; these cells are mitotic",
    BRIGHTEST: "bright cells come first; condensed chromatin is bright",
    LEAST_SURE: "cells whose median score is nearest to the boundary come first; they are the most useful to label",
    DISAGREEING: "cells for which the applied classifiers predict different classes come first",
}
"""What each order shows first, and why."""
SCORED = (LEAST_SURE, DISAGREEING)
"""Orders that need scores."""


def arranged(order: str, chosen: np.ndarray, cells: pd.DataFrame, scores: Sequence[CellScores]) -> np.ndarray:
    """Sort cells by one of :data:`ORDERS`.

    Parameters
    ----------
    order : str
        The order. An order that needs scores changes nothing while there are none.
    chosen : ndarray, int64 (rows,)
        Global indices of the cells to sort.
    cells : DataFrame
        Table of all cells.
    scores : sequence of CellScores
        Scores of all cells, one per classifier; the classifier that was applied last comes last.

    Returns
    -------
    ndarray, int64 (rows,)
        ``chosen`` in the new order.
    """
    rank = _ranks(order, cells, scores)
    return chosen if rank is None else chosen[np.argsort(rank[chosen], kind="stable")]


def _ranks(order: str, cells: pd.DataFrame, scores: Sequence[CellScores]) -> np.ndarray | None:
    """Return the sort key of each cell, in ascending order; None if the cells keep their order."""
    if order == BY_TRACK:
        rank = np.empty(len(cells), np.int64)
        rank[np.lexsort([cells["t"], cells["track_id"], cells["set"].astype(str)])] = np.arange(len(cells))
        return rank
    if order == DIVIDING:
        return frames_to_division(cells)
    if order == BRIGHTEST and "brightness" in cells:
        return np.asarray(-np.nan_to_num(cells["brightness"].to_numpy(np.float64), nan=-np.inf))
    if order == LEAST_SURE and scores:
        return scores[-1].sureness
    if order == DISAGREEING and scores:
        return -disagreement(list(scores)).astype(np.float64) + scores[-1].sureness / 1e9
    return None


def frames_to_division(cells: pd.DataFrame) -> np.ndarray:
    """Return the frames until each cell divides, float64 (cells,); infinity if its track has no two daughters."""
    tracked = cells[(cells["track_id"] >= 0) & (cells["t"] >= 0)]
    daughters = tracked[tracked["parent"] >= 0].groupby(["set", "parent"])["track_id"].nunique()
    last = tracked.groupby(["set", "track_id"])["t"].max()
    dividing = daughters[daughters > 1].index.rename(last.index.names)
    ends = last[last.index.isin(dividing)]
    rank = np.full(len(cells), np.inf)
    keys = tracked.set_index(["set", "track_id"]).index
    place = ends.index.get_indexer(keys)
    rows, divides = tracked.index.to_numpy(), place >= 0
    rank[rows[divides]] = ends.to_numpy()[place[divides]] - tracked["t"].to_numpy()[divides]
    return rank


def next_on_track(cells: pd.DataFrame, cell: int) -> int | None:
    """Return the next cell of the same track; None at the end of the track."""
    track = _track(cells, cell)
    later = track[cells["t"].to_numpy()[track] > cells["t"].iloc[cell]]
    return int(later[0]) if len(later) else None


def stretch(cells: pd.DataFrame, selected: Sequence[int]) -> list[int]:
    """Return the part of a track between the first and the last selected cell; the whole track for one cell."""
    track = _track(cells, selected[0])
    frames = cells["t"].to_numpy()
    on_track = [cell for cell in selected if cell in set(track.tolist())]
    if len(on_track) > 1:
        low, high = min(frames[on_track]), max(frames[on_track])
        track = track[(frames[track] >= low) & (frames[track] <= high)]
    return [int(cell) for cell in track]


def next_unlabelled(order: np.ndarray, labels: np.ndarray, current: int | None) -> int | None:
    """Return the next unlabelled cell after ``current`` in ``order``, wrapping around; None if none is left."""
    start = 0 if current is None or current not in order else int(np.flatnonzero(order == current)[0]) + 1
    rotated = np.concatenate([order[start:], order[:start]])
    unlabelled = rotated[labels[rotated] == ""]
    return int(unlabelled[0]) if len(unlabelled) else None


def _track(cells: pd.DataFrame, cell: int) -> np.ndarray:
    """Return the cells of a cell's track in order of time, int64 (k,); the cell alone if it has no track."""
    row = cells.iloc[cell]
    if row["track_id"] < 0:
        return np.array([cell])
    same = np.flatnonzero((cells["track_id"] == row["track_id"]) & (cells["set"] == row["set"]))
    return same[np.argsort(cells["t"].to_numpy()[same], kind="stable")]
