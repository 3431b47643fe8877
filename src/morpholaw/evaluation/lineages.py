"""Cells and families from a table of tracks, with bridged gaps and divisions that the tracker did not link.

A *cell* is a track together with the tracks that continue it, as a parent with one child is a bridged gap. A *division*
is a parent with two or more children, or two tracks that begin where another one has just ended.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.spatial import cKDTree

from morpholaw.errors import InputError

REQUIRED = ("track_id", "t", "class")
LATE = 2
"""Maximum number of frames between the last frame of a mother and the first of an unlinked daughter."""
LEARNT_FROM = 5
"""Minimum number of linked divisions to learn the distance between mothers and daughters."""
MARGIN = 1.5
"""Largest distance of an unlinked daughter, relative to that of linked ones."""
NONE, LINKED, INFERRED = "", "linked", "inferred"


@dataclass(frozen=True)
class Lineages:
    """Images grouped by cell, and cells grouped by family.

    Attributes
    ----------
    images : DataFrame
        Rows of the table that belong to a track, sorted by cell and frame, with the column ``cell`` (int64, a row of
        ``cells``).
    cells : DataFrame
        One row per cell, with the columns ``movie``, ``track_id`` (of its first image), ``first`` and ``last``
        (frames), ``mother`` (a row of this table; -1 for none), ``lineage`` (the row of its first ancestor) and
        ``division`` ("linked" or "inferred" if the cell divides at its end, otherwise "").
    """

    images: pd.DataFrame
    cells: pd.DataFrame


def follow_cells(table: pd.DataFrame, infer: bool = True) -> Lineages:
    """Group tracked images by cell and family.

    Parameters
    ----------
    table : DataFrame
        Table with the columns ``track_id``, ``t`` and ``class``, and optionally ``movie``, ``parent`` (-1 for none),
        ``y`` and ``x`` (pixels). Rows without a track are ignored.
    infer : bool
        Also find divisions that are not linked, which requires ``y`` and ``x``.

    Returns
    -------
    Lineages
        Images by cell and cells by family.

    Raises
    ------
    InputError
        If a column is missing, no row has a track, or a track occurs twice in a frame.
    """
    images = _tracked(table)
    tracks = _summarise(images, images["code"].to_numpy())
    parent = _parent_codes(tracks)
    children = np.bincount(parent[parent >= 0], minlength=len(tracks))
    first, last = tracks["first"].to_numpy(), tracks["last"].to_numpy()
    linked = parent >= 0
    later = np.zeros(len(tracks), bool)
    later[linked] = first[linked] > last[parent[linked]]
    only = np.zeros(len(tracks), bool)
    only[linked] = children[parent[linked]] == 1
    continues = linked & later & only
    head = _first_ancestors(np.where(continues, parent, -1))
    _, cell_of_track = np.unique(head, return_inverse=True)
    images["cell"] = cell_of_track[images.pop("code").to_numpy()]
    images = images.sort_values(["cell", "t"], kind="stable", ignore_index=True)
    cells = _summarise(images, images["cell"].to_numpy())
    mother = np.full(len(cells), -1)
    born = linked & ~continues & later & ~only
    mother[cell_of_track[born]] = cell_of_track[parent[born]]
    division = np.full(len(cells), NONE, dtype=object)
    division[mother[mother >= 0]] = LINKED
    cells["mother"], cells["division"] = mother, division
    if infer and {"y", "x"} <= set(images):
        _infer_divisions(images, cells)
    cells["lineage"] = _first_ancestors(cells["mother"].to_numpy())
    columns = ["movie", "track_id", "first", "last", "mother", "lineage", "division"]
    return Lineages(images, cells[columns])


def _tracked(table: pd.DataFrame) -> pd.DataFrame:
    """Return the rows that belong to a track, sorted by movie, track and frame, with the track number as ``code``."""
    if missing := [name for name in REQUIRED if name not in table]:
        raise InputError(
            f"The table of classes has no column {', '.join(missing)}; expected track_id, t and class."
        )
    images = table.loc[table["track_id"].notna() & table["t"].notna()].copy()
    images = images[(images["track_id"] >= 0) & (images["t"] >= 0)]
    if images.empty:
        raise InputError("No cell has a track; the behaviour of cells over time needs tracked movies.")
    if "movie" not in images:
        images["movie"] = ""
    if "parent" not in images:
        images["parent"] = -1
    images["parent"] = images["parent"].fillna(-1)
    images = images.astype({"track_id": np.int64, "t": np.int64, "parent": np.int64})
    movie, _ = pd.factorize(images["movie"], sort=True)
    images["_movie"] = movie
    images = images.sort_values(["_movie", "track_id", "t"], kind="stable", ignore_index=True)
    keys = images[["_movie", "track_id", "t"]].to_numpy()
    steps = np.diff(keys, axis=0)
    if len(twice := np.flatnonzero((steps == 0).all(axis=1))):
        row = images.iloc[twice[0]]
        in_movie = f" of {row['movie']}" if row["movie"] else ""
        raise InputError(
            f"Track {row['track_id']}{in_movie} occurs twice in frame {row['t']}; expected each cell once."
        )
    images["code"] = np.concatenate([[0], np.cumsum((steps[:, :2] != 0).any(axis=1))])
    return images


def _summarise(images: pd.DataFrame, code: np.ndarray) -> pd.DataFrame:
    """Return one row per code, with the values of its first image and its last frame. Rows are sorted by code."""
    starts = np.concatenate([[0], np.flatnonzero(np.diff(code)) + 1])
    ends = np.concatenate([starts[1:] - 1, [len(code) - 1]])
    summary = images.iloc[starts][["movie", "_movie", "track_id", "parent", "t"]].reset_index(drop=True)
    summary = summary.rename(columns={"t": "first"})
    return summary.assign(last=images["t"].to_numpy()[ends], start=starts, end=ends)


def _parent_codes(tracks: pd.DataFrame) -> np.ndarray:
    """Return the row of each track's parent; -1 if it has none in its movie."""
    track_keys = pd.MultiIndex.from_arrays([tracks["_movie"], tracks["track_id"]])
    parent_keys = pd.MultiIndex.from_arrays([tracks["_movie"], tracks["parent"]])
    parent = np.asarray(track_keys.get_indexer(parent_keys))
    return np.where(parent == np.arange(len(tracks)), -1, parent)


