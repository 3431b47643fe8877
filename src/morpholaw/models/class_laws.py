"""Laws for several classes: one expression per class, and the class is that of the largest (paper, section 8)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import reduce
from typing import TYPE_CHECKING, Any

import numpy as np

from morpholaw.errors import InputError
from morpholaw.models.classes import largest_classes
from morpholaw.models.expressions import Call
from morpholaw.models.features import FeatureTable
from morpholaw.models.law import Law

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class ClassLaws:
    """f_c(z) of every class c; a cell is of class c where f_c(z) > f_d(z) for every other class d.

    Parameters
    ----------
    laws : mapping of str to Law
        The law of each class, for two classes or more; all have the same ``names``.
    metadata : mapping
        How they were found and tested, as plain JSON values.
    """

    laws: Mapping[str, Law]
    metadata: Mapping[str, Any] = field(default_factory=dict, compare=False)

    def __post_init__(self) -> None:
        """Check that there are two laws or more, of the same features."""
        if len(self.laws) < 2 or len({law.names for law in self.laws.values()}) != 1:
            raise InputError("Laws of classes need two classes or more, and laws of the same features.")

    @property
    def classes(self) -> tuple[str, ...]:
        """Names of the classes, in the order of the scores' columns."""
        return tuple(self.laws)

    @property
    def names(self) -> tuple[str, ...]:
        """Features that the laws may read."""
        return next(iter(self.laws.values())).names

    @property
    def latents(self) -> tuple[int, ...]:
        """Numbers of the latents ``names``."""
        return next(iter(self.laws.values())).latents

    @property
    def size(self) -> int:
        """Nodes of all trees together."""
        return sum(law.size for law in self.laws.values())

    def score(self, features: FeatureTable | pd.DataFrame | np.ndarray) -> np.ndarray:
        """Return f_c for each row, float64 (n, classes).

        Parameters
        ----------
        features : FeatureTable, DataFrame or ndarray
            As for `Law.score`.
        """
        table = FeatureTable.of(features)
        return np.stack([law.score(table) for law in self.laws.values()], axis=1)

    def against_the_rest(self, name: str) -> Law:
        """Return the law f_c - max(f_d) of a class c over all others d: it is 0 or more where c is predicted.

        Parameters
        ----------
        name : str
            The class c.

        Raises
        ------
        InputError
            If there is no such class.
        """
        self.check_class(name)
        others = [law.expression for other, law in self.laws.items() if other != name]
        largest = reduce(lambda a, b: Call("max", (a, b)), others)
        return Law(Call("-", (self.laws[name].expression, largest)), self.names)

    def against(self, name: str, other: str) -> Law:
        """Return the law f_c - f_d of two classes: it is 0 or more where c is likelier than d.

        Parameters
        ----------
        name : str
            The class c.
        other : str
            The class d.

        Raises
        ------
        InputError
            If there is no such class, or both are one.
        """
        self.check_class(name)
        self.check_class(other)
        if name == other:
            raise InputError(f"The class {name!r} cannot be told from itself; name two classes.")
        pair = [self.laws[one].expression for one in (name, other)]
        return Law(Call("-", (pair[0], pair[1])), self.names)

    def check_class(self, name: str) -> None:
        """Refuse a class that has no law.

        Parameters
        ----------
        name : str
            The class.

        Raises
        ------
        InputError
            If there is no such class.
        """
        if name not in self.laws:
            raise InputError(f"There is no law of the class {name!r}; there are {', '.join(self.laws)}.")

    def undefined(self, features: FeatureTable | pd.DataFrame | np.ndarray) -> int:
        """Return the number of rows where at least one law has no finite value.

        Parameters
        ----------
        features : FeatureTable, DataFrame or ndarray
            Columns by name; an array holds all latents, (n, L).
        """
        return int(np.count_nonzero(~np.isfinite(self.score(features)).all(axis=1)))

    def predict(self, features: FeatureTable | pd.DataFrame | np.ndarray) -> np.ndarray:
        """Return the number of each row's class, int64 (n,); a law without a finite value does not win.

        Parameters
        ----------
        features : FeatureTable, DataFrame or ndarray
            Columns by name; an array holds all latents, (n, L).
        """
        return largest_classes(self.score(features))

    def to_json(self) -> dict[str, Any]:
        """Return plain values that `from_json` reads back."""
        return {
            "laws": [{"class": name, **law.to_json()} for name, law in self.laws.items()],
            "metadata": dict(self.metadata),
        }

    @classmethod
    def from_json(cls, values: Any) -> ClassLaws:
        """Return the laws that `to_json` wrote.

        Parameters
        ----------
        values : object
            Plain values, as read from JSON.

        Raises
        ------
        InputError
            If the values are not those of laws of classes.
        """
        laws = values.get("laws") if isinstance(values, dict) else None
        if not isinstance(laws, list) or not all(
            isinstance(law, dict) and isinstance(law.get("class"), str) for law in laws
        ):
            raise InputError("Laws of classes must be a list 'laws' of objects with a 'class'.")
        metadata = values.get("metadata", {})
        if not isinstance(metadata, dict):
            raise InputError("The field 'metadata' of laws of classes must be an object.")
        return cls({law["class"]: Law.from_json(law) for law in laws}, metadata)
