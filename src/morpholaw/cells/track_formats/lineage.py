"""Conversion of a graph of spots to tracks: unbranched runs of spots, and their parents."""

from __future__ import annotations

import numpy as np
import pandas as pd

from morpholaw.cells.families import components
from morpholaw.cells.track_formats.parents import merge_note
from morpholaw.errors import InputError


def linear_tracks(spots: pd.DataFrame, edges: np.ndarray, where: str, notes: list[str]) -> pd.DataFrame:
    """Cut a forest of spots into tracks at every division.

    Parameters
    ----------
    spots : DataFrame
        Columns ``spot`` (unique id), ``t`` and optionally ``source_track`` (str, the file's own id of the track);
        others are kept.
    edges : ndarray
        Pairs of ids, (n, 2), of spots that are the same cell or mother and daughter, in either order.
    where : str
        Name of the file in messages.
    notes : list of str
        List to which assumptions are added.

    Returns
    -------
    DataFrame
        ``spots`` sorted by frame, with ``track_id``, ``parent`` (-1 for none) and ``family``, equal for tracks that
        edges connect. A track keeps the file's own number; if a division cuts it, the mother keeps the number, and the
        others get new ones in the order of their first frame.

    Raises
    ------
    InputError
        If two spots have the same id, or an edge leads to a missing spot or to a spot of the same frame.
    """
    spots = spots.sort_values(["t", "spot"], kind="stable", ignore_index=True)
    ends = _checked_edges(spots, edges, where)
    before = _predecessors(len(spots), ends, where, notes)
    daughters = np.bincount(before[before >= 0], minlength=len(spots))
    track = np.zeros(len(spots), np.int64)
    parent = np.full(len(spots), -1, np.int64)
    first: list[int] = []
    for spot, mother in enumerate(
        before.tolist()
    ):  # in order of time, so that a mother comes before her daughters
        if mother >= 0 and daughters[mother] == 1:
            track[spot], parent[spot] = track[mother], parent[mother]
        else:
            track[spot] = len(first)
            parent[spot] = track[mother] if mother >= 0 else -1
            first.append(spot)
    numbers = np.arange(1, len(first) + 1)
    if "source_track" in spots:
        numbers = _own_numbers(spots["source_track"].iloc[first].tolist())
    family = components(len(first), track[ends])
    return spots.assign(
        track_id=numbers[track], parent=np.where(parent >= 0, numbers[parent], -1), family=family[track]
    )


def _own_numbers(names: list[str]) -> np.ndarray:
    """Return the number of each track: the file's own number for the first track that has it, else a new one."""
    numbers = np.full(len(names), -1, np.int64)
    taken: set[int] = set()
    for i, name in enumerate(names):
        if name.isascii() and name.isdigit() and len(name) < 18 and (number := int(name)) not in taken:
            taken.add(number)
            numbers[i] = number
    new = numbers < 0
    numbers[new] = max(taken, default=0) + 1 + np.arange(new.sum())
    return numbers


def _checked_edges(spots: pd.DataFrame, edges: np.ndarray, where: str) -> np.ndarray:
    """Return the edges as pairs of rows (n, 2), the earlier spot first, each once."""
    row = pd.Index(spots["spot"])
    if not row.is_unique:
        raise InputError(f"{where} has two spots with the id {row[row.duplicated()][0]}.")
    if len(edges) == 0:
        return np.zeros((0, 2), np.int64)
    ends = np.column_stack([row.get_indexer(edges[:, 0]), row.get_indexer(edges[:, 1])])
    if (ends < 0).any():
        missing = edges[ends < 0][0]
        raise InputError(f"{where} has an edge to the spot {missing}, which is not in the file.")
    t = spots["t"].to_numpy()
    ends = np.where((t[ends[:, 0]] > t[ends[:, 1]])[:, None], ends[:, ::-1], ends)
    if (same := t[ends[:, 0]] == t[ends[:, 1]]).any():
        raise InputError(f"{where} has {same.sum()} edges between two spots of the same frame.")
    return np.unique(ends, axis=0)


def _predecessors(count: int, ends: np.ndarray, where: str, notes: list[str]) -> np.ndarray:
    """Return, for every spot, the row of its predecessor; -1 for none and after merges."""
    before = np.full(count, -1, np.int64)
    merged = np.bincount(ends[:, 1], minlength=count) > 1
    if merged.any():
        notes.append(merge_note(where, int(merged.sum())))
        ends = ends[~merged[ends[:, 1]]]
    before[ends[:, 1]] = ends[:, 0]
    return before
