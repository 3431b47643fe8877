"""Cell Tracking Challenge folders: man_track.txt or res_track.txt, and a mask of track ids for every frame.

The text has a line "L B E P" for every track: its id, first and last frame, and parent (0 for none). Positions are
only in the masks.
"""

from __future__ import annotations

import itertools
import re
from pathlib import Path

import numpy as np
import pandas as pd

from morpholaw.cells.even_spacing import evenly
from morpholaw.cells.mask_centroids import stack_centroids
from morpholaw.cells.movie_formats.folder import open_frame
from morpholaw.cells.track_formats.facts import TrackContext, TrackFacts, Tracks
from morpholaw.cells.track_formats.lineage import linear_tracks
from morpholaw.cells.track_formats.mask_check import CHECKED, check_mask
from morpholaw.display import counted
from morpholaw.errors import InputError, reason

_TABLES = ("man_track.txt", "res_track.txt")
_MASK = re.compile(r"(?:man_track|mask)_?(\d+)\.tiff?", re.IGNORECASE)


def ctc_folder(path: Path) -> Path | None:
    """Return the folder with the CTC track table for ``path``, or None.

    ``path`` can be that folder, a folder with a TRA subfolder (01_GT), or the text file itself.
    """
    if path.is_dir():
        return next((d for d in (path, path / "TRA") if any((d / name).is_file() for name in _TABLES)), None)
    return path.parent if path.name in _TABLES or _looks_like_table(path) else None


def read_ctc(path: Path, context: TrackContext) -> Tracks:
    """Read a CTC folder or its track table; ``t`` is the number in the file name of the mask.

    Raises
    ------
    InputError
        If there are no masks in the same folder, or the table or the masks are invalid.
    """
    folder = ctc_folder(path)
    if folder is None:
        raise InputError(f"{path} has no {' or '.join(_TABLES)}.")
    file = path if path.is_file() else next(folder / name for name in _TABLES if (folder / name).is_file())
    lineage = read_ctc_table(file)
    masks = sorted((int(m[1]), p) for p in folder.iterdir() if (m := _MASK.fullmatch(p.name)))
    if not masks:
        raise InputError(
            f"{file} lists tracks without positions; expected masks (man_track000.tif or mask000.tif, ...) "
            "in the same folder."
        )
    numbers = [t for t, _ in masks]
    if len(set(numbers)) < len(numbers):
        twice = next(a for a, b in itertools.pairwise(numbers) if a == b)
        raise InputError(f"{folder} has two masks with the number {twice}; keep one of them.")
    notes: list[str] = []
    shapes: set[tuple[int, ...]] = set()
    for place in evenly(len(masks), CHECKED).tolist():
        check_mask(_read_mask(masks[place][1], shapes), numbers[place], str(folder))
    table = stack_centroids((t, _read_mask(p, shapes)) for t, p in masks).drop(columns="area")
    if len(table) == 0:
        raise InputError(f"{folder} has no mask in any of its {len(masks)} frames.")
    if missing := sorted(set(range(numbers[0], numbers[-1])) - set(numbers)):
        notes.append(
            f"{folder} has masks numbered {numbers[0]} to {numbers[-1]} without {missing[0]} ({len(missing)} missing): "
            "no cell is tracked there."
        )
    parents = lineage.set_index("track_id")["parent"]
    known = table["track_id"].isin(parents.index)
    if not known.all():
        count = table.loc[~known, "track_id"].nunique()
        notes.append(
            f"{file} does not list {count} of the tracks in the masks; they are kept without a parent."
        )
    absent = ~lineage["track_id"].isin(table["track_id"])
    if absent.any():
        notes.append(
            f"{file}: left out {counted(absent.sum(), 'track')} in no mask of frames {masks[0][0]} to {masks[-1][0]}."
        )
    notes += _contradictions(table[known], lineage, set(numbers), file)
    table["parent"] = table["track_id"].map(parents).fillna(-1).astype(np.int64)
    table = table.assign(mask_id=table["track_id"])
    if table["track_id"].is_unique and (table["parent"] >= 0).any():
        table = _joined(table, file, notes)
    shape = shapes.pop()
    facts = TrackFacts(
        format="CTC folder",
        image_size=(shape[0], shape[1]),
        frame_numbering="file numbers",
        frame_numbers=tuple(numbers),
        unit="pixel",
        notes=notes,
        sources={"image_size": "the masks", "frame_numbers": "the names of the masks", "unit": "the masks"},
    )
    return Tracks(table, facts)


