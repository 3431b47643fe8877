"""Comparison of tracks with pixels: whether there are cells at the tracked positions, in the right frame.

Two properties are measured in a few pairs of consecutive frames. *Brightness* is the share of points around a tracked
position that are darker than it, about half if tracks and movie do not belong together or the frames are of another
channel. *Centring* is the distance from a tracked position to the centre of the light around it. It is smallest in the
right frame, which reveals tracks that are a frame early or late, and times that were read as frames. The result is
deterministic.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from morpholaw.cells.frame_pairs import common_step
from morpholaw.cells.tracked_places import (
    REACH,
    Frames,
    Places,
    distance_to_light,
    light_beside,
    measured_places,
    places_in,
    share_of_darker,
    shows_something,
)

LIMIT = 0.70
"""Required brightness share for many tracks; real data are above 0.83, wrong input below 0.60 (howto/data.md)."""
ALLOWANCE = 0.25
"""Reduction of the limit for a single track; for n tracks it is divided by sqrt(n)."""
DOUBTFUL = 0.83
"""Brightness share below which tracks that pass are compared with other assumptions, such as exchanged x and y."""
FEWEST_TRACKS = 3
"""With fewer tracks, nothing is rejected."""
OFF_CENTRE = 2.5
"""Mean distance in pixels between positions and the centre of light beyond which positions are beside the cells."""

_TIMING_Z = 3.5  # standard errors by which another frame must fit better in all pairs
_LATE_TIMING_Z = 4.0  # the same for all pairs after some frame
_LEAST_GAIN = 0.1  # pixels by which another frame must fit better
_CELLS_FOR_MEANS = 20  # minimum number of cells for a meaningful mean
_UNSEEN = 0.62  # maximum brightness share in frames without visible cells; about 0.5 by chance
_LOST, _LOST_SHARE = 4, 0.25  # minimum number and share of tracks without visible cells, to reject all tracks
_FEW_LOST, _FEW_LOST_SHARE = 3, 0.03  # the same for a doubt; real data have fewer: two, or 0.01 of many
_UNSEEN_FRAMES = 0.25  # minimum share of frames without visible cells, so that a single bad frame is accepted


@dataclass(frozen=True)
class PixelFindings:
    """Result of the comparison of tracks with pixels.

    Attributes
    ----------
    share : float
        Share of random points around a tracked position that are darker than it, averaged over tracks; 0.5 by chance.
    error : float
        Standard error of ``share``.
    limit : float
        Required ``share``, given the number of tracks.
    tracks, cells : int
        Number of tracks and cells that were examined.
    shift : int
        0 if tracks fit their own frames best; 1 or -1 if the next or previous frame fits better.
    shift_from : int or None
        First frame for which this holds; None for all frames.
    dark : bool
        Whether the tracked positions are darker than their surroundings and in the centre of something dark.
    beside : tuple of float
        Mean offset in rows and columns from the tracked positions to the centre of the light around them.
    beside_error : float
        Standard error of ``beside``.
    unseen : tuple of int
        Frames without visible cells at the tracked positions, if several have none and others do.
    step : int
        Factor by which frame numbers must be divided if the cells are visible in the resulting frames; else 1.
    lost : tuple of int
        Tracks without visible cells at their positions, while other tracks have them.
    """

    share: float
    error: float
    limit: float
    tracks: int
    cells: int
    shift: int = 0
    shift_from: int | None = None
    dark: bool = False
    beside: tuple[float, float] = (0.0, 0.0)
    beside_error: float = 0.0
    unseen: tuple[int, ...] = ()
    step: int = 1
    lost: tuple[int, ...] = ()

    @property
    def mixed(self) -> bool:
        """Whether so many tracks have no visible cells that they seem to belong to another movie."""
        return len(self.lost) >= max(_LOST, _LOST_SHARE * self.tracks)

    @property
    def some_lost(self) -> bool:
        """Whether more tracks have no visible cells than in real data."""
        return len(self.lost) >= max(_FEW_LOST, _FEW_LOST_SHARE * self.tracks)

    @property
    def off_centre(self) -> bool:
        """Whether positions are beside the cells, all in the same direction."""
        distance = float(np.hypot(*self.beside))
        return (
            self.enough
            and self.cells >= _CELLS_FOR_MEANS
            and distance > max(OFF_CENTRE, 5 * self.beside_error)
        )

    @property
    def fits(self) -> bool:
        """Whether tracks and pixels fit each other, or there are too few tracks to judge."""
        return not (self.enough and self.wrong)

    @property
    def doubtful(self) -> bool:
        """Whether tracks and pixels fit each other less well than real data do, or only because tracks are few."""
        return self.fits and (self.wrong or self.share < DOUBTFUL or self.some_lost)

    @property
    def wrong(self) -> bool:
        """Whether tracks and pixels contradict each other, however few tracks there are."""
        wrong = self.dark or self.shift != 0 or self.off_centre or self.share < self.limit
        return wrong or bool(self.unseen) or self.step > 1 or self.mixed

    @property
    def enough(self) -> bool:
        """Whether there are enough tracks to judge."""
        return self.tracks >= FEWEST_TRACKS

    @property
    def sentence(self) -> str:
        """The result as a sentence."""
        comparison = (
            f"Tracked positions are brighter than {100 * self.share:.0f} % of the points around them "
            f"({self.cells} cells of {self.tracks} tracks"
        )
        if not self.enough:
            return f"{comparison}; too few to judge)."
        return f"{comparison}; 50 % by chance)."


def check_pixels(frames: Frames, cells: pd.DataFrame, size: float) -> PixelFindings | None:
    """Compare tracked positions with the pixels of frames.

    Parameters
    ----------
    frames : mapping of int to ndarray (y, x)
        Some frames by number, preferably pairs of consecutive ones.
    cells : DataFrame
        Columns ``track_id``, ``t``, ``y``, ``x`` (pixels of the frames), and optionally ``dummy``.
    size : float
        Side length of a crop in pixels of the frames, which determines the extent of a cell's surroundings.

    Returns
    -------
    PixelFindings or None
        None if the frames are blank or contain no tracked cells.
    """
    places = measured_places(cells)
    shown = {t: frame for t, frame in frames.items() if shows_something(frame)}
    looks = [look for t, frame in shown.items() if len((look := _look(shown, t, frame, places, size)).track)]
    if not looks:
        return None
    track = np.concatenate([look.track for look in looks])
    share, error, tracks, lost = _mean_over_tracks(track, np.concatenate([look.brighter for look in looks]))
    limit = _limit(tracks)
    shift, shift_from = _timing(looks)
    dark = share <= 1 - limit and _is_centre_of_dark(shown, places)
    beside = np.concatenate([look.beside for look in looks])
    down, across = (float(mean) for mean in beside.mean(axis=0))
    return PixelFindings(
        share,
        error,
        limit,
        tracks,
        len(track),
        shift,
        shift_from,
        dark,
        (down, across),
        float(np.hypot(*beside.std(axis=0))) / np.sqrt(tracks),  # as cells of a track are correlated
        () if dark else _unseen(looks),
        _time_step(shown, places),
        () if dark else lost,
    )


def _unseen(looks: list[_Look]) -> tuple[int, ...]:
    """Return the frames without visible cells at the tracked positions; empty if there is only one."""
    judged = [look for look in looks if len(look.track) >= FEWEST_TRACKS]
    without = [look for look in judged if look.brighter.mean() < _limit(len(look.track))]
    if len(without) < max(2, _UNSEEN_FRAMES * len(judged)) or len(without) == len(judged):
        return ()
    together = float(np.concatenate([look.brighter for look in without]).mean())
    return tuple(look.t for look in without) if together < _UNSEEN else ()


def _time_step(frames: Frames, places: Places) -> int:
    """Return the divisor of frame numbers for which the light is clearly nearer in the resulting frames, or 1."""
    step = common_step(places.t.tolist())
    gains = []
    for t in frames if step > 1 else ():
        if t > 0 and t % step == 0 and t // step in frames:
            y, x, _ = places_in(frames[t], places, t)
            gains.append(distance_to_light(frames[t], y, x) - distance_to_light(frames[t // step], y, x))
    return step if gains and _stands_out(np.concatenate(gains), _TIMING_Z) else 1


@dataclass(frozen=True)
class _Look:
    """Measurements at the tracked positions of a frame, one row per cell.

    ``beside`` (n, 2) is the offset from the position to the centre of the light around it, in pixels.
    ``nearer`` maps -1 and 1, the previous and next frame, to the pixels by which the centre of light is nearer in that
    frame than in the frame itself.
    """

    t: int
    track: np.ndarray
    brighter: np.ndarray
    beside: np.ndarray
    nearer: dict[int, np.ndarray]


def _look(frames: Frames, t: int, frame: np.ndarray, places: Places, size: float) -> _Look:
    y, x, track = places_in(frame, places, t)
    beside = light_beside(frame, y, x)
    distance = np.hypot(*beside.T)
    nearer = {s: distance - distance_to_light(frames[t + s], y, x) for s in (-1, 1) if t + s in frames}
    return _Look(t, track, share_of_darker(frame, y, x, size), beside, nearer)


def _timing(looks: list[_Look]) -> tuple[int, int | None]:
    """Determine whether the previous or next frame fits better, in all pairs of frames or after some frame."""
    for shift in (-1, 1):
        gains = {look.t: look.nearer[shift] for look in looks if shift in look.nearer}
        if not gains:
            continue
        if _stands_out(np.concatenate(list(gains.values())), _TIMING_Z):
            return shift, None
        times = sorted(gains)
        for k, t in enumerate(times[1:], 1):
            if _stands_out(np.concatenate([gains[later] for later in times[k:]]), _LATE_TIMING_Z):
                return shift, t
    return 0, None


def _stands_out(gains: np.ndarray, z: float) -> bool:
    """Return whether gains (pixels by which the centre of light is nearer in another frame) are clearly above 0."""
    if len(gains) < 8:
        return False
    error = float(gains.std(ddof=1)) / np.sqrt(len(gains))
    return bool(gains.mean() > max(_LEAST_GAIN, z * error))


def _mean_over_tracks(track: np.ndarray, values: np.ndarray) -> tuple[float, float, int, tuple[int, ...]]:
    """Return the mean over tracks, its standard error, the number of tracks, and those without visible cells.

    Cells of a track are correlated, so each track counts once.
    """
    ids, which, count = np.unique(track, return_inverse=True, return_counts=True)
    each = np.bincount(which, values) / count
    error = float(each.std(ddof=1)) / np.sqrt(len(each)) if len(each) > 1 else 0.5
    return float(each.mean()), error, len(each), tuple(ids[each < _UNSEEN].tolist())


def _limit(tracks: int) -> float:
    return float(LIMIT - ALLOWANCE / np.sqrt(max(tracks, 1)))


def _is_centre_of_dark(frames: Frames, places: Places) -> bool:
    """Return whether tracked positions are in the centre of something dark, and not beside something bright."""
    gains = []
    for t, frame in frames.items():
        y, x, _ = places_in(frame, places, t)
        inverted = -frame.astype(np.float32)
        sides = ((REACH, 0), (-REACH, 0), (0, REACH), (0, -REACH))
        beside = np.mean([distance_to_light(inverted, y + dy, x + dx) for dy, dx in sides], axis=0)
        gains.append(beside - distance_to_light(inverted, y, x))
    return float(np.concatenate(gains).mean()) > 0.5
