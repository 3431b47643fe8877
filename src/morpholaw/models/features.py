"""Feature tables: named columns that hold latents of an encoder or measured shapes of cells."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from morpholaw.cells.shape_features import Feature, choose_features, measure_features
from morpholaw.errors import InputError

if TYPE_CHECKING:
    import pandas as pd

Inputs = Literal["latents", "shapes", "both"]
"""Inputs of the models of schemes 2 to 4: latents of the encoder, measured shapes, or both."""

_LATENT = re.compile(r"z\d{1,3}")


@dataclass(frozen=True, eq=False)
class FeatureTable:
    """A table of named features, with one row per cell (or per orientation of a cell).

    Attributes
    ----------
    values : ndarray
        (n, features).
    names : tuple of str
        Unique name of each column, such as ``("z0", "z1")``.

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
        """Check the shape of the values and the uniqueness of the names."""
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
            Features by name; an array (n, latents) holds all latents of an encoder, named z0, z1, ...

        Returns
        -------
        FeatureTable

        Raises
        ------
        InputError
            If the array is not two-dimensional, or two columns have the same name.
        """
        if isinstance(features, FeatureTable):
            return features
        if isinstance(features, np.ndarray):
            if features.ndim != 2:
                raise InputError(f"Features need an array of shape (n, features); got {features.shape}.")
            return cls(features, latent_names(features.shape[1]))
        return cls(features.to_numpy(), tuple(str(name) for name in features.columns))

    def select(self, names: Sequence[str]) -> np.ndarray:
        """Return the columns `names` in this order.

        Parameters
        ----------
        names : sequence of str
            Names of the columns.

        Returns
        -------
        ndarray
            (n, len(names)).

        Raises
        ------
        InputError
            If a column does not exist.
        """
        return self.values[:, column_numbers(self.names, names)]

    def rows(self, index: np.ndarray | slice) -> FeatureTable:
        """Return a table of some of the rows.

        Parameters
        ----------
        index : ndarray or slice
            Row numbers or a boolean mask.

        Returns
        -------
        FeatureTable
        """
        return FeatureTable(self.values[index], self.names)


def latent_names(count: int) -> tuple[str, ...]:
    """Return the names of ``count`` latents: z0, z1, ..."""
    return tuple(f"z{number}" for number in range(count))


def column_numbers(columns: Sequence[str], names: Sequence[str]) -> list[int]:
    """Return the positions of `names` in `columns`.

    Raises
    ------
    InputError
        If a name is not in `columns`.
    """
    places = {name: place for place, name in enumerate(columns)}
    missing = [name for name in names if name not in places]
    if missing:
        known = ", ".join(columns[:4]) + (f", ... {columns[-1]}" if len(columns) > 4 else "")
        raise InputError(f"There is no feature {missing[0]!r}; the table has {known or 'no columns'}.")
    return [places[name] for name in names]


@dataclass(frozen=True)
class ModelColumns:
    """The input columns of a model, and how each is standardised.

    A shape enters the model as (value - centre) / scale, with the mean and the standard deviation of the training
    cells. A latent enters unchanged.

    Attributes
    ----------
    features : tuple of Feature
        The columns, in order.
    centre, scale : tuple of float
        Mean and standard deviation of each column; 0 and 1 for latents.
    pixel_size : float, optional
        Pixel size of the crops in which shapes are measured, in micrometres; if unknown, lengths are in pixels.
    """

    features: tuple[Feature, ...]
    centre: tuple[float, ...]
    scale: tuple[float, ...]
    pixel_size: float | None = None

    def __post_init__(self) -> None:
        """Check that names are unique and that every column has a centre and a scale."""
        if not self.features or len({len(self.features), len(self.centre), len(self.scale)}) != 1:
            raise InputError("A model needs at least one column, and a centre and a scale for each.")
        if len(set(self.names)) != len(self.names):
            raise InputError("Two columns of a model have the same name.")
        finite = np.isfinite([*self.centre, *self.scale]).all() and min(self.scale) > 0
        if not finite or (self.pixel_size is not None and not 0 < self.pixel_size < np.inf):
            raise InputError(
                "The centres and scales of a model's columns must be finite, and scales positive."
            )

    @classmethod
    def fitted(
        cls,
        shapes: Sequence[Feature],
        measured: pd.DataFrame,
        latents: Sequence[int] = (),
        pixel_size: float | None = None,
    ) -> ModelColumns:
        """Return the columns for some latents followed by shapes, scaled by the training cells' measurements.

        Parameters
        ----------
        shapes : sequence of Feature
            Shapes to use.
        measured : DataFrame
            Shapes measured in the training cells, one row per cell, in units.
        latents : sequence of int
            Numbers of the latents to use.
        pixel_size : float, optional
            Micrometres per pixel of the crops.

        Returns
        -------
        ModelColumns

        Raises
        ------
        InputError
            If a shape could not be measured in any cell.
        """
        values = measured[[feature.name for feature in shapes]].to_numpy(float)
        values = values[np.isfinite(values).all(axis=1)]
        if not len(values):
            raise InputError("No nucleus was found in any training cell, so shapes cannot be measured.")
        spread = values.std(axis=0)
        return cls(
            (*(latent_feature(number) for number in latents), *shapes),
            (*(0.0 for _ in latents), *map(float, values.mean(axis=0))),
            (*(1.0 for _ in latents), *map(float, np.where(spread > 0, spread, 1.0))),
            pixel_size,
        )

    @classmethod
    def of_latents(cls, count: int) -> ModelColumns:
        """Return the columns of a model that uses all ``count`` latents of its encoder."""
        features = tuple(latent_feature(number) for number in range(count))
        return cls(features, (0.0,) * count, (1.0,) * count)

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the columns."""
        return tuple(feature.name for feature in self.features)

    @property
    def latents(self) -> tuple[int, ...]:
        """Numbers of the latents in the columns."""
        return tuple(self.latent_places.values())

    @property
    def latent_places(self) -> dict[int, int]:
        """Latent number by position, for the columns that hold latents."""
        return {
            place: int(feature.name[1:])
            for place, feature in enumerate(self.features)
            if feature.source == "latent"
        }

    @property
    def shapes(self) -> tuple[str, ...]:
        """Names of the shapes in the columns."""
        return tuple(feature.name for feature in self.features if feature.source == "shape")

    @property
    def inputs(self) -> Inputs:
        """Type of the columns: "latents", "shapes" or "both"."""
        if not self.shapes:
            return "latents"
        return "both" if self.latents else "shapes"

    def measure(self, images: np.ndarray) -> pd.DataFrame:
        """Measure the shapes of the columns in crops, uint8 (n, s, s), in units; NaN where no nucleus was found."""
        around = any(feature.about == "neighbourhood" for feature in self.features)
        return measure_features(images, self.pixel_size, around)[list(self.shapes)]

    def standardise(self, table: FeatureTable) -> np.ndarray:
        """Return the standardised columns of a table in units, float64 (n, columns)."""
        values = np.asarray(table.select(self.names), dtype=np.float64)
        standardised: np.ndarray = (values - np.array(self.centre)) / np.array(self.scale)
        return standardised

    def in_units(self, place: int, values: np.ndarray) -> np.ndarray:
        """Convert standardised values of the column at position ``place`` to its unit; latents have none."""
        return self.centre[place] + self.scale[place] * values

    def table(self, latents: np.ndarray | None, shapes: pd.DataFrame) -> FeatureTable:
        """Return the columns in units as a table, from all latents (n, L) and measured shapes."""
        parts = [] if latents is None else [np.asarray(latents, np.float64)[:, list(self.latents)]]
        names = tuple(f"z{number}" for number in self.latents) if latents is not None else ()
        values = np.concatenate([*parts, shapes[list(self.shapes)].to_numpy(float)], axis=1)
        return FeatureTable(values, (*names, *self.shapes))

    def to_json(self) -> dict[str, Any]:
        """Return plain values that `from_json` reads back."""
        return {
            "names": list(self.names),
            "centre": list(self.centre),
            "scale": list(self.scale),
            "pixel_size": self.pixel_size,
        }

    @classmethod
    def from_json(cls, values: Any) -> ModelColumns:
        """Return the columns that `to_json` wrote.

        Raises
        ------
        InputError
            If the values do not describe columns, or name an unknown feature.
        """
        if not isinstance(values, dict) or not {"names", "centre", "scale"} <= values.keys():
            raise InputError(
                "The columns of a model must be an object with the fields names, centre and scale."
            )
        lists = [values[name] for name in ("names", "centre", "scale")]
        if not all(isinstance(one, list) for one in lists) or not all(isinstance(n, str) for n in lists[0]):
            raise InputError("The fields names, centre and scale of a model's columns must be lists.")
        try:
            centre, scale = (tuple(map(float, one)) for one in lists[1:])
            pixel_size = None if values.get("pixel_size") is None else float(values["pixel_size"])
        except (TypeError, ValueError):
            raise InputError("The centres and scales of a model's columns must be numbers.") from None
        features = tuple(
            choose_features([name], pixel_size)[0]
            if (latent := latent_number(name)) is None
            else latent_feature(latent)
            for name in lists[0]
        )
        return cls(features, centre, scale, pixel_size)


def latent_number(name: str) -> int | None:
    """Return the number of a latent from its name, 3 for "z3"; None for any other feature.

    Parameters
    ----------
    name : str
        Name of the feature.

    Returns
    -------
    int or None
    """
    return int(name[1:]) if _LATENT.fullmatch(name) else None


def latent_feature(number: int) -> Feature:
    """Return the feature for a latent of the encoder."""
    return Feature(f"z{number}", "", f"latent {number} of the encoder", "latent")
