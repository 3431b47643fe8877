"""Stacks of integer masks (t, y, x), whose ids follow cells over time or start again in each frame."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

import numpy as np

from morpholaw.cells.even_spacing import evenly
from morpholaw.cells.laptrack_linking import link_masks_by_laptrack
from morpholaw.cells.linking import agreement, link_masks
from morpholaw.cells.mask_centroids import label_centroids, stack_centroids
from morpholaw.cells.movie_formats.planes import PARTS_NOT_STORED
from morpholaw.cells.movies import Movie, open_masks, open_movie
from morpholaw.cells.track_formats.facts import Ids, TrackContext, TrackFacts, Tracks
from morpholaw.cells.track_formats.mask_check import CHECKED, check_mask
from morpholaw.errors import InputError, NotChosenError

_SAMPLED = 4
"""Number of pairs of successive frames that are examined to determine the meaning of ids."""
_ENOUGH = 10
"""Minimum number of masks for a decision."""
_AFRESH, _DOUBTFUL = 0.5, 0.8
"""Shares of ids that stay with their cell, below which ids start again in each frame or are doubtful."""


def read_label_stack(source: Any, context: TrackContext) -> Tracks:
    """Read the centroids of the masks in a label stack, and link them if their ids do not identify tracks.

    Parameters
    ----------
    source : path or array
        Anything that :func:`morpholaw.cells.movies.open_movie` opens, with integers; 0 is background. Of a folder with
        both frames and masks, the masks are read.
    context : TrackContext
        Known facts about the movie.

    Returns
    -------
    Tracks

    Raises
    ------
    InputError
        If it cannot be read, its pixels are not integers, it has no masks, or it does not have one mask per cell.
    """
    is_path = isinstance(source, (str, os.PathLike))
    try:
        movie = open_masks(source) if is_path else open_movie(source, "The label stack")
    except NotChosenError:
        name = source if is_path else "The label stack"
        raise InputError(
            f"{name} holds several channels, colours, positions or slices, but masks of one image per frame were "
            "expected: save one of them, or the maximum of the slices, and give that. Masks that were saved as a "
            "colour picture have lost their numbers."
        ) from None
    where = str(movie.path or movie.name)
    numbers = movie.facts.frame_numbers
    notes = [note for note in movie.facts.notes if PARTS_NOT_STORED not in note]
    frames = _Masks(movie, where)
    for t in evenly(len(frames), CHECKED).tolist():
        check_mask(frames[t], t, where)
    ids, why = _meaning(frames) if context.ids == "auto" else (context.ids, "")
    automatic = ids in ("linked", "laptrack")
    if automatic:
        link = link_masks if ids == "linked" else link_masks_by_laptrack
        table = link(enumerate(frames)).drop(columns="area")
    else:
        table = stack_centroids(enumerate(frames)).drop(columns="area")
        table["mask_id"] = table["track_id"]
    if len(table) == 0:
        raise InputError(f"{where} has no mask in any of its {len(movie)} frames.")
    if ids == "per-frame":
        table["track_id"] = np.arange(1, len(table) + 1)
    if automatic:
        divided = table.loc[table["parent"] >= 0, "parent"].nunique()
        notes.append(
            f"{where}: {why}its {len(table)} masks were linked {'by overlap' if ids == 'linked' else 'with LapTrack'}: "
            f"{table['track_id'].nunique()} tracks, {divided} divisions. Check them where cells are crowded or fast. "
            "Other ways to use the ids: --ids tracks (unchanged), --ids linked (by overlap), --ids laptrack (with "
            "LapTrack), --ids per-frame (each mask separately; ids_per_frame=True in Python)."
        )
    elif why:
        notes.append(f"{where}: {why}")
    if numbers is not None:
        table["t"] = np.asarray(numbers, np.int64)[table["t"].to_numpy()]
    facts = TrackFacts(
        format="label stack",
        image_size=(movie.shape[1], movie.shape[2]),
        frame_count=len(movie),
        frame_numbering="as stored" if numbers is None else "file numbers",
        frame_numbers=numbers,
        unit="pixel",
        linked=ids != "per-frame",
        automatic=automatic,
        notes=notes,
        sources=dict.fromkeys(("image_size", "frame_count", "unit"), "the masks")
        | ({} if numbers is None else {"frame_numbers": "the names of the masks"}),
    )
    return Tracks(table, facts)


class _Masks:
    """The frames of a label stack as integers, one at a time."""

    def __init__(self, movie: Movie, where: str) -> None:
        self._movie, self._where = movie, where
        if movie.dtype.kind not in "uif":
            raise InputError(f"{where} has {movie.dtype} pixels; expected whole numbers in masks.")

    def __len__(self) -> int:
        return len(self._movie)

    def __iter__(self) -> Iterator[np.ndarray]:
        return (self[t] for t in range(len(self)))

    def __getitem__(self, t: int) -> np.ndarray:
        mask = self._movie.frame(t)
        if mask.dtype.kind != "f":
            return mask
        whole = mask.astype(np.int64)
        if not np.array_equal(whole, mask):
            raise InputError(
                f"{self._where} has {mask.dtype} pixels that are not whole numbers, as masks need; is it the movie?"
            )
        return whole


def _meaning(frames: _Masks) -> tuple[Ids, str]:
    """Determine the meaning of ids from a few pairs of successive frames; return it with a reason for a note."""
    masks = shared = judged = alike = 0
    contiguous, counts = True, set()
    for t in evenly(len(frames) - 1, _SAMPLED).tolist():
        then, now = frames[t], frames[t + 1]
        ids = [label_centroids(one)[0] for one in (then, now)]
        masks += min(len(ids[0]), len(ids[1]))
        for one in ids:
            contiguous &= len(one) > 0 and np.array_equal(one, np.arange(1, len(one) + 1))
            counts.add(len(one))
        numbers = agreement(then, now)
        shared, judged, alike = shared + numbers[0], judged + numbers[1], alike + numbers[2]
    if masks < _ENOUGH:
        return "tracks", ""
    if shared < 0.1 * masks:
        return "linked", "hardly any id is in two frames, so "
    if judged < max(_ENOUGH, 0.2 * shared):  # cells move too fast to judge by overlap
        return "tracks", ""
    share = alike / judged
    if share < _AFRESH or (contiguous and len(counts) > 1 and share < _DOUBTFUL):
        return "linked", f"ids start again in each frame ({share:.0%} of them stay with their cell), so "
    if share < _DOUBTFUL:
        return "tracks", (
            f"only {share:.0%} of the ids stay with their cell from one frame to the next; if ids start again in "
            "each frame, have the masks linked (--ids linked)."
        )
    return "tracks", ""
