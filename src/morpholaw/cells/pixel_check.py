"""Look at the pixels: do tracked places show cells, in their own frame?

Two questions are asked of a few pairs of consecutive frames. *Brightness*: in how many of the random places
around it is a tracked place brighter than the image? Around half of them where tracks and movie do not belong
together. *Centring*: how far from a tracked place is the centre of the light around it? Least in its own frame,
so that tracks that are a frame early or late are told from those that are right. No random choice changes from
run to run, and no frame is read that the crops are not cut from as well, as long as all is right.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
import pandas as pd

PAIRS = 4
"""Pairs of consecutive frames that are looked at, spread over the movie."""

LIMIT = 0.70
"""Brightness share that many tracks must reach. All real data are above 0.86, wrong input is below 0.61 (howto/data.md)."""

ALLOWANCE = 0.25
"""What the limit is lowered by for a single track, and by 1/sqrt(n) of it for n tracks."""

_CELLS = 48  # looked at in one frame
_PLACES = 16  # random places compared with each cell
_DISC = 2  # pixels on each side of a place whose mean is its brightness
_REACH = 10  # pixels within which the centre of the light is looked for
_FEWEST_TRACKS = 3  # fewer say too little to stop anybody
_TIMING_Z = 3.5  # standard errors by which another frame must fit better in all pairs
_LATE_TIMING_Z = 4.0  # and in the pairs from one of them on
_FURTHEST_SHIFT = 6  # frames that tracks are assumed to be early or late at most
_BETTER = 0.15  # by how much an explanation must raise the share of brighter places

Frames = Mapping[int, np.ndarray]
Move = Callable[[np.ndarray, np.ndarray], tuple[np.ndarray, np.ndarray]]
"""What becomes of rows and columns under an explanation, such as x for y."""


@dataclass(frozen=True)
class PixelFindings:
    """What the pixels say about tracks.

    Attributes
    ----------
    share : float
        Share of the random places around a tracked place that are darker than it, mean over tracks; 0.5 by chance.
    error : float
        Standard error of ``share``.
    limit : float
        What ``share`` must reach, given the number of tracks.
    tracks, cells : int
        How many were looked at.
    shift : int
        0 where tracks fit their own frames best; 1 or -1 where the next or previous frame fits better.
    shift_from : int or None
        The frame from which they do, None for all frames.
    dark : bool
        Whether the tracked places are darker than what is around them, and in the middle of something dark.
    beside : tuple of float
        Rows and columns from the tracked places to the centre of the light around them, mean over cells.
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

    @property
    def enough(self) -> bool:
        """Whether there are tracks enough to judge by."""
        return self.tracks >= _FEWEST_TRACKS

    @property
    def show_cells(self) -> bool:
        """Whether cells are seen at the tracked places, bright or dark."""
        return self.dark or self.share >= self.limit

    @property
    def sentence(self) -> str:
        """What was found, in a sentence."""
        found = (
            f"Tracked places are brighter than {100 * self.share:.0f} % of the places around them "
            f"({self.cells} cells of {self.tracks} tracks"
        )
        if not self.enough:
            return f"{found}; too few to judge by)."
        return f"{found}; 50 % by chance)."


def frame_pairs(tracked: Sequence[int]) -> list[tuple[int, int]]:
    """Choose pairs of consecutive frames, spread evenly, among those with tracked cells.

    Where no two frames are consecutive, each is paired with itself.
    """
    known = set(tracked)
    starts = [t for t in tracked if t + 1 in known]
    if not starts:
        return [(t, t) for t in _spread(list(tracked), 2 * PAIRS)]
    chosen: list[int] = []
    for t in _spread(starts, PAIRS):
        if not chosen or t > chosen[-1] + 1:
            chosen.append(t)
    return [(t, t + 1) for t in chosen]


