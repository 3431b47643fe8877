"""From a graph of spots to tracks: runs of spots without a branch, and who came from whom."""

from __future__ import annotations

import numpy as np
import pandas as pd

from morpholaw.cells.track_formats.warning import warn_tracks
from morpholaw.errors import InputError


def linear_tracks(spots: pd.DataFrame, edges: np.ndarray, where: str) -> pd.DataFrame:
    """Cut a forest of spots into tracks at every division.

    Parameters
    ----------
    spots : pandas.DataFrame
        Columns ``spot`` (unique id) and ``t``; others are kept.
    edges : numpy.ndarray
        (n, 2) ids of spots that are the same cell or mother and daughter; either order.
    where : str
        The file, for messages.

    Returns
    -------
    pandas.DataFrame
        ``spots`` by frame, with ``track_id`` (from 1, by first frame) and ``parent``.

    Raises
    ------
    InputError
        An edge names a spot that is not there, or joins two spots of one frame.
    """
    spots = spots.sort_values(["t", "spot"], kind="stable", ignore_index=True)
    before = _predecessors(spots, edges, where)
    daughters = np.bincount(before[before >= 0], minlength=len(spots))
    track = np.zeros(len(spots), np.int64)
    parent = np.full(len(spots), -1, np.int64)
    count = 0
    for spot, mother in enumerate(
        before.tolist()
    ):  # in order of time, so a mother comes before her daughters
        if mother >= 0 and daughters[mother] == 1:
            track[spot], parent[spot] = track[mother], parent[mother]
        else:
            count += 1
            track[spot] = count
            parent[spot] = track[mother] if mother >= 0 else -1
    return spots.assign(track_id=track, parent=parent)


def _predecessors(spots: pd.DataFrame, edges: np.ndarray, where: str) -> np.ndarray:
    """For every spot the row of the one it came from, -1 for none."""
    row = pd.Index(spots["spot"])
    if not row.is_unique:
        raise InputError(f"{where} has two spots with the id {row[row.duplicated()][0]}.")
    before = np.full(len(spots), -1, np.int64)
    if len(edges) == 0:
        return before
    ends = np.column_stack([row.get_indexer(edges[:, 0]), row.get_indexer(edges[:, 1])])
    if (ends < 0).any():
        missing = edges[ends < 0][0]
        raise InputError(f"{where} has an edge to the spot {missing}, which is not in the file.")
    t = spots["t"].to_numpy()
    ends = np.where((t[ends[:, 0]] > t[ends[:, 1]])[:, None], ends[:, ::-1], ends)
    if (same := t[ends[:, 0]] == t[ends[:, 1]]).any():
        raise InputError(f"{where} has {same.sum()} edges between two spots of the same frame.")
    ends = np.unique(ends, axis=0)
    merged = np.bincount(ends[:, 1], minlength=len(spots)) > 1
    if merged.any():
        warn_tracks(
            f"{where}: {merged.sum()} spots have two predecessors; they begin new tracks without a parent."
        )
        ends = ends[~merged[ends[:, 1]]]
    before[ends[:, 1]] = ends[:, 0]
    return before
