"""Families of tracks: tracks that are connected by divisions or merges, which a split must not separate."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

_MOST_DAUGHTERS = 3
"""Maximum number of tracks with the same missing parent that count as sisters; more share a program's mark for none."""


def families(tracks: pd.DataFrame) -> pd.Series:
    """Return the family of every track: the connected component of its parents, daughters and merges.

    Parameters
    ----------
    tracks : DataFrame
        Columns ``track_id``, ``parent`` (-1 for none) and optionally ``family``: tracks with the same value there are
        related in ways that ``parent`` does not state, such as by a merge.

    Returns
    -------
    Series of int64, indexed by track_id
        The smallest ``track_id`` of the family's tracks without a parent in the table. Daughters of the same missing
        parent, which the file or movie does not show, are one family.
    """
    first = tracks.drop_duplicates("track_id")
    ids, parents = first["track_id"].to_numpy(), first["parent"].to_numpy()
    known = np.isin(parents, ids) & (parents != ids)
    missing = pd.Series(np.where(known | (parents <= 0), -1, parents))
    children = missing.map(missing.value_counts()).to_numpy()
    sisters = np.where((missing.to_numpy() >= 0) & (children <= _MOST_DAUGHTERS), missing.to_numpy(), -1)
    marks = [sisters]
    if "family" in first:
        marks.append(pd.factorize(first["family"])[0])
    at = pd.Index(ids)
    pairs = [np.column_stack([np.flatnonzero(known), at.get_indexer(parents[known])])]
    pairs += [_linked(mark) for mark in marks]
    component = components(len(ids), np.concatenate(pairs))
    names = np.where(known, np.iinfo(np.int64).max, ids)
    smallest = pd.Series(names).groupby(component).transform("min").to_numpy()
    return pd.Series(smallest, index=ids)


def joined(track_ids: Sequence[int] | np.ndarray, pairs: np.ndarray) -> np.ndarray:
    """Return a number for each row that is equal for tracks linked by pairs of track ids, int64 (n, 2)."""
    at = pd.Index(np.unique(track_ids))
    rows = np.column_stack([at.get_indexer(pairs[:, 0]), at.get_indexer(pairs[:, 1])])
    numbers: np.ndarray = components(len(at), rows[(rows >= 0).all(axis=1)])[at.get_indexer(track_ids)]
    return numbers


def components(count: int, pairs: np.ndarray) -> np.ndarray:
    """Return the connected component, a number from 0, of each of ``count`` nodes linked by ``pairs`` (n, 2)."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    ones = np.ones(len(pairs), np.int8)
    graph = coo_array((ones, (pairs[:, 0], pairs[:, 1])), shape=(count, count))
    result: np.ndarray = connected_components(graph, directed=False)[1]
    return result


def _linked(marks: Sequence[int] | np.ndarray) -> np.ndarray:
    """Return pairs of rows (n, 2) that link all rows with the same mark; -1 marks rows without one."""
    marks = np.asarray(marks)
    order = np.argsort(marks, kind="stable")
    order = order[marks[order] >= 0]
    same = marks[order[1:]] == marks[order[:-1]]
    return np.column_stack([order[:-1][same], order[1:][same]])
