"""A law: one expression of a few named latents whose sign is the class (paper, scheme 4 and eq. 2)."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from morpholaw.errors import InputError
from morpholaw.models.expressions import Expression, parse, to_latex, to_python

if TYPE_CHECKING:
    import torch


@dataclass(frozen=True)
class Law:
    """f(z) of the latents ``names``: below 0 is the negative class, 0 and above the positive.

    Parameters
    ----------
    expression
        The formula; its columns are those of ``names``.
    names
        Latents in the order of the columns that `score` reads, e.g. ``("z3", "z17", "z21", "z29")``.
    metadata
        How it was found: loss, accuracy, engine, seed and so on, as plain JSON values.
    """

    expression: Expression
    names: tuple[str, ...]
    metadata: Mapping[str, Any] = field(default_factory=dict, compare=False)

    @classmethod
    def parse(cls, text: str, names: Sequence[str], metadata: Mapping[str, Any] | None = None) -> Law:
        """Read a law such as ``"z29*(square(z17) + square(z21)) - exp(exp(z3))"``; nothing is evaluated.

        Raises
        ------
        InputError
            The text is not an expression of these names.
        """
        return cls(parse(text, names), tuple(names), dict(metadata or {}))

    @property
    def latents(self) -> tuple[int, ...]:
        """Indices of the latents ``names``: 17 for "z17"."""
        return tuple(_latent(name) for name in self.names)

    @property
    def size(self) -> int:
        """Nodes of the tree, the paper's expression size."""
        return self.expression.size

    @property
    def complexity(self) -> int:
        """Nodes weighted by cost (paper, B.4: sin 3, exp and log 2)."""
        return self.expression.complexity()

    def score(self, z: np.ndarray) -> np.ndarray:
        """f for each row of ``z`` (rows, len(names)), float64 (rows,); NaN or infinite where undefined."""
        self._check(z.shape)
        return self.expression.evaluate(z)

    def score_torch(self, z: torch.Tensor) -> torch.Tensor:
        """f for each row of the tensor ``z`` (rows, len(names)), differentiable by it."""
        self._check(tuple(z.shape))
        return self.expression.evaluate_torch(z)

    def undefined(self, z: np.ndarray) -> int:
        """Rows of ``z`` (rows, len(names)) without a finite score."""
        return int(np.count_nonzero(~np.isfinite(self.score(z))))

    def calls(self, z: np.ndarray) -> np.ndarray:
        """The class of each row of ``z``: -1, +1, or 0 where the score is not finite; int8 (rows,)."""
        score = self.score(z)
        return np.where(np.isfinite(score), np.where(score >= 0, 1, -1), 0).astype(np.int8)

    def accuracy(self, z: np.ndarray, targets: np.ndarray) -> float:
        """Share of rows whose class is right; ``targets`` (rows,) are -1 and +1; an undefined row is wrong."""
        return float(np.mean(self.calls(z) == np.where(np.asarray(targets) >= 0, 1, -1)))

    def rounded(self, digits: int = 3) -> Law:
        """The law with its constants at so many significant digits, for show; score it anew."""
        values = [float(f"{value:.{digits}g}") for value in self.expression.constants()]
        return replace(self, expression=self.expression.with_constants(values))

    def text(self) -> str:
        """Infix text, constants at full precision."""
        return self.expression.text()

    def latex(self, names: Mapping[str, str] | None = None, digits: int = 3) -> str:
        """LaTeX; ``names`` gives words to show for latents, e.g. ``{"z3": "size"}``."""
        return to_latex(self.expression, names, digits)

    def to_python(
        self,
        function: str = "law",
        classes: tuple[str, str] = ("the negative class", "the positive class"),
    ) -> str:
        """Return the source of a Python function with the law's scores.

        Parameters
        ----------
        function : str
            Name of the function; it takes the law's columns, one number each, by position or by name.
        classes : (str, str)
            Names of the negative and the positive class, for its docstring.

        Returns
        -------
        str
            Source that needs the standard library alone.

        Raises
        ------
        InputError
            If ``function`` is not a name that Python can use.
        """
        return to_python(self.expression, self.names, function, classes)

    def to_json(self) -> dict[str, Any]:
        """Plain values: the expression at full precision, its names, size, complexity and metadata."""
        return {
            "expression": self.text(),
            "names": list(self.names),
            "size": self.size,
            "complexity": self.complexity,
            "metadata": dict(self.metadata),
        }

    @classmethod
    def from_json(cls, values: Any) -> Law:
        """The law that `to_json` wrote; size and complexity are counted anew.

        Raises
        ------
        InputError
            The values are not those of a law.
        """
        if not isinstance(values, dict) or not {"expression", "names"} <= values.keys():
            raise InputError("A law must be an object with the fields 'expression' and 'names'.")
        names, metadata = values["names"], values.get("metadata", {})
        if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
            raise InputError("The field 'names' of a law must be a list of latents' names.")
        if not isinstance(metadata, dict):
            raise InputError("The field 'metadata' of a law must be an object.")
        return cls.parse(values["expression"], names, metadata)

    def _check(self, shape: tuple[int, ...]) -> None:
        if len(shape) != 2 or shape[1] != len(self.names):
            raise InputError(
                f"The law needs rows of the {len(self.names)} latents {', '.join(self.names)}; got shape {shape}."
            )

    def __str__(self) -> str:
        return self.text()


def _latent(name: str) -> int:
    match = re.fullmatch(r"[A-Za-z]+_?(\d+)", name)
    if not match:
        raise InputError(f"The name {name!r} says no latent's number; names such as 'z17' were expected.")
    return int(match[1])
