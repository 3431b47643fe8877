"""The laws of a study as its files hold them, read without torch."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from morpholaw.cells.files import read_json
from morpholaw.display import LOSSES
from morpholaw.errors import InputError
from morpholaw.models.law import Law

if TYPE_CHECKING:
    from morpholaw.study import Study


@dataclass(frozen=True)
class SavedLaws:
    """Laws found with one loss.

    Attributes
    ----------
    laws : tuple of Law
        In the order of the search: the most accurate on the training cells first.
    accuracy : ndarray, float64 (laws,)
        Share of test cells that each gets right.
    test_cells : int
        How many test cells there are.
    classes : tuple of str
        The classes of f < 0 and of f >= 0 (eq. 2).
    latents : int
        Latents of the encoder.
    """

    laws: tuple[Law, ...]
    accuracy: np.ndarray
    test_cells: int
    classes: tuple[str, str]
    latents: int


def found_losses(study: Study) -> list[str]:
    """The losses that laws were found with."""
    return [
        loss for loss in LOSSES if (study.path / "classifiers" / f"scheme4-{loss}" / "model.json").is_file()
    ]


def saved_laws(study: Study, loss: str) -> SavedLaws:
    """Read the laws of a loss; InputError where there are none or the file is damaged."""
    path = study.path / "classifiers" / f"scheme4-{loss}" / "model.json"
    values = read_json(path)
    try:
        laws = tuple(Law.from_json(law) for law in values["laws"])
        evaluation = values["evaluation"]
        accuracy = np.asarray(evaluation["accuracy"], dtype=np.float64)
        negative, positive = (str(name) for name in values["classes"])
        if not laws or accuracy.shape != (len(laws),):
            raise ValueError("one accuracy for each law")
        return SavedLaws(
            laws,
            accuracy,
            int(evaluation["test_cells"]),
            (negative, positive),
            int(values["encoder"]["latents"]),
        )
    except (KeyError, TypeError, ValueError):
        raise InputError(f"The laws in {path} are not described in full; search for them again.") from None


def named(names: Sequence[str], words: dict[int, str]) -> dict[str, str]:
    """Words for the latents of a law: {"z3": "size"} of ("z3", "z17") and {3: "size"}."""
    return {name: words[int(name[1:])] for name in names if int(name[1:]) in words}