def _joined(table: pd.DataFrame, file: Path, notes: list[str]) -> pd.DataFrame:
    """Return the tracks of masks whose ids start again in each frame, linked by the parents in the table."""
    linked = table["parent"].isin(table["track_id"])
    edges = table.loc[linked, ["parent", "track_id"]].to_numpy()
    spots = table.drop(columns="parent").rename(columns={"track_id": "spot"})
    tracks = linear_tracks(spots, edges, str(file), notes).drop(columns="spot")
    notes.append(
        f"{file}: every id is in one frame only, so the parents in the table are read as links: "
        f"{counted(tracks['track_id'].nunique(), 'track')}."
    )
    return tracks


def _contradictions(table: pd.DataFrame, lineage: pd.DataFrame, numbers: set[int], file: Path) -> list[str]:
    """Reject a track table whose frames differ from those of the masks; return notes on single tracks that differ."""
    seen = table.groupby("track_id")["t"].agg(["min", "max"])
    stated = lineage.set_index("track_id").loc[seen.index]
    inside = stated["begin"].isin(numbers) & stated["end"].isin(numbers)
    wrong = (seen["min"] != stated["begin"]) & inside | (seen["max"] != stated["end"]) & inside
    shift = (seen["min"] - stated["begin"])[wrong]
    if 2 * wrong.sum() > len(seen) > 1 and shift.nunique() == 1 and shift.iloc[0] != 0:
        raise InputError(
            f"The tracks in {file} are {counted(abs(int(shift.iloc[0])), 'frame')} "
            f"{'before' if shift.iloc[0] > 0 else 'after'} their masks; number the masks as in the table."
        )
    if wrong.any():
        count = counted(int(wrong.sum()), "track")
        return [f"{file} states other frames than the masks for {count}; those of the masks are used."]
    return []


def read_ctc_table(file: Path) -> pd.DataFrame:
    """Read the lines "L B E P" as columns track_id, begin, end and parent (-1 for none)."""
    try:
        table = pd.read_csv(file, sep=r"\s+", header=None, comment="#", dtype=np.int64)
    except (ValueError, OverflowError, UnicodeDecodeError) as error:
        raise InputError(f"{file} is not a CTC track table; expected lines of four whole numbers.") from error
    if table.shape[1] != 4:
        raise InputError(
            f"{file} has {table.shape[1]} columns; expected the four of a CTC track table (L B E P)."
        )
    table.columns = pd.Index(["track_id", "begin", "end", "parent"])
    if table["track_id"].duplicated().any():
        twice = table.loc[table["track_id"].duplicated(), "track_id"].iloc[0]
        raise InputError(f"{file} lists track {twice} twice.")
    table.loc[table["parent"] <= 0, "parent"] = -1
    return table


def _read_mask(path: Path, shapes: set[tuple[int, ...]]) -> np.ndarray:
    """Read the ids of one frame and add its shape to ``shapes``; all frames must have the same shape."""
    source = open_frame(path)
    if source.facts.dtype.kind not in "ui":
        raise InputError(f"{path} has {source.facts.dtype} pixels; expected integers in masks.")
    shapes.add(tuple(source.facts.shape[-2:]))
    if len(shapes) > 1:
        sizes = " and ".join(" x ".join(map(str, shape)) for shape in sorted(shapes))
        raise InputError(f"{path.parent} has masks of different sizes ({sizes}), the first at {path.name}.")
    try:
        return np.asarray(source.read(0))
    except Exception as error:
        raise InputError(f"{path} cannot be read: {reason(error)}.") from error


def _looks_like_table(path: Path) -> bool:
    try:
        with path.open(encoding="ascii") as handle:
            return re.fullmatch(r"\s*\d+\s+\d+\s+\d+\s+-?\d+\s*", handle.readline(200)) is not None
    except (OSError, UnicodeDecodeError):
        return False
