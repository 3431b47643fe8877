"""Laws: an expression of a few named features whose sign gives the class (scheme 4; paper, eq. 2)."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from morpholaw.errors import InputError
from morpholaw.models.classes import predicted_classes
from morpholaw.models.expressions import (
    LEAST_DIGITS,
    MOST_DIGITS,
    Call,
    Expression,
    Variable,
    parse,
    to_latex,
    to_python,
)
from morpholaw.models.features import FeatureTable, column_numbers, latent_names, latent_number

if TYPE_CHECKING:
    import pandas as pd
    import torch


DIGITS = "digits"
"""Key of the metadata of a law under which the number of its `digits` is stored."""


@dataclass(frozen=True)
class Law:
    """An expression f of named features; f < 0 is the negative class (0) and f >= 0 the positive class (1).

    Parameters
    ----------
    expression : Expression
        The formula; its columns are those of ``names``.
    names : tuple of str
        Features in the order of the expression's columns, such as ``("z3", "z17", "z21", "z29")``.
    metadata : mapping
        How the law was found (loss, accuracy, engine, seed, ...), as plain JSON values.

    Examples
    --------
    >>> law = Law.parse("z1 - square(z0)", ["z0", "z1"])
    >>> law.score(np.array([[1.0, 3.0, 7.0], [2.0, 3.0, 7.0]]))
    array([ 2., -1.])
    """

    expression: Expression
    names: tuple[str, ...]
    metadata: Mapping[str, Any] = field(default_factory=dict, compare=False)

    @classmethod
    def parse(cls, text: str, names: Sequence[str], metadata: Mapping[str, Any] | None = None) -> Law:
        """Parse a law from text; the text is never evaluated as code.

        Parameters
        ----------
        text : str
            Infix text, such as ``"z29*(square(z17) + square(z21)) - exp(exp(z3))"``.
        names : sequence of str
            Names of the features that the law may use.
        metadata : mapping, optional
            How the law was found, as plain JSON values.

        Returns
        -------
        Law

        Raises
        ------
        InputError
            If the text is not an expression of these names.
        """
        return cls(parse(text, names), tuple(names), dict(metadata or {}))

    @property
    def argument(self) -> str:
        """What follows the letter of the law in formulas: "(z)", or nothing where it reads more than latents."""
        return "(z)" if all(latent_number(name) is not None for name in self.names) else ""

    @property
    def latents(self) -> tuple[int, ...]:
        """Numbers of the latents in ``names``; 17 for "z17"."""
        return tuple(_latent(name) for name in self.names)

    @property
    def size(self) -> int:
        """Number of nodes, the expression size of the paper."""
        return self.expression.size

    @property
    def complexity(self) -> int:
        """Number of nodes weighted by cost: sin 3, exp and log 2, others 1 (paper, B.4)."""
        return self.expression.complexity()

    def score(self, features: FeatureTable | pd.DataFrame | np.ndarray) -> np.ndarray:
        """Return the score f of each row.

        Parameters
        ----------
        features : FeatureTable, DataFrame or ndarray
            (n, features) with at least the columns ``names``; a plain array holds all latents z0, z1, ...

        Returns
        -------
        ndarray
            float64 (n,); NaN or infinite where the law is undefined.

        Raises
        ------
        InputError
            If a feature of the law is missing.
        """
        return self.expression.evaluate(FeatureTable.of(features).select(self.names))

    def score_torch(self, features: torch.Tensor, names: Sequence[str] | None = None) -> torch.Tensor:
        """Return the score f of each row of a tensor; differentiable.

        Parameters
        ----------
        features : Tensor
            (n, features).
        names : sequence of str, optional
            Names of the columns; by default z0, z1, ... (all latents).

        Returns
        -------
        Tensor
            (n,), of the dtype of ``features``.

        Raises
        ------
        InputError
            If a feature of the law is missing.
        """
        if features.ndim != 2:
            raise InputError(
                f"Features need a tensor of shape (n, features); got shape {tuple(features.shape)}."
            )
        columns = column_numbers(names or latent_names(features.shape[1]), self.names)
        return self.expression.evaluate_torch(features[:, columns])

    def undefined(self, features: FeatureTable | pd.DataFrame | np.ndarray) -> int:
        """Return the number of rows without a finite score.

        Parameters
        ----------
        features : FeatureTable, DataFrame or ndarray
            (n, features) with at least the columns ``names``; an array (n, latents) holds all latents.

        Returns
        -------
        int
        """
        return int(np.count_nonzero(~np.isfinite(self.score(features))))

    def predict(self, features: FeatureTable | pd.DataFrame | np.ndarray) -> np.ndarray:
        """Return the predicted class of each row.

        Parameters
        ----------
        features : FeatureTable, DataFrame or ndarray
            (n, features) with at least the columns ``names``; an array (n, latents) holds all latents.

        Returns
        -------
        ndarray
            int64 (n,): 0 or 1, or -1 where the score is not finite.
        """
        return predicted_classes(self.score(features))

    def accuracy(self, features: FeatureTable | pd.DataFrame | np.ndarray, targets: np.ndarray) -> float:
        """Return the share of rows that are classified correctly; a row without a finite score counts as wrong.

        Parameters
        ----------
        features : FeatureTable, DataFrame or ndarray
            As for `score`.
        targets : ndarray
            True classes, int (n,), 0 or 1.

        Returns
        -------
        float
        """
        return float(np.mean(self.predict(features) == np.asarray(targets)))

    @property
    def digits(self) -> int:
        """Significant digits of the printed constants with which the training and test cells keep their classes.

        They are stored with the law when it is evaluated; `LEAST_DIGITS` for a law that was not.
        """
        digits = self.metadata.get(DIGITS)
        return digits if isinstance(digits, int) and LEAST_DIGITS <= digits <= MOST_DIGITS else LEAST_DIGITS

    def rounded(self, digits: int | None = None) -> Law:
        """Return the law with rounded constants and plain signs. Its metadata is that of the original law.

        Parameters
        ----------
        digits : int, optional
            Significant digits of constants; by default its `digits`.

        Returns
        -------
        Law
        """
        count = digits or self.digits
        values = [float(f"{value:.{count}g}") for value in self.expression.constants()]
        return replace(self, expression=self.expression.with_constants(values).with_plain_signs())

    def reduced(self) -> Law:
        """Return the same law with only the features that it uses."""
        used = self.expression.variables()
        return replace(self, expression=_renumbered(self.expression, used), names=used)

    def text(self) -> str:
        """Return infix text with constants at full precision."""
        return self.expression.text()

    def latex(self, names: Mapping[str, str] | None = None, digits: int | None = None) -> str:
        """Return the law as LaTeX.

        Parameters
        ----------
        names : mapping of str to str, optional
            Display names of features, such as ``{"z3": "size"}``.
        digits : int, optional
            Significant digits of constants; by default its `digits`.

        Returns
        -------
        str
        """
        return to_latex(self.expression, names, digits or self.digits)

    def to_python(
        self,
        function: str = "law",
        classes: tuple[str, str] = ("the negative class", "the positive class"),
    ) -> str:
        """Return the source of a Python function that computes the law's score.

        Parameters
        ----------
        function : str
            Name of the function. Its arguments are the features of the law, one number each.
        classes : tuple of str
            Names of the negative and the positive class, for the docstring.

        Returns
        -------
        str
            Source that needs only the standard library.

        Raises
        ------
        InputError
            If ``function`` is not a valid Python name.
        """
        return to_python(self.expression, self.names, function, classes)

    def to_json(self) -> dict[str, Any]:
        """Return plain values: the expression at full precision, its names, size, complexity and metadata."""
        return {
            "expression": self.text(),
            "names": list(self.names),
            "size": self.size,
            "complexity": self.complexity,
            "metadata": dict(self.metadata),
        }

    @classmethod
    def from_json(cls, values: Any) -> Law:
        """Return the law that `to_json` wrote; size and complexity are recomputed.

        Parameters
        ----------
        values : object
            Plain values, as read from JSON.

        Returns
        -------
        Law

        Raises
        ------
        InputError
            If the values do not describe a law.
        """
        if not isinstance(values, dict) or not {"expression", "names"} <= values.keys():
            raise InputError("A law must be an object with the fields 'expression' and 'names'.")
        names, metadata = values["names"], values.get("metadata", {})
        if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
            raise InputError("The field 'names' of a law must be a list of feature names.")
        if not isinstance(metadata, dict):
            raise InputError("The field 'metadata' of a law must be an object.")
        return cls.parse(values["expression"], names, metadata)

    def __str__(self) -> str:
        """Return infix text."""
        return self.text()


def _renumbered(node: Expression, names: Sequence[str]) -> Expression:
    if isinstance(node, Variable):
        return replace(node, column=names.index(node.name))
    if isinstance(node, Call):
        return replace(node, operands=tuple(_renumbered(one, names) for one in node.operands))
    return node


def _latent(name: str) -> int:
    match = re.fullmatch(r"[A-Za-z]+_?(\d+)", name)
    if not match:
        raise InputError(f"{name!r} is not the name of a latent; expected a name such as 'z17'.")
    return int(match[1])
