"""Conversion of the time information in a tracks file to frames of the movie, counted from 0."""

from __future__ import annotations

import numpy as np
import pandas as pd

from morpholaw.cells.movie_formats.units import seconds_per
from morpholaw.cells.track_formats.column_names import FRAME, ONE_BASED_FRAME, STEP, TIME, key_of, named
from morpholaw.cells.track_formats.facts import FrameNumbering, TrackContext, TrackFacts
from morpholaw.cells.track_formats.frame_text import readable_times
from morpholaw.display import counted
from morpholaw.errors import InputError

_UNEVEN = 0.3
"""Tolerance of the rhythm of times, as a share of a frame; stages and cameras are not perfectly regular."""
_FRAME_UNITS = ("frame", "frames", "timepoint", "timepoints", "index")


def counts_frames(unit: str | None) -> bool:
    """Return whether a unit means that frames are counted."""
    return unit is not None and unit.strip().lower() in _FRAME_UNITS


def is_whole(values: pd.Series | np.ndarray) -> bool:
    """Return whether all values are integers >= 0."""
    values = np.asarray(values)
    if values.dtype.kind not in "iuf":
        return False
    return bool(np.isfinite(values).all() and (values >= 0).all() and (values == np.floor(values)).all())


def step_of(frames: np.ndarray) -> int:
    """Return the largest number of frames that divides all intervals; 1 without intervals."""
    gaps = np.diff(np.unique(frames.astype(np.int64)))
    return int(np.gcd.reduce(gaps)) if len(gaps) else 1


def frame_column(
    values: pd.DataFrame, units: dict[str, str], where: str, context: TrackContext, notes: list[str]
) -> tuple[np.ndarray | None, FrameNumbering, list[str]]:
    """Determine which column of a table counts frames, by its values and not only by its name.

    Returns
    -------
    frames : ndarray of int64, shape (n,), or None
        None if no column contains frames or times.
    numbering : str
        "as stored" for programs with a known way of counting, else "unknown".
    used : list of str
        Columns that contain frames or times.

    Raises
    ------
    InputError
        If two columns contradict each other, or times cannot be converted to frames.
    """
    units = dict(units)
    values = readable_times(values, named(values, (*FRAME, *TIME)), units)
    counting, one_based = named(values, FRAME) or named(values, STEP), named(values, ONE_BASED_FRAME)
    times = named(values, TIME)
    used = [*counting, *one_based, *times]
    counting += [name for name in times if counts_frames(units.get(name))]
    counting = [name for name in counting if is_whole(values[name])]
    if counting:
        name = _agreed(
            values, counting, [n for n in times if seconds_per(units.get(n)) is None], where, notes
        )
        return values[name].to_numpy(np.int64), "unknown", used
    for name in one_based:
        if is_whole(values[name]) and values[name].min() > 0:
            notes.append(f"{where}: {name} counts from 1, so frame 0 of the movie is its {name} 1.")
            return values[name].to_numpy(np.int64) - 1, "as stored", used
    for name in [*times, *named(values, FRAME)]:
        column = pd.to_numeric(values[name], errors="coerce").to_numpy(np.float64)
        if np.isfinite(column).all():
            return _from_time_column(column, name, units.get(name), where, context, notes), "unknown", used
    if used:
        raise _unreadable(values[used[0]], where)
    return None, "unknown", used


def _unreadable(column: pd.Series, where: str) -> InputError:
    """Return the error for a column that contains neither frames nor times."""
    numbers = pd.to_numeric(column, errors="coerce")
    wrong = column[~((numbers >= 0) & (numbers == np.floor(numbers)))]
    shown = "empty fields" if wrong.isna().all() else f"values such as {wrong.dropna().iloc[0]!s}"
    return InputError(
        f"{where} has {shown} in the column {column.name}, which are neither frames nor times; give a column frame "
        "with the number of the frame, from 0."
    )


def _agreed(
    values: pd.DataFrame, counting: list[str], others: list[str], where: str, notes: list[str]
) -> str:
    """Return the column that counts frames; of two that differ by a constant, the one that begins first."""
    name = counting[0]
    frames = values[name].to_numpy(np.int64)
    for other in [*counting[1:], *others]:
        if other == name or not is_whole(values[other]):
            continue
        column = values[other].to_numpy(np.int64)
        if np.array_equal(column, frames):
            continue
        difference = np.unique(column - frames)
        if len(difference) == 1:
            if column.min() == 0 or (frames.min() != 0 and column.min() < frames.min()):
                name, other, frames = other, name, column
            notes.append(
                f"{where}: the columns {name} and {other} differ by {abs(int(difference[0]))}; {name} is used as "
                "the frame, because it begins first."
            )
        elif key_of(other) in FRAME or step_of(column) == 1:
            pairs = pd.DataFrame({"frame": frames, "other": column}).drop_duplicates()
            if len(pairs) != pairs["frame"].nunique() or len(pairs) != pairs["other"].nunique():
                at = pairs[
                    pairs.duplicated("frame", keep=False) | pairs.duplicated("other", keep=False)
                ].iloc[0]
                raise InputError(
                    f"{where} has the columns {name} and {other}, which contradict each other (such as {at.frame} and "
                    f"{at.other} in one row); remove or rename the one that is not the movie's frame."
                )
    return name


