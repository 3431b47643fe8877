"""One model and a few cells, read in a thread; perturbing them by any eps then takes milliseconds."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from morpholaw.cells.crop_set import Crops
from morpholaw.errors import InputError
from morpholaw.study import Study
from morpholaw.widgets.study.saved_classifiers import SavedClassifier

REACH = {"image": 0.5, "latent": 6.0}
"""Largest eps, in units of the space: half of all grey levels, six standard deviations of the prior."""

# torch is imported when cells are first attacked, in the thread that reads the model.


class LiveAttack:
    """An attack on cells away from one model's own calls.

    Parameters
    ----------
    classifier : Classifier
        Of one model.
    key : tuple
        Names the model: file, classifier, number, time of change.
    images : ndarray, uint8 (n, s, s)
        The cells' crops.
    cells : sequence of int
        Their global indices.
    space : str
        "image" or "latent".
    held : sequence of int
        Latents that stay fixed.
    """

    def __init__(
        self,
        classifier: Any,
        key: tuple[Any, ...],
        images: np.ndarray,
        cells: Sequence[int],
        space: str,
        held: Sequence[int],
    ) -> None:
        self.classifier, self.key, self.images, self.cells = classifier, key, images, list(cells)
        self.space, self.held, self.reach = space, tuple(held), REACH[space]
        self.classes = classifier.negative, classifier.positive
        self.eps = 0.0

    def at(self, eps: float) -> Any:
        """The cells' :class:`morpholaw.probes.counterfactuals.Counterfactuals` at ``eps``."""
        from morpholaw.probes.counterfactuals import counterfactuals
        from morpholaw.training.devices import torch_threads

        self.eps = eps
        with torch_threads(1):  # two threads wait for each other longer than a few cells take
            return counterfactuals(self.classifier, self.images, eps, 0, self.space, self.held)

    def smallest_flips(self) -> np.ndarray:
        """Smallest eps that flips each cell, float64 (n,); inf where none up to ``reach`` does."""
        from morpholaw.probes.flips import smallest_flip
        from morpholaw.probes.scores import encode_means
        from morpholaw.training.devices import torch_threads

        with torch_threads(1):
            inputs = self.images
            if self.space == "latent":
                inputs = encode_means(self.classifier.encoder, self.images)
            tolerance = self.reach / 1000
            return smallest_flip(self.classifier, inputs, self.space, self.held, self.reach, tolerance, 32)[0]

    def metadata(self) -> dict[str, Any]:
        """What a layer keeps: the first cell and the attack."""
        _, name, model, _ = self.key
        held = list(self.held)
        return {
            "crop": self.cells[0],
            "classifier": name,
            "model": model,
            "space": self.space,
            "held": held,
            "eps": self.eps,
        }


def read_attack(
    study: Study,
    saved: SavedClassifier,
    member: int,
    space: str,
    keep: str,
    crops: Crops,
    cells: Sequence[int],
    last: LiveAttack | None = None,
) -> LiveAttack:
    """Load one model of a scheme and read the cells; the model of the last attack is used again if it is the same.

    Raises
    ------
    InputError
        When the study is gone, the scheme has no such space, or a latent to hold is unknown.
    """
    from morpholaw.probes.scores import check_space
    from morpholaw.study.attack_step import held_latents

    if not (study.path / "study.json").is_file():
        raise InputError(f"The study {study.path} is gone; it was moved or deleted.")
    path = study.path / "classifiers" / saved.name / "model.json"
    key = (str(path), saved.name, member, path.stat().st_mtime)
    if last is not None and last.key == key:
        classifier = last.classifier
    else:
        classifier = study.classifier(saved.scheme, saved.loss).select(member)
    check_space(classifier, space)
    held = held_latents(study, classifier, keep) if space == "latent" else ()
    return LiveAttack(classifier, key, crops[list(cells)], cells, space, held)
