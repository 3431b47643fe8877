"""Scores of a law over one or two inputs in units, with all other inputs at the median of some cells."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from morpholaw.display import significant
from morpholaw.errors import InputError
from morpholaw.models.features import FeatureTable
from morpholaw.models.law import Law

STEPS = 81


@dataclass(frozen=True)
class InputSlice:
    """Scores of a law over one or two inputs.

    Attributes
    ----------
    names : tuple of str
        The inputs on the horizontal and the vertical axis, or a single one for a curve.
    axes : tuple of ndarray
        Ascending values of each input, float64 (steps,).
    values : ndarray
        Scores, (steps,), or (steps, steps) with rows along the second input; NaN if undefined.
    held : dict
        Values of the other inputs.
    """

    names: tuple[str, ...]
    axes: tuple[np.ndarray, ...]
    values: np.ndarray
    held: dict[str, float]


def held_text(held: Mapping[str, float], units: Mapping[str, str]) -> str:
    """Return the values of fixed inputs as text, such as "area = 180 µm², contrast = 0.3"."""
    return ", ".join(
        f"{name} = {significant(value)}{f' {units[name]}' if units.get(name) else ''}"
        for name, value in held.items()
    )


def input_slice(
    law: Law,
    cells: FeatureTable,
    ranges: Mapping[str, tuple[float, float]],
    names: Sequence[str] = (),
) -> InputSlice:
    """Compute the scores of a law over one or two inputs.

    Parameters
    ----------
    law : Law
        Law over inputs in units.
    cells : FeatureTable
        Cells. All other inputs are held at their median.
    ranges : mapping
        Range of each input.
    names : sequence of str
        One or two inputs. The default is those that change the score most.

    Returns
    -------
    InputSlice
        The scores.

    Raises
    ------
    InputError
        If the law has no inputs, or lacks the named ones.
    """
    used = law.expression.variables()
    chosen = tuple(names) or inputs_by_effect(law, cells, ranges)[:2]
    unknown = [name for name in chosen if name not in used]
    if unknown or not 1 <= len(chosen) <= 2 or len(set(chosen)) != len(chosen):
        raise InputError(f"A slice is over one or two inputs of the law: {', '.join(used) or 'it has none'}.")
    middle = medians(cells, used)
    axes = tuple(np.linspace(*ranges[name], STEPS) for name in chosen)
    mesh = np.meshgrid(*axes, indexing="xy")
    rows = rows_along(middle, dict(zip(chosen, mesh, strict=True)))
    scores = law.reduced().score(rows).reshape(mesh[0].shape)
    held = {name: middle[name] for name in used if name not in chosen}
    return InputSlice(chosen, axes, np.where(np.isfinite(scores), scores, np.nan), held)


def inputs_by_effect(
    law: Law, cells: FeatureTable, ranges: Mapping[str, tuple[float, float]]
) -> tuple[str, ...]:
    """Return the inputs of a law in descending order of their effect on the score.

    Parameters
    ----------
    law : Law
        Law over inputs in units.
    cells : FeatureTable
        Cells. While one input is varied, the others are held at their median.
    ranges : mapping
        Range of each input, over which it is varied.

    Returns
    -------
    tuple of str
    """
    used = law.expression.variables()
    middle = medians(cells, used)
    effects = {}
    for name in used:
        rows = rows_along(middle, {name: np.linspace(*ranges[name], STEPS)})
        f = np.nan_to_num(law.reduced().score(rows), posinf=1e9, neginf=-1e9)
        effects[name] = float(np.std(f / (1 + np.abs(f))))  # squashed, as laws can overflow
    return tuple(sorted(used, key=lambda name: (-effects[name], name)))


def rows_along(middle: Mapping[str, float], varied: Mapping[str, np.ndarray]) -> FeatureTable:
    """Return a table of cells in which only some inputs vary.

    Parameters
    ----------
    middle : mapping
        Value of each input.
    varied : mapping
        Values of the varied inputs, as arrays of the same shape with one element per cell.
    """
    count = next(iter(varied.values())).size
    columns = [varied[name].ravel() if name in varied else np.full(count, middle[name]) for name in middle]
    return FeatureTable(np.column_stack(columns), tuple(middle))


def medians(cells: FeatureTable, names: Sequence[str]) -> dict[str, float]:
    """Return the median of each input over cells with a finite value; 0 if there are none."""
    found = {}
    for name in names:
        values = cells.select([name])[:, 0]
        values = values[np.isfinite(values)]
        found[name] = float(np.median(values)) if len(values) else 0.0
    return found
