"""Regions of several classes over two inputs in units, with all other inputs at the median of some cells."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from morpholaw.errors import InputError
from morpholaw.interpretation.input_slice import medians, rows_along
from morpholaw.models.class_laws import ClassLaws
from morpholaw.models.features import FeatureTable

STEPS = 161
SWEPT = 41
"""Number of values of an input at which cells are evaluated to find the inputs that matter."""
TRIED = 5
"""Maximum number of inputs of which pairs are tried."""
LEAST = 0.01
"""Smallest share of a map that counts as a region."""
SOME = 200
"""Maximum number of cells that are evaluated to find the inputs that matter."""


@dataclass(frozen=True)
class ClassRegions:
    """Predicted class over two inputs.

    Attributes
    ----------
    names : tuple of str
        The inputs on the horizontal and the vertical axis.
    axes : tuple of ndarray
        Ascending values of each input, float64 (steps,).
    called : ndarray, int64 (steps, steps)
        Class numbers, with rows along the second input; -1 where a law has no finite value.
    held : dict
        Values of the other inputs.
    """

    names: tuple[str, str]
    axes: tuple[np.ndarray, np.ndarray]
    called: np.ndarray
    held: dict[str, float]


def class_regions(
    laws: ClassLaws,
    cells: FeatureTable,
    ranges: Mapping[str, tuple[float, float]],
    names: Sequence[str] = (),
) -> ClassRegions:
    """Compute the predicted class over two inputs.

    Parameters
    ----------
    laws : ClassLaws
        Laws over inputs in units.
    cells : FeatureTable
        Cells. All other inputs are held at their median.
    ranges : mapping
        Range of each input.
    names : sequence of str
        Two inputs. By default, among the inputs that change the class of most cells, the two over which most classes
        have a region.

    Returns
    -------
    ClassRegions
        The predicted classes.

    Raises
    ------
    InputError
        If the laws have fewer than two inputs, or lack the named ones.
    """
    used = read_inputs(laws)
    chosen = tuple(names)
    if not chosen and len(used) > 1:
        chosen = _widest_choice(laws, cells, ranges)
    if len(set(chosen)) != 2 or not set(chosen) <= set(used):
        raise InputError(f"Regions are over two inputs of the laws: {', '.join(used) or 'they have none'}.")
    axes, predicted = _called(laws, cells, ranges, (chosen[0], chosen[1]), STEPS)
    held = medians(cells, [name for name in used if name not in chosen])
    return ClassRegions((chosen[0], chosen[1]), axes, predicted, held)


def _called(
    laws: ClassLaws,
    cells: FeatureTable,
    ranges: Mapping[str, tuple[float, float]],
    names: tuple[str, str],
    steps: int,
) -> tuple[tuple[np.ndarray, np.ndarray], np.ndarray]:
    """Return the axes of a grid over two inputs, and the predicted classes, (steps, steps)."""
    across, up = (np.linspace(*ranges[name], steps) for name in names)
    mesh = np.meshgrid(across, up, indexing="xy")
    rows = rows_along(medians(cells, laws.names), dict(zip(names, mesh, strict=True)))
    return (across, up), laws.predict(rows).reshape(steps, steps)


def _widest_choice(
    laws: ClassLaws, cells: FeatureTable, ranges: Mapping[str, tuple[float, float]]
) -> tuple[str, ...]:
    """Return the two inputs, among those that matter most, over which most classes have a region."""

    def shown(names: tuple[str, str]) -> int:
        predicted = _called(laws, cells, ranges, names, SWEPT)[1]
        return int((np.bincount(predicted[predicted >= 0]) >= LEAST * predicted.size).sum())

    return max(combinations(inputs_by_changes(laws, cells, ranges)[:TRIED], 2), key=shown)


def read_inputs(laws: ClassLaws) -> tuple[str, ...]:
    """Return the inputs of the laws, in the order of their columns."""
    used = {name for law in laws.laws.values() for name in law.expression.variables()}
    return tuple(name for name in laws.names if name in used)


def inputs_by_changes(
    laws: ClassLaws, cells: FeatureTable, ranges: Mapping[str, tuple[float, float]]
) -> tuple[str, ...]:
    """Return the inputs in descending order of the share of cells whose class changes along them.

    Parameters
    ----------
    laws : ClassLaws
        Laws over inputs in units.
    cells : FeatureTable
        Cells; a subsample of them is used.
    ranges : mapping
        Range of each input, over which it is varied.

    Returns
    -------
    tuple of str
    """
    used = read_inputs(laws)
    inputs = cells.select(laws.names)
    inputs = inputs[np.isfinite(inputs).all(axis=1)]
    inputs = inputs[:: max(1, len(inputs) // SOME)]
    unchanged = laws.predict(FeatureTable(inputs, laws.names))
    changes = {}
    for name in used:
        rows = np.repeat(inputs, SWEPT, axis=0)
        rows[:, laws.names.index(name)] = np.tile(np.linspace(*ranges[name], SWEPT), len(inputs))
        predicted = laws.predict(FeatureTable(rows, laws.names)).reshape(len(inputs), SWEPT)
        changes[name] = float((predicted != unchanged[:, None]).mean()) if len(inputs) else 0.0
    return tuple(sorted(used, key=lambda name: (-changes[name], name)))