def check_pixels(frames: Frames, cells: pd.DataFrame, size: float) -> PixelFindings | None:
    """Compare tracked places with the pixels of the frames.

    Parameters
    ----------
    frames : mapping of int to ndarray (y, x)
        Some frames by their number, preferably pairs of consecutive ones.
    cells : DataFrame
        ``track_id``, ``t``, ``y``, ``x`` (pixels of the frames), and optionally ``dummy``.
    size : float
        Side of a crop, in pixels of the frames: how far around a cell its surroundings reach.

    Returns
    -------
    PixelFindings or None
        None where the frames show nothing at all, or hold no tracked cell.
    """
    shown = {t: frame for t, frame in frames.items() if _shows_something(frame)}
    looks = [look for t, frame in shown.items() if len((look := _look(shown, t, frame, cells, size)).track)]
    if not looks:
        return None
    track = np.concatenate([look.track for look in looks])
    share, error, tracks = _mean_over_tracks(track, np.concatenate([look.brighter for look in looks]))
    limit = _limit(tracks)
    shift, shift_from = _timing(looks)
    dark = share <= 1 - limit and _is_centre_of_dark(shown, cells)
    beside = np.mean(np.concatenate([look.beside for look in looks]), axis=0)
    return PixelFindings(
        share, error, limit, tracks, len(track), shift, shift_from, dark, (float(beside[0]), float(beside[1]))
    )


@dataclass(frozen=True)
class Explanation:
    """An assumption under which tracks fit the pixels better.

    Attributes
    ----------
    text : str
        What would be wrong with the input, and what to do.
    share : float
        Share of brighter places under the assumption.
    """

    text: str
    share: float


def explain(
    findings: PixelFindings,
    read: Callable[[int], np.ndarray],
    frame_count: int,
    cells: pd.DataFrame,
    size: float,
    pixel_size: float | None = None,
) -> Explanation | None:
    """Find the assumption under which tracks fit the pixels best, where one clearly does.

    Parameters
    ----------
    findings : PixelFindings
        What :func:`check_pixels` found.
    read : callable
        Returns a frame (y, x) by its number.
    frame_count : int
        Frames of the movie.
    cells, size
        As for :func:`check_pixels`.
    pixel_size : float, optional
        Micrometres per pixel: positions may have been in micrometres.
    """
    times = _spread(sorted(int(t) for t in cells["t"].unique() if 0 <= t < frame_count), PAIRS)
    frames = {t: read(t) for t in times}
    if not frames:
        return None
    if findings.shift and findings.share >= findings.limit:
        return _nearest_frames(findings, read, frame_count, frames, cells)
    height, width = next(iter(frames.values())).shape
    moves = _moves(height, width, pixel_size)
    found = [Explanation(text, _share_moved(frames, cells, size, move)) for text, move in moves]
    found.extend(_shifted(read, frame_count, frames, cells, size))
    if (offset := _offset(frames, cells, size)) is not None:
        found.append(offset)
    best = max(found, key=lambda one: one.share)
    as_given = _share_moved(frames, cells, size, lambda y, x: (y, x))
    return best if best.share >= max(LIMIT, as_given + _BETTER) else None


def _nearest_frames(
    findings: PixelFindings,
    read: Callable[[int], np.ndarray],
    frame_count: int,
    frames: Frames,
    cells: pd.DataFrame,
) -> Explanation:
    """Find by how many frames tracks are early or late: where the light is nearest to the tracked places."""
    first = findings.shift_from or 0
    distances = {}
    for shift in range(-_FURTHEST_SHIFT, _FURTHEST_SHIFT + 1):
        each = []
        for t in frames:
            if t >= first and 0 <= t + shift < frame_count:
                y, x, _ = _places(frames[t], cells, t)
                each.append(_distance(read(t + shift), y, x))
        if each and (shift == 0 or shift * findings.shift > 0):
            distances[shift] = float(np.concatenate(each).mean())
    best = min(distances, key=lambda shift: distances[shift])
    return Explanation(_shift_text(best or findings.shift, findings.shift_from), findings.share)


