"""Features as named columns: the latents of an encoder, or anything else that was measured of a cell."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from morpholaw.errors import InputError

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, eq=False)
class FeatureTable:
    """Values of named features: one row per cell, or per orientation of a cell, and one column per feature.

    Attributes
    ----------
    values : ndarray
        (n, features).
    names : tuple of str
        Name of each column, e.g. ``("z0", "z1")``; no name occurs twice.

    Examples
    --------
    >>> table = FeatureTable(np.array([[80.0, 1.2], [35.0, 2.4]]), ("area", "axis_ratio"))
    >>> table.select(["axis_ratio"])
    array([[1.2],
           [2.4]])
    """

    values: np.ndarray
    names: tuple[str, ...]

    def __post_init__(self) -> None:
        """Check that names and values fit."""
        if self.values.ndim != 2 or self.values.shape[1] != len(self.names):
            raise InputError(
                f"A table of {len(self.names)} features needs an array of shape (n, {len(self.names)}); "
                f"got {self.values.shape}."
            )
        if len(set(self.names)) != len(self.names):
            raise InputError("Two columns of a feature table have the same name; rename one of them.")

    def __len__(self) -> int:
        """Return the number of rows."""
        return len(self.values)

    @classmethod
    def of(cls, features: FeatureTable | pd.DataFrame | np.ndarray) -> FeatureTable:
        """Return features as a table.

        Parameters
        ----------
        features : FeatureTable, DataFrame or ndarray
            A plain array (n, latents) holds all latents of an encoder, whose names are z0, z1, ...

        Raises
        ------
        InputError
            If the array does not have two dimensions, or two columns have one name.
        """
        if isinstance(features, FeatureTable):
            return features
        if isinstance(features, np.ndarray):
            if features.ndim != 2:
                raise InputError(f"Features need an array of shape (n, features); got {features.shape}.")
            return cls(features, latent_names(features.shape[1]))
        return cls(features.to_numpy(), tuple(str(name) for name in features.columns))

    def select(self, names: Sequence[str]) -> np.ndarray:
        """Return the columns ``names``, (n, len(names)), in this order.

        Raises
        ------
        InputError
            If there is no such column.
        """
        return self.values[:, column_numbers(self.names, names)]

    def rows(self, index: np.ndarray | slice) -> FeatureTable:
        """Return the table of some rows."""
        return FeatureTable(self.values[index], self.names)


def latent_names(count: int) -> tuple[str, ...]:
    """Return the names of ``count`` latents: z0, z1, ..."""
    return tuple(f"z{number}" for number in range(count))


def column_numbers(columns: Sequence[str], names: Sequence[str]) -> list[int]:
    """Return the places of ``names`` among ``columns``.

    Raises
    ------
    InputError
        If a name is not among them.
    """
    places = {name: place for place, name in enumerate(columns)}
    missing = [name for name in names if name not in places]
    if missing:
        known = ", ".join(columns[:4]) + (f", ... {columns[-1]}" if len(columns) > 4 else "")
        raise InputError(f"There is no feature {missing[0]!r} here; the table has {known or 'no columns'}.")
    return [places[name] for name in names]
