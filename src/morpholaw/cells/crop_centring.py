"""Single tracks and frames whose cells are beside the centre of their crops, as where a few tracks are a frame late.

Before a movie is cut, :mod:`morpholaw.cells.pixel_check` compares all tracks together with a few frames. Afterwards,
every crop shows where its own cell is, so that one track among many stands out, and one frame.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd

from morpholaw.cells.tracked_places import REACH, centre_of_light
from morpholaw.display import counted, first_few

_LEAST_STEP, _LONGEST_STEP = 3.0, 8.0
"""Pixels per frame by which a cell must move to be judged: less is hardly visible, and more leaves the window."""
_FEWEST = 5
"""Minimum number of crops of a track or frame."""
_NEARER = 0.5
"""Share of the movement by which the light must be nearer in another frame; 1 if it is exactly there."""
_ERRORS = 3.5
"""Number of standard errors by which it must be nearer, or by which the light must be beside the centre."""
_EXCEPTIONS = 0.25
"""Share of tracks or frames up to which they are exceptions; the rest is judged before the movie is cut."""
_BESIDE = 3.0
"""Mean distance in pixels between the centre of the crops of a frame and their light, above which they do not fit."""


class CropCentring:
    """The centre of the light in every crop.

    Parameters
    ----------
    scale : float
        Pixels of a crop per pixel of the movie.
    """

    def __init__(self, scale: float = 1.0) -> None:
        self._scale = scale
        self._beside: list[np.ndarray] = []

    def add(self, crops: np.ndarray) -> None:
        """Add the crops (k, s, s) of a frame."""
        centre = crops.shape[1] // 2
        reach = min(REACH, centre - 1)
        grid = np.arange(-reach, reach + 1, 2)
        middle = crops[:, centre + grid[:, None], centre + grid]
        self._beside.append(centre_of_light(middle, grid) / self._scale)

    def sentences(self, cells: pd.DataFrame, name: str) -> Iterator[str]:
        """Yield a sentence on each kind of exception in a movie.

        Parameters
        ----------
        cells : DataFrame
            ``track_id``, ``t``, ``y`` and ``x`` (pixels of the movie) of the added crops, in their order.
        name : str
            Name of the movie.
        """
        cells = cells.reset_index(drop=True)
        beside = np.concatenate(self._beside)
        if drifting := _drifting_frames(cells, beside):
            yield (
                f"In {counted(len(drifting), 'frame')} of {name} (such as {first_few(map(str, drifting), 3)}), the "
                "cells are all beside their tracked positions in the same direction, as if either the movie or the "
                "tracks had been corrected for drift. Give the movie that was tracked."
            )
            return
        for shift, high, when in ((-1, "low", "before"), (1, "high", "after")):
            moves = _moves(cells, shift)
            tracks = _misplaced(cells["track_id"], beside, moves)
            if 0 < len(tracks) <= _EXCEPTIONS * cells["track_id"].nunique():
                yield (
                    f"The frame numbers of {counted(len(tracks), 'track')} of {name} "
                    f"({first_few(map(str, tracks), 5)}) seem to be 1 too {high}, while the others fit: the cells are "
                    f"where these tracks are in the frame {when}. Correct the numbers, or remove these tracks, and cut "
                    "the movie again."
                )
            frames = _misplaced(cells["t"], beside, moves)
            if 0 < len(frames) <= _EXCEPTIONS * cells["t"].nunique():
                yield (
                    f"In {counted(len(frames), 'frame')} of {name} ({first_few(map(str, frames), 5)}), the cells are "
                    f"where the tracks are in the frame {when}, as if frames were exchanged, missing or repeated. "
                    "Check the order of the movie's frames."
                )


def _moves(cells: pd.DataFrame, shift: int) -> np.ndarray:
    """Return how far each cell moves in ``shift`` frames, float (n, 2); NaN where its track has no such frame."""
    place = cells[["y", "x"]].set_index(pd.MultiIndex.from_frame(cells[["track_id", "t"]]))
    there = pd.MultiIndex.from_arrays([cells["track_id"], cells["t"] + shift])
    moves: np.ndarray = place.reindex(there).to_numpy(np.float64) - place.to_numpy(np.float64)
    return moves


def _misplaced(group: pd.Series, beside: np.ndarray, moves: np.ndarray) -> list[int]:
    """Return the groups (tracks or frames) of cells whose light is where ``moves`` leads."""
    step = np.hypot(*moves.T)
    nearer = np.hypot(*beside.T) - np.hypot(*(beside - moves).T)
    judged = np.isfinite(step) & (step >= 1) & (step <= _LONGEST_STEP)
    groups = pd.DataFrame({"nearer": nearer, "step": step})[judged].groupby(group[judged])
    mean, count = groups.mean(), groups.size()
    error = groups["nearer"].std() / np.sqrt(count)
    wrong = (mean["nearer"] > _NEARER * mean["step"]) & (mean["nearer"] > _ERRORS * error)
    wrong &= (count >= _FEWEST) & (mean["step"] >= _LEAST_STEP)
    return [int(key) for key in mean.index[wrong]]


def _drifting_frames(cells: pd.DataFrame, beside: np.ndarray) -> list[int]:
    """Return the frames in which the light is beside all cells in one direction, if there are several."""
    groups = pd.DataFrame(beside, columns=["y", "x"]).groupby(cells["t"])
    count = groups.size()
    distance = np.hypot(*groups.mean().to_numpy().T)
    error = np.hypot(*groups.std().to_numpy().T) / np.sqrt(count)
    wrong = (distance > np.maximum(_BESIDE, _ERRORS * error)) & (count >= _FEWEST)
    return [int(t) for t in count.index[wrong]] if wrong.sum() > max(1, 0.1 * len(count)) else []
