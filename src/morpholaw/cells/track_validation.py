"""Validation of track tables: their columns, types, order and parents, and positions inside the movie."""

from __future__ import annotations

import warnings

import numpy as np
import pandas as pd

from morpholaw.cells.families import families
from morpholaw.display import counted
from morpholaw.errors import InputError

_COLUMNS = ["track_id", "t", "y", "x", "parent"]


class TracksWarning(UserWarning):
    """Tracks that were left out, or an automatic decision, in one sentence."""


def validate_tracks(
    tracks: pd.DataFrame, where: str = "The track table", notes: list[str] | None = None
) -> pd.DataFrame:
    """Return a track table with the right columns, types and order.

    Parents that are not in the table become -1, with a sentence in ``notes`` or else a :class:`TracksWarning`; the
    column ``family`` then states which tracks have the same one. Other columns are kept.

    Parameters
    ----------
    tracks : DataFrame
        Table to validate.
    where : str
        Name of the table in messages.
    notes : list of str, optional
        List to which sentences are added in place of warnings.

    Returns
    -------
    DataFrame

    Raises
    ------
    InputError
        If a column is missing, there are no rows, a position is not finite, an id or frame is negative or not an
        integer, or a track occurs twice in one frame, has two parents, or is its own ancestor.
    """
    if missing := [name for name in _COLUMNS[:4] if name not in tracks.columns]:
        raise InputError(f"{where} has no column {', '.join(missing)}; expected track_id, t, y and x.")
    if not tracks.columns.is_unique:
        twice = ", ".join(map(str, tracks.columns[tracks.columns.duplicated()].unique()))
        raise InputError(f"{where} has more than one column {twice}; expected each once.")
    if len(tracks) == 0:
        raise InputError(f"{where} has no tracks.")
    table = tracks.reset_index(drop=True).copy()
    for name in ("track_id", "t"):
        table[name] = _whole(table[name], name, where)
    for name in ("y", "x"):
        table[name] = _numbers(table[name], name, where)
    table["parent"] = (
        _whole(table["parent"], "parent", where, lowest=-1) if "parent" in table else np.int64(-1)
    )
    if "label" in table:
        table["label"] = table["label"].astype(object).where(table["label"].notna(), "").astype(str)
    if "dummy" in table:
        table["dummy"] = table["dummy"].astype(bool)
    for name in ("source_track", "source_id"):
        if name in table:
            table[name] = table[name].astype(object).where(table[name].notna(), "").astype(str)
    table = table.sort_values(["track_id", "t"], kind="stable", ignore_index=True)
    twice = table.duplicated(["track_id", "t"])
    if twice.any():
        first = table[twice].iloc[0]
        raise InputError(
            f"{where} has track {int(first.track_id)} twice in frame {int(first.t)} "
            f"({counted(int(twice.sum()), 'row')}): daughters need other ids than their mother, and a table may "
            "contain only one movie."
        )
    related = families(table)
    sentences: list[str] = []
    table = with_family(_check_parents(table, where, sentences), related)
    for sentence in sentences if notes is None else []:
        warnings.warn(sentence, TracksWarning, stacklevel=2)
    if notes is not None:
        notes += sentences
    return table[[*_COLUMNS, *(name for name in table.columns if name not in _COLUMNS)]]


def clip_tracks(
    tracks: pd.DataFrame, movie_shape: tuple[int, int, int], where: str = "The track table"
) -> tuple[pd.DataFrame, list[str]]:
    """Drop the rows of a track table that are outside the movie.

    Parameters
    ----------
    tracks : DataFrame
        A valid track table.
    movie_shape : tuple of int
        (t, y, x) of the movie.
    where : str
        Name of the table in messages.

    Returns
    -------
    tracks : DataFrame
        Rows inside the movie; a parent without remaining rows becomes -1.
    notes : list of str
        One sentence per kind of row that was dropped.

    Raises
    ------
    InputError
        If no row is inside.
    """
    frames, height, width = movie_shape
    late = (tracks["t"] >= frames).to_numpy()
    inside = (
        tracks["y"].between(-0.5, height - 0.5, inclusive="left")
        & tracks["x"].between(-0.5, width - 0.5, inclusive="left")
    ).to_numpy()
    kept = ~late & inside
    if not kept.any():
        raise InputError(
            f"{where} has no position inside the movie ({frames} frames of {height} x {width} pixels): it "
            f"spans frames {tracks.t.min()} to {tracks.t.max()}, y {tracks.y.min():.0f} to "
            f"{tracks.y.max():.0f} and x {tracks.x.min():.0f} to {tracks.x.max():.0f}; is it of another "
            "movie, or in micrometres?"
        )
    sentences = []
    if late.any():
        sentences.append(
            f"{where}: {late.sum()} of {len(tracks)} positions are after the movie's last frame "
            f"({frames - 1}) and were left out."
        )
    if (outside := ~late & ~inside).any():
        sentences.append(
            f"{where}: {outside.sum()} of {len(tracks)} positions are outside the {height} x {width} image "
            "and were left out."
        )
    clipped = tracks[kept].reset_index(drop=True)
    clipped.loc[~clipped["parent"].isin(clipped["track_id"]), "parent"] = -1
    return clipped, sentences


