"""Explanations why tracks do not fit a movie: assumptions under which they would, tried one after another."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import ndimage

from morpholaw.cells.even_spacing import spread
from morpholaw.cells.frame_pairs import PAIRS
from morpholaw.cells.pixel_check import ALLOWANCE, FEWEST_TRACKS, LIMIT, PixelFindings
from morpholaw.cells.tracked_places import (
    DISC,
    Frames,
    Places,
    distance_to_light,
    measured_places,
    places_in,
    share_of_darker,
    shows_something,
    window,
)

_BETTER = 0.15  # minimum increase of the share of darker points under an assumption
_CLEARLY = 0.80  # minimum share if cells may just be dark
_FURTHEST_SHIFT = 6  # maximum number of frames by which tracks may be early or late
_SCALED = (
    4  # minimum difference of the offsets in two halves of the image, in pixels, to assume another scale
)
_STEPS = (2, 3, 4, 5, 10)  # numbers of frames of the movie per frame of the tracks

Move = Callable[[np.ndarray, np.ndarray], tuple[np.ndarray, np.ndarray]]
"""Transforms rows and columns according to an assumption, such as exchanged x and y."""


@dataclass(frozen=True)
class Explanation:
    """An assumption under which tracks fit the pixels better.

    Attributes
    ----------
    text : str
        Description of the error in the input, and what to do.
    share : float
        Share of darker points under the assumption.
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
    """Return the assumption under which tracks fit the pixels best, or None if none is clearly better.

    Parameters
    ----------
    findings : PixelFindings
        Result of :func:`check_pixels`.
    read : callable
        Returns a frame (y, x) by number.
    frame_count : int
        Number of frames of the movie.
    cells, size
        As for :func:`check_pixels`.
    pixel_size : float, optional
        Micrometres per pixel, to test for positions in micrometres.

    Returns
    -------
    Explanation or None
    """
    places = measured_places(cells)
    times = spread([int(t) for t in np.unique(places.t) if 0 <= t < frame_count], PAIRS)
    frames = {t: read(t) for t in times}
    if not frames:
        return None
    if findings.step > 1:
        return Explanation(_step_text(findings.step), findings.share)
    if (best := _best_assumption(findings, read, frame_count, frames, places, size, pixel_size)) is not None:
        return best
    if findings.share >= findings.limit and findings.wrong:
        if findings.unseen and not findings.shift:
            return Explanation(_unseen_text(findings.unseen), findings.share)
        if findings.mixed and not (findings.shift or findings.off_centre):
            return Explanation(_mixed_text(len(findings.lost), findings.tracks), findings.share)
        offset = _offset(frames, places, size) if findings.off_centre else None
        return offset or _nearest_frames(findings, read, frame_count, frames, places)
    return None


def _best_assumption(
    findings: PixelFindings,
    read: Callable[[int], np.ndarray],
    frame_count: int,
    frames: Frames,
    places: Places,
    size: float,
    pixel_size: float | None,
) -> Explanation | None:
    """Return the assumption with the largest share of darker points, or None if none is clearly better."""
    height, width = next(iter(frames.values())).shape
    moves = _moves(height, width, pixel_size)
    candidates = [Explanation(text, _share_moved(frames, places, size, move)) for text, move in moves]
    candidates.extend(_shifted(read, frame_count, frames, places, size))
    candidates.extend(_stretched(read, frame_count, frames, places, size))
    if (offset := _offset(frames, places, size)) is not None:
        candidates.append(offset)
    best = max(candidates, key=lambda one: one.share)
    as_given = _share_moved(frames, places, size, lambda y, x: (y, x))
    # With few tracks, one of so many assumptions fits by chance.
    limit = _CLEARLY if findings.dark else LIMIT + ALLOWANCE / np.sqrt(findings.tracks)
    needed = max(limit, as_given + _BETTER)
    return best if best.share >= needed else None