def _shift_text(shift: int, shift_from: int | None = None) -> str:
    count = "1 frame" if abs(shift) == 1 else f"{abs(shift)} frames"
    way = "early" if shift > 0 else "late"
    if shift_from is not None:
        return (
            f"from about frame {shift_from} on, frame numbers are {count} too {way}, as where frames are missing from "
            "the movie or from the tracks; complete them"
        )
    return f"frame numbers are {count} too {way}; give --frame-offset {shift}"


def _moves(height: int, width: int, pixel_size: float | None) -> list[tuple[str, Move]]:
    moves: list[tuple[str, Move]] = [
        ("x and y are exchanged; exchange the two columns", lambda y, x: (x, y)),
        (
            "y counts from the bottom of the image; subtract it from the height minus 1",
            lambda y, x: (height - 1 - y, x),
        ),
        (
            "x counts from the right of the image; subtract it from the width minus 1",
            lambda y, x: (y, width - 1 - x),
        ),
    ]
    factors = {2.0, 0.5, 4.0, 0.25, 3.0, 1 / 3}
    named = {}
    if pixel_size is not None and abs(pixel_size - 1) > 0.05:
        named = {
            1 / pixel_size: "positions are in micrometres and were taken for pixels; divide them by the pixel "
            f"size, {pixel_size:.4g}",
            pixel_size: "positions are in pixels and were taken for micrometres; multiply them by the pixel "
            f"size, {pixel_size:.4g}",
        }
    for factor in sorted(factors):
        named.setdefault(
            factor,
            f"positions are of an image {factor:.3g} times as small; multiply them by {factor:.3g}"
            if factor > 1
            else f"positions are of an image {1 / factor:.3g} times as large; divide them by {1 / factor:.3g}",
        )
    for factor, text in named.items():
        moves.append((text, lambda y, x, factor=factor: (y * factor, x * factor)))  # type: ignore[misc]
    return moves


def _shifted(
    read: Callable[[int], np.ndarray], frame_count: int, frames: Frames, cells: pd.DataFrame, size: float
) -> list[Explanation]:
    """Assume that tracks are some frames early or late."""
    found = []
    for shift in range(-_FURTHEST_SHIFT, _FURTHEST_SHIFT + 1):
        moved = {t + shift: t for t in frames if 0 <= t + shift < frame_count}
        if not moved or shift == 0:
            continue
        shifted = {t: frames[t] if t in frames else read(t) for t in moved}
        table = cells[cells["t"].isin(moved.values())].assign(t=cells["t"] + shift)
        share = _share_moved(shifted, table, size, lambda y, x: (y, x))
        found.append(Explanation(_shift_text(shift), share))
    return found