def with_family(table: pd.DataFrame, related: pd.Series) -> pd.DataFrame:
    """Return a table with the column ``family`` (see :func:`families`) if its parents do not state all relations."""
    table = table.drop(columns="family", errors="ignore")
    stated = families(table)
    wanted = related.reindex(stated.index)
    if len(set(zip(stated, wanted, strict=True))) == stated.nunique() == wanted.nunique():
        return table
    return table.assign(family=table["track_id"].map(wanted).to_numpy(np.int64))


def _check_parents(table: pd.DataFrame, where: str, notes: list[str]) -> pd.DataFrame:
    parents = table.groupby("track_id")["parent"].agg(["min", "max"])
    if (mixed := parents["min"] != parents["max"]).any():
        raise InputError(
            f"{where} gives track {parents.index[mixed][0]} two parents, but a track has one or none."
        )
    table.loc[
        table["parent"] == table["track_id"], "parent"
    ] = -1  # as btrack and some CTC files write "none"
    unknown = (table["parent"] >= 0) & ~table["parent"].isin(parents.index)
    if unknown.any():
        count = table.loc[unknown, "track_id"].nunique()
        notes.append(
            f"{where}: {counted(count, 'track has', 'tracks have')} a parent that is not in the table; it is left out."
        )
        table.loc[unknown, "parent"] = -1
    begin = table.groupby("track_id")["t"].min()
    early = table["parent"].map(begin) > table["track_id"].map(begin)
    _check_ancestry(dict(zip(table["track_id"], table["parent"], strict=True)), where)
    if early.any():
        count = table.loc[early, "track_id"].nunique()
        notes.append(
            f"{where}: the parents of {counted(count, 'track')} begin after the track itself and are left out."
        )
        table.loc[early, "parent"] = -1
    return table


def _check_ancestry(parent_of: dict[int, int], where: str) -> None:
    """Reject a track that is its own ancestor."""
    settled: set[int] = {-1}
    for track in parent_of:
        path: list[int] = []
        seen: set[int] = set()
        while track not in settled:
            if track in seen:
                loop = [str(step) for step in path[path.index(track) :]]
                names = " -> ".join([*loop[:5], "..." if len(loop) > 5 else loop[0]])
                raise InputError(f"{where} has tracks that are their own ancestors ({names}).")
            seen.add(track)
            path.append(track)
            track = parent_of[track]
        settled.update(path)


def _numbers(column: pd.Series, name: str, where: str) -> np.ndarray:
    numbers: np.ndarray = pd.to_numeric(column, errors="coerce").to_numpy(np.float64)
    bad = ~np.isfinite(numbers)
    if bad.any():
        first = int(np.flatnonzero(bad)[0])
        value = column.iloc[first]
        shown = "nothing" if pd.isna(value) else repr(value) if isinstance(value, str) else str(value)
        raise InputError(
            f"{where} has a column {name} with {counted(bad.sum(), 'value that is', 'values that are')} not a finite "
            f"number, the first ({shown}) in row {first}."
        )
    return numbers


def _whole(column: pd.Series, name: str, where: str, lowest: int = 0) -> np.ndarray:
    numbers = column.to_numpy() if column.dtype.kind in "iu" else _numbers(column, name, where)
    bad = (numbers < lowest) | (numbers != np.floor(numbers)) | (numbers > 2**62)
    if bad.any():
        first = numbers[bad][0]
        raise InputError(
            f"{where} has a column {name} with {counted(bad.sum(), 'value that is', 'values that are')} not a whole "
            f"number of {lowest} or more, the first {first:g}."
        )
    return numbers.astype(np.int64)