def _nearest_frames(
    findings: PixelFindings,
    read: Callable[[int], np.ndarray],
    frame_count: int,
    frames: Frames,
    places: Places,
) -> Explanation:
    """Determine by how many frames tracks are early or late, from the distance of light to the tracked positions."""
    first = findings.shift_from or 0
    distances = {}
    for shift in range(-_FURTHEST_SHIFT, _FURTHEST_SHIFT + 1):
        each = []
        for t in frames:
            if t >= first and 0 <= t + shift < frame_count:
                y, x, _ = places_in(frames[t], places, t)
                each.append(distance_to_light(read(t + shift), y, x))
        if each and (shift == 0 or shift * findings.shift > 0):
            distances[shift] = float(np.concatenate(each).mean())
    best = min(distances, key=lambda shift: distances[shift])
    return Explanation(_shift_text(best or findings.shift, findings.shift_from), findings.share)


def _step_text(step: int) -> str:
    return (
        f"frame numbers count in steps of {step}, and the cells are visible in the frames given by their numbers "
        f"divided by {step}, so the numbers are times; give --frame-interval {step}, or a column frame with the "
        "number of the frame, from 0"
    )


def _unseen_text(unseen: tuple[int, ...]) -> str:
    shown = ", ".join(map(str, unseen))
    return (
        f"of the frames that were checked, {shown} have no cells at the tracked positions and the others do, as if "
        "channels or slices alternated, or frames were blank or in another order; give the movie's channel with its "
        "frames in temporal order"
    )


def _mixed_text(lost: int, tracks: int) -> str:
    return (
        f"{lost} of {tracks} tracks have no cells at their positions and the others do, as if tracks of several movies "
        "or positions were mixed; give only those of this movie"
    )


def _shift_text(shift: int, shift_from: int | None = None) -> str:
    count = "1 frame" if abs(shift) == 1 else f"{abs(shift)} frames"
    way = "early" if shift > 0 else "late"
    if shift_from is not None:
        return (
            f"from about frame {shift_from} on, frame numbers are {count} too {way}, as if frames were missing from "
            "the movie or from the tracks; complete them"
        )
    return f"frame numbers are {count} too {way}; give --frame-offset {shift}"


def _moves(height: int, width: int, pixel_size: float | None) -> list[tuple[str, Move]]:
    moves: list[tuple[str, Move]] = [
        ("x and y are exchanged; give --swap-xy", lambda y, x: (x, y)),
        (
            "y is counted from the bottom of the image; subtract it from the height minus 1",
            lambda y, x: (height - 1 - y, x),
        ),
        (
            "x is counted from the right of the image; subtract it from the width minus 1",
            lambda y, x: (y, width - 1 - x),
        ),
    ]
    factors = {2.0, 0.5, 4.0, 0.25, 3.0, 1 / 3}
    named = {}
    if pixel_size is not None and abs(pixel_size - 1) > 0.05:
        named = {
            1 / pixel_size: "positions are in micrometres but were read as pixels; divide them by the pixel "
            f"size, {pixel_size:.4g}",
            pixel_size: "positions are in pixels but were read as micrometres; multiply them by the pixel "
            f"size, {pixel_size:.4g}",
        }
    for factor in sorted(factors):
        named.setdefault(
            factor,
            f"positions belong to an image {factor:.3g} times as small; multiply them by {factor:.3g}"
            if factor > 1
            else f"positions belong to an image {1 / factor:.3g} times as large; divide them by {1 / factor:.3g}",
        )
    for factor, text in named.items():
        moves.append((text, lambda y, x, factor=factor: (y * factor, x * factor)))  # type: ignore[misc]
    return moves


def _shifted(
    read: Callable[[int], np.ndarray], frame_count: int, frames: Frames, places: Places, size: float
) -> list[Explanation]:
    """Assume that tracks are a few frames early or late."""
    candidates = []
    for shift in range(-_FURTHEST_SHIFT, _FURTHEST_SHIFT + 1):
        moved = {t + shift: t for t in frames if 0 <= t + shift < frame_count}
        if 2 * len(moved) < len(frames) or shift == 0:
            continue  # a few cells fit somewhere by chance
        shifted = {t: frames[t] if t in frames else read(t) for t in moved}
        share = _share_moved(shifted, places._replace(t=places.t + shift), size, lambda y, x: (y, x))
        candidates.append(Explanation(_shift_text(shift), share))
    return candidates