def _from_time_column(
    column: np.ndarray, name: str, unit: str | None, where: str, context: TrackContext, notes: list[str]
) -> np.ndarray:
    frames = context.movie_shape[0] if context.movie_shape else None
    if is_whole(column) and seconds_per(unit) is None:
        step = step_of(column)
        if step == 1:
            return column.astype(np.int64)
        if (
            context.frame_interval is None
            and key_of(name) == "t"
            and (frames is None or column.max() < frames)
        ):
            notes.append(f"{where}: {name} counts in steps of {step}, but is used as the frame.")
            return column.astype(np.int64)
    return frames_from_times(column, unit, f"{where}, column {name}", context, notes)


def frames_from_times(
    times: np.ndarray, unit: str | None, where: str, context: TrackContext, notes: list[str]
) -> np.ndarray:
    """Convert evenly spaced times, with some tolerance, to frames.

    The interval is the given one, or else that of the times, if the frames then fill the movie.

    Parameters
    ----------
    times : ndarray of float64, shape (n,)
        Times.
    unit : str or None
        Unit of the times, if known.
    where : str
        Name of the source in messages.
    context : TrackContext
        Known facts about the movie.
    notes : list of str
        List to which assumptions are added.

    Returns
    -------
    ndarray of int64, shape (n,)
        Frame numbers.

    Raises
    ------
    InputError
        If times are not evenly spaced, or the number of frames between them is unknown.
    """
    distinct, row = np.unique(times, return_inverse=True)
    shown = unit or "units of time"
    count = context.movie_shape[0] if context.movie_shape else None
    if count is not None and len(distinct) > 1 and distinct[0] >= count * np.diff(distinct).min():
        return _frames_from_clock(distinct - distinct[0], count, where, context.frame_interval, unit, notes)[
            row
        ]
    if context.frame_interval is not None:
        interval = context.frame_interval / (seconds_per(unit) or 1.0)
        frames = _steady(distinct, interval)
        if frames is None:
            raise InputError(
                f"{where} has times (such as {distinct[0]:g}, {distinct[-1]:g}) that are not multiples of the movie's "
                f"frame interval, {interval:g} {shown}; give the correct one with "
                "--frame-interval (frame_interval=...)."
            )
        return frames[row]
    if len(distinct) == 1:
        return np.zeros(len(times), np.int64)
    interval = _usual_interval(distinct)
    frames = _steady(distinct, interval)
    if frames is None:
        raise InputError(
            f"{where} has times (such as {distinct[0]:g}, {distinct[1]:g}, {distinct[-1]:g}) that are not multiples of "
            "one interval, so they are not frames; give a column frame with the number of the frame, from 0."
        )
    if count is not None and len(distinct) == count:
        frames = np.arange(count)
    elif count is not None and frames[-1] != count - 1:
        stated = _by_the_movie(distinct, unit, count, context)
        if stated is not None:
            notes.append(
                f"{where}: frames follow from the interval in the movie's header, {context.movie_interval:g} s."
            )
            return stated[row]
        raise InputError(
            f"{where} has times in steps of {interval:g} {shown} (up to {distinct[-1]:g}), and it is unknown how "
            f"many of the movie's {count} frames are between two of them; give the movie's frame "
            f"interval, in {'seconds' if seconds_per(unit) else 'the units of the file'}, with --frame-interval "
            "(frame_interval=...), or a column frame with the number of the frame, from 0."
        )
    notes.append(
        f"{where}: the frame interval is assumed to be {interval:g} {shown}, the time step in the file."
    )
    return frames[row]


def _frames_from_clock(
    since_first: np.ndarray,
    count: int,
    where: str,
    frame_interval: float | None,
    unit: str | None,
    notes: list[str],
) -> np.ndarray:
    """Convert increasing times of a clock, whose zero is not the movie's first frame, if they span the movie.

    Raises
    ------
    InputError
        If they do not, so that the frame of the first is unknown.
    """
    given = None if frame_interval is None else frame_interval / (seconds_per(unit) or 1.0)
    frames = _steady(since_first, given or _usual_interval(since_first))
    if frames is None or frames[-1] != count - 1:
        raise InputError(
            f"{where} has times of a clock in {len(since_first)} steps, which do not fill the movie's {count} frames, "
            "so that the frame of the first is unknown; give a column frame with the number of the frame, from 0."
        )
    notes.append(f"{where}: its times fill the movie's {count} frames, so the first is that of frame 0.")
    return frames


def _by_the_movie(
    times: np.ndarray, unit: str | None, count: int, context: TrackContext
) -> np.ndarray | None:
    """Convert increasing times by the interval of the movie; return None if they do not match its frames."""
    length = seconds_per(unit)
    if context.movie_interval is None or length is None:
        return None
    frames = _steady(times, context.movie_interval / length)
    return None if frames is None or frames[-1] >= count else frames


def _usual_interval(times: np.ndarray) -> float:
    """Return the mean interval of increasing times, without gaps of several frames."""
    gaps = np.diff(times)
    return float(gaps[gaps < 1.5 * gaps.min()].mean())