def _offset(frames: Frames, cells: pd.DataFrame, size: float) -> Explanation | None:
    """Assume that all positions are off by the same distance: where does the mean image have its light?"""
    reach = int(size // 2)
    total = np.zeros((2 * reach + 1, 2 * reach + 1))
    grid = np.arange(-reach, reach + 1)
    for t, frame in frames.items():
        y, x, _ = _places(frame, cells, t)
        windows = _window(frame, y, x, grid).astype(np.float64)
        centre = windows.mean(axis=(1, 2), keepdims=True)
        spread = windows.std(axis=(1, 2), keepdims=True)
        total += ((windows - centre) / np.where(spread > 0, spread, 1)).sum(axis=0)
    row, column = np.unravel_index(np.argmax(_box_mean(total)), total.shape)
    dy, dx = int(row) - reach, int(column) - reach
    if np.hypot(dy, dx) <= _DISC:
        return None
    share = _share_moved(frames, cells, size, lambda y, x: (y + dy, x + dx))
    return Explanation(
        f"positions lie beside the cells, which are {dy:+d} pixels further in y and {dx:+d} in x, as for tracks "
        "of a part of the image; add those to the columns",
        share,
    )


def _box_mean(image: np.ndarray) -> np.ndarray:
    from scipy import ndimage

    smooth: np.ndarray = ndimage.uniform_filter(image, 2 * _DISC + 1)
    return smooth


@dataclass(frozen=True)
class _Look:
    """What is seen at the tracked places of a frame, one row per cell.

    ``beside`` (n, 2) leads from the place to the centre of the light around it, in pixels.
    ``nearer`` maps -1 and 1, the frame before and the one after, to the pixels by which the light's centre is nearer
    there than in the frame itself.
    """

    t: int
    track: np.ndarray
    brighter: np.ndarray
    beside: np.ndarray
    nearer: dict[int, np.ndarray]


def _look(frames: Frames, t: int, frame: np.ndarray, cells: pd.DataFrame, size: float) -> _Look:
    y, x, track = _places(frame, cells, t)
    beside = _beside(frame, y, x)
    distance = np.hypot(*beside.T)
    nearer = {s: distance - _distance(frames[t + s], y, x) for s in (-1, 1) if t + s in frames}
    return _Look(t, track, _brighter(frame, y, x, size), beside, nearer)


def _timing(looks: list[_Look]) -> tuple[int, int | None]:
    """Find whether the frame before or after fits better, in all pairs of frames or from one of them on."""
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
    """Whether gains, pixels that the light's centre is nearer in another frame, are certainly above 0."""
    if len(gains) < 8:
        return False
    error = float(gains.std(ddof=1)) / np.sqrt(len(gains))
    return bool(gains.mean() > max(0.1, z * error))


def _mean_over_tracks(track: np.ndarray, values: np.ndarray) -> tuple[float, float, int]:
    """Return the mean over tracks, its standard error, and the number of tracks; cells of one track are not independent."""
    _, which, count = np.unique(track, return_inverse=True, return_counts=True)
    each = np.bincount(which, values) / count
    error = float(each.std(ddof=1)) / np.sqrt(len(each)) if len(each) > 1 else 0.5
    return float(each.mean()), error, len(each)


def _limit(tracks: int) -> float:
    return float(LIMIT - ALLOWANCE / np.sqrt(max(tracks, 1)))


def _is_centre_of_dark(frames: Frames, cells: pd.DataFrame) -> bool:
    """Whether tracked places are in the middle of something dark, and not beside something bright."""
    gains = []
    for t, frame in frames.items():
        y, x, _ = _places(frame, cells, t)
        inverted = -frame.astype(np.float32)
        sides = ((_REACH, 0), (-_REACH, 0), (0, _REACH), (0, -_REACH))
        beside = np.mean([_distance(inverted, y + dy, x + dx) for dy, dx in sides], axis=0)
        gains.append(beside - _distance(inverted, y, x))
    return float(np.concatenate(gains).mean()) > 0.5


def _share_moved(frames: Frames, cells: pd.DataFrame, size: float, move: Move) -> float:
    """Return the share of brighter places when every position is moved."""
    y, x = move(cells["y"].to_numpy(np.float64), cells["x"].to_numpy(np.float64))
    moved = cells.assign(y=y, x=x)
    shares = [
        _brighter(frame, *_places(frame, moved, t)[:2], size)
        for t, frame in frames.items()
        if _shows_something(frame)
    ]
    every = np.concatenate(shares) if shares else np.zeros(0)
    return float(every.mean()) if len(every) >= _FEWEST_TRACKS else 0.0


def _shows_something(frame: np.ndarray) -> bool:
    some = frame[::4, ::4]
    return bool(some.min() < some.max() or frame.min() < frame.max())


def _places(frame: np.ndarray, cells: pd.DataFrame, t: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return rows, columns and tracks of up to _CELLS cells of a frame, spread over the table."""
    here = cells["t"].to_numpy() == t
    if "dummy" in cells:
        here &= ~cells["dummy"].to_numpy(bool)
    rows = np.flatnonzero(here)
    y, x = (cells[name].to_numpy(np.float64)[rows] for name in ("y", "x"))
    height, width = frame.shape
    inside = np.flatnonzero((y >= -0.5) & (y < height - 0.5) & (x >= -0.5) & (x < width - 0.5))
    some = inside[_evenly(len(inside), _CELLS)]
    whole = (np.rint(y[some]).astype(np.int64), np.rint(x[some]).astype(np.int64))
    return *whole, cells["track_id"].to_numpy()[rows[some]]


def _brighter(frame: np.ndarray, y: np.ndarray, x: np.ndarray, size: float) -> np.ndarray:
    """Return, for each place, the share of random places around it that are darker."""
    dy, dx = (np.rint(size * part).astype(np.int64) for part in _around())
    rows, columns = y[:, None] + dy, x[:, None] + dx
    height, width = frame.shape
    inside = (rows >= 0) & (rows < height) & (columns >= 0) & (columns < width)
    places = _brightness(frame, rows.ravel(), columns.ravel()).reshape(rows.shape)
    here = _brightness(frame, y, x)[:, None]
    darker = ((here > places) + 0.5 * (here == places)) * inside
    share: np.ndarray = darker.sum(axis=1) / np.maximum(inside.sum(axis=1), 1)
    share[~inside.any(axis=1)] = 0.5
    return share


@cache
def _around() -> tuple[np.ndarray, np.ndarray]:
    """Places around a cell, in crop sides: from beside a nucleus to the next crop, all directions."""
    rng = np.random.default_rng(0)
    angle = (np.arange(_PLACES) + rng.uniform(size=_PLACES)) * 2 * np.pi / _PLACES
    distance = rng.permutation(np.linspace(0.32, 0.88, _PLACES))
    return distance * np.sin(angle), distance * np.cos(angle)


def _brightness(frame: np.ndarray, y: np.ndarray, x: np.ndarray) -> np.ndarray:
    grid = np.array([-_DISC, 0, _DISC])
    mean: np.ndarray = _window(frame, y, x, grid).mean(axis=(1, 2), dtype=np.float64)
    return mean


def _distance(frame: np.ndarray, y: np.ndarray, x: np.ndarray) -> np.ndarray:
    """Return how far from each place the centre of the light around it is, in pixels."""
    distance: np.ndarray = np.hypot(*_beside(frame, y, x).T)
    return distance


def _beside(frame: np.ndarray, y: np.ndarray, x: np.ndarray) -> np.ndarray:
    """Return rows and columns from each place to the centre of the light around it, (n, 2)."""
    grid = np.arange(-_REACH, _REACH + 1, 2)
    light = _window(frame, y, x, grid).astype(np.float32)
    rim = light[:, 0].sum(axis=1) + light[:, -1].sum(axis=1) + light[:, 1:-1, 0].sum(axis=1)
    rim += light[:, 1:-1, -1].sum(axis=1)
    light -= (rim / (4 * len(grid) - 4))[:, None, None]
    np.maximum(light, 0, out=light)
    down, across = light.sum(axis=2), light.sum(axis=1)
    total = np.maximum(down.sum(axis=1), 1e-6)
    return np.stack([down @ grid / total, across @ grid / total], axis=1)


def _window(frame: np.ndarray, y: np.ndarray, x: np.ndarray, grid: np.ndarray) -> np.ndarray:
    """Return the pixels at ``grid`` around places, (n, k, k); the border's pixels are repeated outside."""
    rows = np.clip(y[:, None] + grid, 0, frame.shape[0] - 1)
    columns = np.clip(x[:, None] + grid, 0, frame.shape[1] - 1)
    pixels: np.ndarray = frame[rows[:, :, None], columns[:, None, :]]
    return pixels


def _evenly(n: int, count: int) -> np.ndarray:
    """Return up to ``count`` of 0 to n-1, evenly spaced."""
    return np.arange(n) if n <= count else np.linspace(0, n - 1, count).round().astype(np.int64)


def _spread(values: list[int], count: int) -> list[int]:
    return [values[i] for i in _evenly(len(values), count)]