def _first_ancestors(parent: np.ndarray) -> np.ndarray:
    """Return the first ancestor of each row, or the row itself if it has no parent (-1)."""
    ancestor = np.where(parent < 0, np.arange(len(parent)), parent)
    for _ in range(64):  # the number of generations doubles in each step; after 64, the tracks form a circle
        further = ancestor[ancestor]
        if np.array_equal(further, ancestor):
            return ancestor
        ancestor = further
    raise InputError("The tracks have cells that are their own ancestors.")


def _infer_divisions(images: pd.DataFrame, cells: pd.DataFrame) -> None:
    """Add mothers to ``cells`` where two tracks begin close to a track that has just ended.

    The distance between mothers and daughters and the classes of mothers are learnt from linked divisions. If there are
    fewer than `LEARNT_FROM`, cells of any class may divide, and daughters are closer than half the usual distance
    between cells.
    """
    place, t = images[["y", "x"]].to_numpy(np.float64), images["t"].to_numpy()
    begin, end = cells["start"].to_numpy(), cells["end"].to_numpy()
    mother = cells["mother"].to_numpy().copy()
    division = cells["division"].to_numpy(object)
    daughters = np.flatnonzero(mother >= 0)
    classes = images["class"].to_numpy(object)[end]
    if len(np.unique(mother[daughters])) >= LEARNT_FROM:
        apart = np.hypot(*(place[begin[daughters]] - place[end[mother[daughters]]]).T)
        reach = MARGIN * float(np.nanquantile(apart, 0.95))
        names, counts = np.unique(classes[np.unique(mother[daughters])].astype(str), return_counts=True)
        divides = np.isin(classes.astype(str), names[counts >= 0.1 * counts.sum()])
    else:
        reach, divides = _half_spacing(images), np.ones(len(cells), bool)
    movie = cells["_movie"].to_numpy()
    final, start = (
        cells.groupby("_movie")[name].transform(aggregation).to_numpy()
        for name, aggregation in (("last", "max"), ("first", "min"))
    )
    ends = np.flatnonzero((division == NONE) & (t[end] < final) & divides & np.isfinite(place[end]).all(1))
    begins = np.flatnonzero((mother < 0) & (t[begin] > start) & np.isfinite(place[begin]).all(1))
    if not len(ends) or len(begins) < 2 or not reach > 0:
        return
    # Movies are placed far apart on an additional axis, so that one tree holds all of them.
    apart = 10 * reach + 1
    tree = cKDTree(np.column_stack([place[begin[begins]], apart * movie[begins]]))
    found = tree.query_ball_point(np.column_stack([place[end[ends]], apart * movie[ends]]), reach)
    candidates = []
    for cell, near in zip(ends.tolist(), found, strict=True):
        late = t[begin[begins[near]]] - t[end[cell]]
        young = begins[near][(late >= 1) & (late <= LATE)]
        if len(young) < 2:
            continue
        distance = np.hypot(*(place[begin[young]] - place[end[cell]]).T)
        pair = young[np.argsort(distance, kind="stable")[:2]]
        middle = place[begin[pair]].mean(axis=0)
        off = float(np.hypot(*(middle - place[end[cell]])))
        if off <= reach / 2:
            candidates.append((off, cell, pair))
    taken: set[int] = set()
    for _, cell, pair in sorted(candidates, key=lambda one: one[0]):
        if taken.isdisjoint(pair.tolist()):
            taken.update(pair.tolist())
            mother[pair], division[cell] = cell, INFERRED
    cells["mother"], cells["division"] = mother, division


def _half_spacing(images: pd.DataFrame) -> float:
    """Return half the median distance between nearest neighbours in a frame, in pixels; 0 for single cells."""
    nearest = []
    for _, frame in images.groupby(["_movie", "t"], sort=False):
        place = frame[["y", "x"]].to_numpy(np.float64)
        place = place[np.isfinite(place).all(axis=1)]
        if len(place) > 1:
            nearest.append(cKDTree(place).query(place, k=2)[0][:, 1])
        if len(nearest) >= 50:  # enough, as frames have similar densities
            break
    return float(np.median(np.concatenate(nearest))) / 2 if nearest else 0.0
