"""The classifiers of a study as their files describe them, read without torch."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from morpholaw.cells.files import read_json
from morpholaw.display import MODELS, scheme_short, scheme_title
from morpholaw.errors import InputError

if TYPE_CHECKING:
    from morpholaw.study import Study


@dataclass(frozen=True)
class SavedClassifier:
    """What is recorded of the models of one scheme.

    Attributes
    ----------
    name : str
        "scheme1", ... "scheme4-hinge".
    scheme : int
        1 to 4.
    loss : str
        "hinge" or "mse" of scheme 4.
    classes : tuple of str
        The classes of f < 0 and of f >= 0 (eq. 2).
    models : int
        How many there are.
    accuracy : tuple of float
        Of the models' median score on the test cells, with the ends of its 95 % interval.
    test_cells : int
        How many test cells there are.
    confusion : ndarray, (2, 2)
        True classes in rows, calls in columns.
    weights : list of int or None
        Active weights of each model's head.
    sizes : list of int
        Expression size of each model (eqs. 11-14).
    """

    name: str
    scheme: int
    loss: str
    classes: tuple[str, str]
    models: int
    accuracy: tuple[float, float, float]
    test_cells: int
    confusion: np.ndarray
    weights: list[int] | None
    sizes: list[int]

    @property
    def title(self) -> str:
        """As the panels call it."""
        return scheme_title(self.scheme, self.loss if self.scheme == 4 else "")

    @property
    def short(self) -> str:
        """The title in a word or two, for a column: "3 sparse", "4 hinge"."""
        return scheme_short(self.scheme, self.loss if self.scheme == 4 else "")


def saved_classifiers(study: Study, complain: Callable[[str], Any]) -> list[SavedClassifier]:
    """Return the classifiers of a study by name; one that is damaged is left out, with a sentence."""
    found = []
    for path in sorted(study.path.glob("classifiers/*/model.json")):
        try:
            found.append(_read(path.parent.name, read_json(path)))
        except (InputError, KeyError, TypeError, ValueError):
            complain(f"The classifier in {path.parent} is not described in full; train it again.")
    return found


def _read(name: str, values: dict[str, Any]) -> SavedClassifier:
    evaluation = values["evaluation"]
    share, low, high = (float(value) for value in evaluation["ensemble_accuracy"])
    negative, positive = (str(value) for value in values["classes"])
    scheme = int(values["scheme"])
    if scheme not in MODELS:
        raise ValueError(f"scheme {scheme}")
    return SavedClassifier(
        name=name,
        scheme=scheme,
        loss=name.partition("-")[2] or "hinge",
        classes=(negative, positive),
        models=int(values["members"]),
        accuracy=(share, low, high),
        test_cells=int(evaluation["test_cells"]),
        confusion=np.asarray(evaluation["confusion"], dtype=np.int64).reshape(2, 2),
        weights=None if values["head_weights"] is None else [int(n) for n in values["head_weights"]],
        sizes=[int(n) for n in values["expression_sizes"]],
    )