def _stretched(
    read: Callable[[int], np.ndarray], frame_count: int, frames: Frames, places: Places, size: float
) -> list[Explanation]:
    """Assume that tracks were made on every second frame, or every third, ..."""
    candidates = []
    for step in _STEPS:
        if step * int(places.t.max()) >= frame_count:
            break
        stretched = {step * t: read(step * t) for t in frames}
        share = _share_moved(stretched, places._replace(t=step * places.t), size, lambda y, x: (y, x))
        text = f"they seem to number one of every {step} frames of the movie; multiply their frame numbers by {step}"
        candidates.append(Explanation(text, share))
    return candidates


def _offset(frames: Frames, places: Places, size: float) -> Explanation | None:
    """Return the common offset of all positions, or their wrong scale, from the light in the mean image."""
    dy, dx = _offset_of_light(frames, places, size)
    factor = _factor(frames, places, size)
    if factor is not None:
        share = _share_moved(frames, places, size, lambda y, x: (factor * y, factor * x))
        return Explanation(
            f"positions are beside the cells, the more the larger they are, as for an image of another size; multiply "
            f"them by about {factor:.3g}",
            share,
        )
    if np.hypot(dy, dx) <= DISC:
        return None
    share = _share_moved(frames, places, size, lambda y, x: (y + dy, x + dx))
    return Explanation(
        f"positions are beside the cells, which are {dy:+d} pixels further in y and {dx:+d} in x, as for tracks "
        "of a part of the image; add these offsets to the columns",
        share,
    )


def _factor(frames: Frames, places: Places, size: float) -> float | None:
    """Return the factor by which positions are too small, if the light is further away where they are larger."""
    factors = []
    for name in ("y", "x"):
        position = getattr(places, name)
        larger = position > np.median(position)
        if not larger.any():
            return None
        near, far = (Places(*(column[half] for column in places)) for half in (~larger, larger))
        offsets = [_offset_of_light(frames, half, size)["yx".index(name)] for half in (near, far)]
        means = [float(getattr(half, name).mean()) for half in (near, far)]
        if abs(offsets[1] - offsets[0]) < _SCALED:
            return None
        factors.append((offsets[1] - offsets[0]) / (means[1] - means[0]) + 1)
    alike = abs(factors[0] - factors[1]) < 0.5 * min(abs(factor - 1) for factor in factors)
    return float(np.mean(factors)) if alike else None


def _offset_of_light(frames: Frames, places: Places, size: float) -> tuple[int, int]:
    """Return the offset in rows and columns from positions to the light around them, from the mean image."""
    reach = int(size // 2)
    total = np.zeros((2 * reach + 1, 2 * reach + 1))
    grid = np.arange(-reach, reach + 1)
    for t, frame in frames.items():
        y, x, _ = places_in(frame, places, t)
        windows = window(frame, y, x, grid).astype(np.float64)
        centre = windows.mean(axis=(1, 2), keepdims=True)
        spread = windows.std(axis=(1, 2), keepdims=True)
        total += ((windows - centre) / np.where(spread > 0, spread, 1)).sum(axis=0)
    if not total.any():
        return 0, 0
    row, column = np.unravel_index(np.argmax(_box_mean(total)), total.shape)
    return int(row) - reach, int(column) - reach


def _box_mean(image: np.ndarray) -> np.ndarray:
    smooth: np.ndarray = ndimage.uniform_filter(image, 2 * DISC + 1)
    return smooth


def _share_moved(frames: Frames, places: Places, size: float, move: Move) -> float:
    """Return the share of darker points when every position is moved."""
    y, x = move(places.y, places.x)
    moved = places._replace(y=y, x=x)
    shares = [
        share_of_darker(frame, *places_in(frame, moved, t)[:2], size)
        for t, frame in frames.items()
        if shows_something(frame)
    ]
    every = np.concatenate(shares) if shares else np.zeros(0)
    return float(every.mean()) if len(every) >= FEWEST_TRACKS else 0.0
