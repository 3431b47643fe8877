"""Laws for more than two classes: one expression a class, and the class is that of the largest (paper, section 8)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from morpholaw.errors import InputError
from morpholaw.models.law import Law

NO_CLASS = -1
"""The call of a row where no law has a finite value."""


@dataclass(frozen=True)
class ClassLaws:
    """f_c(z) of every class c; a cell is of class c where f_c(z) > f_d(z) for every other class d.

    Parameters
    ----------
    laws
        Class name to its law, two classes or more; all read the same latents.
    metadata
        How they were found and tested, as plain JSON values.
    """

    laws: Mapping[str, Law]
    metadata: Mapping[str, Any] = field(default_factory=dict, compare=False)

    def __post_init__(self) -> None:
        if len(self.laws) < 2 or len({law.names for law in self.laws.values()}) != 1:
            raise InputError("Laws of classes need two classes or more, and laws of the same latents.")

    @property
    def classes(self) -> tuple[str, ...]:
        """Names of the classes, in the order of the scores' columns."""
        return tuple(self.laws)

    @property
    def names(self) -> tuple[str, ...]:
        """Latents that the laws read, in the order of the columns of ``z``."""
        return next(iter(self.laws.values())).names

    @property
    def latents(self) -> tuple[int, ...]:
        """Indices of the latents ``names``."""
        return next(iter(self.laws.values())).latents

    @property
    def size(self) -> int:
        """Nodes of all trees together."""
        return sum(law.size for law in self.laws.values())

    def score(self, z: np.ndarray) -> np.ndarray:
        """f_c for each row of ``z`` (rows, len(names)), float64 (rows, classes)."""
        return np.stack([law.score(z) for law in self.laws.values()], axis=1)

    def undefined(self, z: np.ndarray) -> int:
        """Rows where a law has no finite value."""
        return int(np.count_nonzero(~np.isfinite(self.score(z)).all(axis=1)))

    def calls(self, z: np.ndarray) -> np.ndarray:
        """Number of each row's class, int64 (rows,); a law without a finite value does not win."""
        return call_largest(self.score(z))

    def to_json(self) -> dict[str, Any]:
        """Plain values; `from_json` reads them back."""
        return {
            "laws": [{"class": name, **law.to_json()} for name, law in self.laws.items()],
            "metadata": dict(self.metadata),
        }

    @classmethod
    def from_json(cls, values: Any) -> ClassLaws:
        """The laws that `to_json` wrote.

        Raises
        ------
        InputError
            The values are not those of laws of classes.
        """
        made = values.get("laws") if isinstance(values, dict) else None
        if not isinstance(made, list) or not all(
            isinstance(one, dict) and isinstance(one.get("class"), str) for one in made
        ):
            raise InputError("Laws of classes must be a list 'laws' of objects with a 'class'.")
        metadata = values.get("metadata", {})
        if not isinstance(metadata, dict):
            raise InputError("The field 'metadata' of laws of classes must be an object.")
        return cls({one["class"]: Law.from_json(one) for one in made}, metadata)


def call_largest(scores: np.ndarray) -> np.ndarray:
    """Column of the largest finite score in each row, int64 (rows,); ``NO_CLASS`` where none is finite."""
    finite = np.isfinite(scores)
    best = np.where(finite, scores, -np.inf).argmax(axis=1)
    return np.where(finite.any(axis=1), best, NO_CLASS)
