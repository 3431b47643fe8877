"""Orders in which cells are labelled quickly, and the ways along a track."""

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
    AS_CUT: "the order in which the cells were cut",
    BY_TRACK: "one track after the other, each in time",
    DIVIDING: "the last frames of cells that divide come first, which are mitotic",
    BRIGHTEST: "condensed chromatin is bright",
    LEAST_SURE: "cells whose median score over the trained models is nearest to the boundary, which are the most "
    "useful to label",
    DISAGREEING: "cells come first for which the classifiers that were applied predict different classes",
}
"""Each order, and what it is good for."""
SCORED = (LEAST_SURE, DISAGREEING)
"""Orders that need scores."""


def arranged(order: str, chosen: np.ndarray, cells: pd.DataFrame, scores: Sequence[CellScores]) -> np.ndarray:
    """Return the global indices ``chosen``, int64 (rows,), in one of :data:`ORDERS`.

    Parameters
    ----------
    order : str
        The order; an order that needs scores leaves the cells as they are where there are none.
    chosen : ndarray
        The cells.
    cells : DataFrame
        The table of all cells.
    scores : sequence of CellScores
        What classifiers make of all cells, the one that was applied last at the end.
    """
    rank = _ranks(order, cells, scores)
    return chosen if rank is None else chosen[np.argsort(rank[chosen], kind="stable")]


def _ranks(order: str, cells: pd.DataFrame, scores: Sequence[CellScores]) -> np.ndarray | None:
    """Return a number for each cell that rises in the order; None where the cells stay as they are."""
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
    """Return the frames until each cell divides, float64 (cells,); infinite where its track has no two daughters."""
    tracked = cells[(cells["track_id"] >= 0) & (cells["t"] >= 0)]
    daughters = tracked[tracked["parent"] >= 0].groupby(["set", "parent"])["track_id"].nunique()
    last = tracked.groupby(["set", "track_id"])["t"].max()
    dividing = daughters[daughters > 1].index.rename(last.index.names)
    ends = last[last.index.isin(dividing)]
    rank = np.full(len(cells), np.inf)
    keys = tracked.set_index(["set", "track_id"]).index
    place = ends.index.get_indexer(keys)
    rows, found = tracked.index.to_numpy(), place >= 0
    rank[rows[found]] = ends.to_numpy()[place[found]] - tracked["t"].to_numpy()[found]
    return rank


def next_on_track(cells: pd.DataFrame, cell: int) -> int | None:
    """Return the cell of the same track in the next frame that has one; None at its end."""
    track = _track(cells, cell)
    later = track[cells["t"].to_numpy()[track] > cells["t"].iloc[cell]]
    return int(later[0]) if len(later) else None


def stretch(cells: pd.DataFrame, selected: Sequence[int]) -> list[int]:
    """Return the cells of a track from the first to the last of those selected; of one cell, its whole track."""
    track = _track(cells, selected[0])
    frames = cells["t"].to_numpy()
    chosen = [cell for cell in selected if cell in set(track.tolist())]
    if len(chosen) > 1:
        low, high = min(frames[chosen]), max(frames[chosen])
        track = track[(frames[track] >= low) & (frames[track] <= high)]
    return [int(cell) for cell in track]


def next_unlabelled(order: np.ndarray, labels: np.ndarray, current: int | None) -> int | None:
    """Return the next cell without a class after ``current`` in an order of cells, and from its start after its end."""
    start = 0 if current is None or current not in order else int(np.flatnonzero(order == current)[0]) + 1
    turned = np.concatenate([order[start:], order[:start]])
    without = turned[labels[turned] == ""]
    return int(without[0]) if len(without) else None


def _track(cells: pd.DataFrame, cell: int) -> np.ndarray:
    """Return the cells of a cell's track in time, int64 (k,); the cell alone where it has no track."""
    one = cells.iloc[cell]
    if one["track_id"] < 0:
        return np.array([cell])
    same = np.flatnonzero((cells["track_id"] == one["track_id"]) & (cells["set"] == one["set"]))
    return same[np.argsort(cells["t"].to_numpy()[same], kind="stable")]
