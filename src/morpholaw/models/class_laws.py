"""Laws for several classes: one expression per class, of which the largest wins (paper, section 8)."""

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
    """One law f_c per class; a cell belongs to the class c with the largest f_c(z).

    Parameters
    ----------
    laws : mapping of str to Law
        One law per class, for at least two classes. All have the same ``names``.
    metadata : mapping
        How the laws were found and tested, as plain JSON values.
    """

    laws: Mapping[str, Law]
    metadata: Mapping[str, Any] = field(default_factory=dict, compare=False)

    def __post_init__(self) -> None:
        """Check that there are at least two laws and that they use the same features."""
        if len(self.laws) < 2 or len({law.names for law in self.laws.values()}) != 1:
            raise InputError("Laws per class need at least two classes, and all laws need the same features.")

    @property
    def classes(self) -> tuple[str, ...]:
        """Names of the classes, in the order of the columns of scores."""
        return tuple(self.laws)

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the features that the laws may use."""
        return next(iter(self.laws.values())).names

    @property
    def latents(self) -> tuple[int, ...]:
        """Numbers of the latents in ``names``."""
        return next(iter(self.laws.values())).latents

    @property
    def size(self) -> int:
        """Total number of nodes of all expressions."""
        return sum(law.size for law in self.laws.values())

    def score(self, features: FeatureTable | pd.DataFrame | np.ndarray) -> np.ndarray:
        """Return the score f_c of each class for each row.

        Parameters
        ----------
        features : FeatureTable, DataFrame or ndarray
            (n, features) with at least the columns ``names``; an array (n, latents) holds all latents.

        Returns
        -------
        ndarray
            float64 (n, classes).
        """
        table = FeatureTable.of(features)
        return np.stack([law.score(table) for law in self.laws.values()], axis=1)

    def against_the_rest(self, name: str) -> Law:
        """Return the law f_c - max f_d over all other classes d, which is >= 0 where class c is predicted.

        Parameters
        ----------
        name : str
            Name of the class c.

        Returns
        -------
        Law

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
        """Return the law f_c - f_d of two classes, which is >= 0 where c has the larger score.

        Parameters
        ----------
        name : str
            Name of the class c.
        other : str
            Name of the class d.

        Returns
        -------
        Law

        Raises
        ------
        InputError
            If a class does not exist, or both are the same.
        """
        self.check_class(name)
        self.check_class(other)
        if name == other:
            raise InputError(f"The class {name!r} cannot be compared with itself; name two classes.")
        pair = [self.laws[one].expression for one in (name, other)]
        return Law(Call("-", (pair[0], pair[1])), self.names)

    def check_class(self, name: str) -> None:
        """Raise an InputError if a class has no law.

        Parameters
        ----------
        name : str
            Name of the class.

        Raises
        ------
        InputError
            If there is no such class.
        """
        if name not in self.laws:
            raise InputError(
                f"There is no law for the class {name!r}; the classes are {', '.join(self.laws)}."
            )

    def undefined(self, features: FeatureTable | pd.DataFrame | np.ndarray) -> int:
        """Return the number of rows in which at least one law is not finite.

        Parameters
        ----------
        features : FeatureTable, DataFrame or ndarray
            (n, features) with at least the columns ``names``; an array (n, latents) holds all latents.

        Returns
        -------
        int
        """
        return int(np.count_nonzero(~np.isfinite(self.score(features)).all(axis=1)))

    def predict(self, features: FeatureTable | pd.DataFrame | np.ndarray) -> np.ndarray:
        """Return the predicted class of each row; a law that is not finite is ignored.

        Parameters
        ----------
        features : FeatureTable, DataFrame or ndarray
            (n, features) with at least the columns ``names``; an array (n, latents) holds all latents.

        Returns
        -------
        ndarray
            int64 (n,); class numbers.
        """
        return largest_classes(self.score(features))

    def rounded(self, digits: int | None = None) -> ClassLaws:
        """Return the laws with rounded constants.

        Parameters
        ----------
        digits : int, optional
            Number of significant digits of each constant; by default that of each law.

        Returns
        -------
        ClassLaws
        """
        return ClassLaws({name: law.rounded(digits) for name, law in self.laws.items()}, self.metadata)

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

        Returns
        -------
        ClassLaws

        Raises
        ------
        InputError
            If the values do not describe laws per class.
        """
        laws = values.get("laws") if isinstance(values, dict) else None
        if not isinstance(laws, list) or not all(
            isinstance(law, dict) and isinstance(law.get("class"), str) for law in laws
        ):
            raise InputError("Laws per class must be a list 'laws' of objects with a 'class'.")
        metadata = values.get("metadata", {})
        if not isinstance(metadata, dict):
            raise InputError("The field 'metadata' of laws per class must be an object.")
        return cls({law["class"]: Law.from_json(law) for law in laws}, metadata)