def _steady(times: np.ndarray, interval: float) -> np.ndarray | None:
    """Convert increasing times to frames step by step, so that drift does not accumulate; None if uneven."""
    gaps = np.diff(times) / interval
    first = times[0] / interval
    steps = np.round(gaps)
    if (
        np.abs(gaps - steps).max(initial=0) > _UNEVEN
        or abs(first - round(first)) > _UNEVEN
        or steps.min(initial=1) < 1
    ):
        return None
    frames: np.ndarray = round(first) + np.append(0, np.cumsum(steps)).astype(np.int64)
    return frames


def place_frames(
    t: np.ndarray, facts: TrackFacts, where: str, context: TrackContext, notes: list[str]
) -> np.ndarray:
    """Convert a file's frame numbers to those of the movie; reject contradictions.

    Parameters
    ----------
    t : ndarray of int64, shape (n,)
        Frame numbers in the file.
    facts : TrackFacts
        Facts from the file.
    where : str
        Name of the file in messages.
    context : TrackContext
        Known facts about the movie.
    notes : list of str
        List to which assumptions are added.

    Returns
    -------
    ndarray of int64, shape (n,)
        Frames of the movie; -1 if the movie has no such frame.

    Raises
    ------
    InputError
        If the numbers do not fit the movie, or fit it in two ways.
    """
    if context.movie_shape is None or len(t) == 0:
        return t
    count = context.movie_shape[0]
    numbers = context.movie_frames
    if facts.frame_numbering == "file numbers" and facts.frame_numbers:
        return _by_file_numbers(t, facts.frame_numbers, numbers, count, where, notes)
    first, last = int(t.min()), int(t.max())
    if facts.frame_count is not None and facts.frame_numbering == "as stored":
        return t  # the file has its own movie; the two movies are compared elsewhere
    if numbers and numbers != tuple(range(count)) and facts.frame_numbering == "unknown":
        by_number = np.isin(t, numbers).all()
        if by_number and last >= count:
            notes.append(f"{where}: its frames are the numbers in the names of the movie's files.")
            return np.searchsorted(np.asarray(numbers), t)
        if by_number and first > 0 and last < count:
            raise InputError(
                f"{where} has frames {first} to {last}, but the movie's files are numbered {numbers[0]} to "
                f"{numbers[-1]}, so it may count either way; give --frame-offset 0 if it counts from 0, or "
                f"--frame-offset {-numbers[0]} if its frames are the files' numbers."
            )
    if last < count:
        return t
    step = step_of(t)
    if step > 1 and first % step == 0 and last // step < count:
        raise InputError(
            f"{where} has frames {first} to {last} in steps of {step}, but the movie has {count} frames: it seems "
            "to contain times; give a column frame with the number of the frame, from 0."
        )
    if first > 0:
        begins = (
            "the tracks seem to count from 1"
            if (first, last) == (1, count)
            else "the movie may be a part of the one that was tracked"
        )
        raise InputError(
            f"{where} has frames {first} to {last}, but the movie has {count} frames, 0 to {count - 1}: {begins}. "
            f"Give --frame-offset {-first} (frame_offset={-first}) if frame {first} of the tracks is the movie's "
            "first, or --frame-offset 0 to leave out frames beyond its end."
        )
    return t


def _by_file_numbers(
    t: np.ndarray,
    masks: tuple[int, ...],
    movie: tuple[int, ...] | None,
    count: int,
    where: str,
    notes: list[str],
) -> np.ndarray:
    """Return the frames of masks in numbered files, in a movie whose files may be numbered too."""
    if movie is None:
        if masks[-1] < count:
            return t
        if len(masks) == count or masks[0] > 0:
            gaps = " with gaps" if len(masks) != masks[-1] - masks[0] + 1 else ""
            raise InputError(
                f"{where} has masks numbered {masks[0]} to {masks[-1]}{gaps}, but the movie has {count} frames, 0 to "
                f"{count - 1}. Give --frame-offset {-masks[0]} if mask {masks[0]} belongs to the movie's first "
                "frame and none is missing, or the movie as files with the same numbers."
            )
        return t
    missing = sorted(set(masks) - set(movie))
    if len(missing) == len(masks) or (missing and (missing[0] < movie[0] or len(masks) == len(movie))):
        raise InputError(
            f"{where} has masks numbered {masks[0]} to {masks[-1]} ({len(masks)} of them), but the movie's files are "
            f"numbered {movie[0]} to {movie[-1]} ({len(movie)} of them). Give --frame-offset {-masks[0]} if mask "
            f"{masks[0]} belongs to the movie's first frame and none is missing, or files with the same numbers."
        )
    if missing:
        notes.append(
            f"{where}: left out {counted(len(missing), 'mask')} without a frame of the same number in the movie, the "
            f"first with number {missing[0]}."
        )
    place = np.full(max(masks[-1], movie[-1], int(t.max())) + 1, -1, np.int64)
    place[np.asarray(movie)] = np.arange(len(movie))
    frames: np.ndarray = place[t]
    return frames
