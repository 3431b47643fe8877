"""Detection of the columns of a table that contain y and x, and of their unit."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from morpholaw.cells.track_formats.column_names import DEPTH, PLACE, by_key, length_unit, named, unit_in
from morpholaw.cells.track_formats.facts import LengthUnit, TrackContext
from morpholaw.errors import InputError

_ALIKE = 1e-3
_ONE_CELL = 2.0
"""Median distance along an axis below which two pairs of columns are centres of the same cells."""


@dataclass(frozen=True)
class Places:
    """Positions in a table.

    Attributes
    ----------
    y, x : ndarray
        Positions in pixels if the unit is known, (n,), not checked yet.
    unit : {"pixel", "um", "unknown"}
        Unit of the values in the file.
    source : str
        Source of the unit.
    used : list of str
        Columns that contain positions.
    """

    y: np.ndarray
    x: np.ndarray
    unit: LengthUnit
    source: str
    used: list[str]


def places(
    values: pd.DataFrame,
    units: dict[str, str],
    where: str,
    context: TrackContext,
    notes: list[str],
    calibrated: bool = False,
) -> Places | None:
    """Return the positions in a table, or None if there are none.

    Parameters
    ----------
    values : DataFrame
        The table.
    units : dict of str
        Known units of columns.
    where : str
        Name of the file in messages.
    context : TrackContext
        Known facts about the movie.
    notes : list of str
        List to which assumptions are added.
    calibrated : bool
        Whether the program that wrote the table (TrackMate) writes positions in the unit of the image.

    Returns
    -------
    Places or None

    Raises
    ------
    InputError
        If positions are in a unit of length and the pixel size is unknown, or two pairs of columns contradict each
        other.
    """
    pairs = _pairs(values)
    if not pairs:
        return None
    graded = [(_unit_of(values, units, y, x, where), y, x) for y, x in pairs]
    order = {0.0: 0, None: 1}
    graded.sort(key=lambda pair: order.get(pair[0], 2))
    length, y, x = graded[0]
    used = [name for pair in pairs for name in pair]
    rows, columns = values[y].to_numpy(), values[x].to_numpy()
    alike = [(a, b) for unit, a, b in graded[1:] if unit == length]
    if length is None and alike:
        y, x, rows, columns = _one_of_two(values, (y, x), alike, where, context)
    used += named(values, DEPTH)
    if named(values, DEPTH) and values[named(values, DEPTH)[0]].nunique() > 1:
        notes.append(f"{where}: positions are 3D; z is not used.")
    if length is None and calibrated:
        length = _calibrated(rows, columns, where, context, notes)
    if length is None or length == 0:
        unit: LengthUnit = "unknown" if length is None else "pixel"
        return Places(rows, columns, unit, f"columns {y} and {x}", used)
    pixel_size = context.pixel_size_for(_shown(length), where)
    notes.append(
        f"{where}: positions are in {_shown(length)} and were divided by the pixel size, {pixel_size:g} µm."
    )
    factor = length / pixel_size
    return Places(_scaled(rows, factor), _scaled(columns, factor), "um", f"columns {y} and {x}", used)


def _pairs(values: pd.DataFrame) -> list[tuple[str, str]]:
    keys = by_key(values.columns)
    places: tuple[tuple[str, str], ...] = PLACE
    if "centroid2" in keys:  # scikit-image in 3D: z, y, x
        places = (*(pair for pair in PLACE if pair[0] != "centroid0"), ("centroid1", "centroid2"))
    if "axis3" in keys:  # napari's points in 3D: t, z, y, x
        places = (*(pair for pair in places if pair[0] != "axis1"), ("axis2", "axis3"))
    pairs = []
    for first, second in places:
        for y, x in zip(keys.get(first, []), keys.get(second, []), strict=False):
            pairs.append((y, x))
    return pairs


def _unit_of(values: pd.DataFrame, units: dict[str, str], y: str, x: str, where: str) -> float | None:
    """Return the unit of two columns in micrometres; 0 for pixels, None if unknown."""
    stated = {name: length_unit(units.get(name) or unit_in(name)) for name in (y, x)}
    if stated[y] != stated[x]:
        raise InputError(f"{where} has its columns {y} and {x} in different units; give both in pixels.")
    if stated[y] is None:
        for name in named(values, ("unit", "units")):
            texts = values[name].dropna().unique()
            if len(texts) == 1:
                return length_unit(str(texts[0]))
    return stated[y]


def _one_of_two(
    values: pd.DataFrame,
    first: tuple[str, str],
    others: list[tuple[str, str]],
    where: str,
    context: TrackContext,
) -> tuple[str, str, np.ndarray, np.ndarray]:
    """Choose the pair in pixels from two pairs of columns without units that are multiples of each other."""
    chosen = first
    for other in others:
        numbers = [
            pd.to_numeric(values[name], errors="coerce").to_numpy(np.float64) for name in (*chosen, *other)
        ]
        a, b = np.concatenate(numbers[:2]), np.concatenate(numbers[2:])
        if np.allclose(a, b, rtol=_ALIKE, atol=0.01, equal_nan=True):
            continue
        fits = np.isfinite(a) & np.isfinite(b)
        if fits.any() and np.median(np.abs(a[fits] - b[fits])) < _ONE_CELL:
            continue  # two centres of the same cell, as ImageJ's centroid (X) and centre of mass (XM)
        ratio = float(np.median(a[fits] / b[fits])) if fits.any() and (b[fits] != 0).all() else np.nan
        size = context.pixel_size
        multiples = np.isfinite(ratio) and np.allclose(a[fits], ratio * b[fits], rtol=0.01, atol=0.1)
        if multiples and size is not None and abs(ratio / size - 1) < 0.02:
            chosen = other
        elif not (multiples and size is not None and abs(ratio * size - 1) < 0.02):
            raise InputError(
                f"{where} has two pairs of positions that differ, {chosen[1]}, {chosen[0]} and {other[1]}, {other[0]}; "
                "keep the one in pixels."
            )
    return *chosen, values[chosen[0]].to_numpy(), values[chosen[1]].to_numpy()


def _calibrated(
    rows: np.ndarray, columns: np.ndarray, where: str, context: TrackContext, notes: list[str]
) -> float | None:
    """Determine the unit of positions that are in the unit of the image, which the table does not state."""
    if context.pixel_size is None:
        notes.append(f"{where}: the unit of positions is unknown; they are read as pixels.")
        return None
    if context.movie_shape is not None:
        height, width = context.movie_shape[1:]
        if np.nanmax(rows) / context.pixel_size > height or np.nanmax(columns) / context.pixel_size > width:
            notes.append(
                f"{where}: positions are read as pixels, because as micrometres they would leave the image."
            )
            return 0.0
    return 1.0


def _scaled(column: np.ndarray, factor: float) -> np.ndarray:
    numbers: np.ndarray = pd.to_numeric(pd.Series(column), errors="coerce").to_numpy(np.float64) * factor
    return numbers


def _shown(length: float) -> str:
    return {1.0: "micrometres", 1e-3: "nanometres", 1e3: "millimetres"}.get(length, f"units of {length:g} µm")
