"""One model and a few cells under attack, at any eps: computed in the live process, which keeps the model."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from morpholaw.errors import InputError
from morpholaw.widgets.jobs.live_process import LiveProcess
from morpholaw.widgets.study.saved_classifiers import SavedClassifier

if TYPE_CHECKING:
    from morpholaw.cells.crop_set import Crops
    from morpholaw.study import Study

REACH = {"image": 0.5, "latent": 6.0}
"""Largest eps, in units of the space: half of all grey levels, six standard deviations of the prior."""


@dataclass(frozen=True)
class ModelFile:
    """Names one model of a study's classifier as it is now: another one in the same place has another time."""

    study: str
    name: str
    scheme: int
    loss: str
    member: int
    changed: int

    @classmethod
    def of(cls, study: Study, saved: SavedClassifier, member: int) -> ModelFile:
        """That of a saved classifier; InputError where the study or the classifier is gone."""
        path = study.path / "classifiers" / saved.name / "model.json"
        try:
            changed = path.stat().st_mtime_ns
        except OSError:
            what = (
                f"classifier {path.parent}"
                if (study.path / "study.json").is_file()
                else f"study {study.path}"
            )
            raise InputError(f"The {what} is gone; it was moved or deleted.") from None
        return cls(str(study.path), saved.name, saved.scheme, saved.loss, member, changed)


@dataclass(frozen=True)
class LiveAttack:
    """An attack on cells away from one model's own calls, ready at any eps.

    Attributes
    ----------
    model : ModelFile
        The model.
    classes : tuple of str
        Its classes of f < 0 and of f >= 0.
    images : ndarray, uint8 (n, s, s)
        The cells' crops.
    cells : list of int
        Their global indices.
    space : str
        "image" or "latent".
    held : tuple of int
        Latents that stay fixed.
    """

    model: ModelFile
    classes: tuple[str, str]
    images: np.ndarray
    cells: list[int]
    space: str
    held: tuple[int, ...]

    @property
    def reach(self) -> float:
        """The largest eps."""
        return REACH[self.space]

    def metadata(self, eps: float) -> dict[str, Any]:
        """What a layer keeps: the first cell and the attack."""
        return {
            "crop": self.cells[0],
            "classifier": self.model.name,
            "model": self.model.member,
            "space": self.space,
            "held": list(self.held),
            "eps": eps,
        }


@dataclass(frozen=True)
class Attacked:
    """Cells at one eps, one row a cell; pictures float32 (n, s, s), in latent space those of the decoder.

    Attributes
    ----------
    images, perturbed : ndarray
        Before and after.
    reconstruction : ndarray or None
        The encoder's picture: in image space of the perturbed cell, in latent space of the cell; None for scheme 1.
    difference : ndarray
        What the attack changed.
    scores, perturbed_scores : ndarray, (n,)
        f before and after.
    """

    eps: float
    images: np.ndarray
    perturbed: np.ndarray
    reconstruction: np.ndarray | None
    difference: np.ndarray
    scores: np.ndarray
    perturbed_scores: np.ndarray

    @property
    def flipped(self) -> np.ndarray:
        """Where the call changed, bool (n,)."""
        return (self.scores >= 0) != (self.perturbed_scores >= 0)


def prepare(
    live: LiveProcess,
    study: Study,
    saved: SavedClassifier,
    member: int,
    space: str,
    keep: str,
    crops: Crops,
    cells: Sequence[int],
) -> LiveAttack:
    """Read the cells here and the model in the live process.

    Raises
    ------
    InputError
        When the study is gone, the scheme has no such space, or a latent to hold is unknown.
    """
    model = ModelFile.of(study, saved, member)
    images = np.asarray(crops[list(cells)])
    held = live.call(held_by, model, space, keep)
    return LiveAttack(model, saved.classes, images, list(cells), space, held)


# ---- in the live process, which imports torch


@lru_cache(maxsize=2)
def classifier_of(model: ModelFile) -> Any:
    """The one model as a classifier; kept until two others were used."""
    from morpholaw.study import Study

    return Study(Path(model.study)).classifier(model.scheme, model.loss).select(model.member)


def held_by(model: ModelFile, space: str, keep: str) -> tuple[int, ...]:
    """The latents that an attack in ``space`` holds; InputError where the model has no such space or latent."""
    from morpholaw.evaluation.scoring import check_space
    from morpholaw.study import Study
    from morpholaw.study.attack_step import held_latents

    classifier = classifier_of(model)
    check_space(classifier, space)
    return held_latents(Study(Path(model.study)), classifier, keep) if space == "latent" else ()


def perturbed(model: ModelFile, images: np.ndarray, eps: float, space: str, held: Sequence[int]) -> Attacked:
    """Crops uint8 (n, s, s) attacked at ``eps``."""
    from morpholaw.interpretation.attack import AttackOptions
    from morpholaw.interpretation.counterfactuals import counterfactuals
    from morpholaw.training.devices import torch_threads

    with torch_threads(1):  # two threads wait for each other longer than a few cells take
        options = AttackOptions(space, fixed=tuple(held))
        found = counterfactuals(classifier_of(model), images, eps, 0, options)
    rebuilt = found.reconstruction if space == "latent" else found.perturbed_reconstruction
    return Attacked(
        eps, found.images, found.perturbed, rebuilt, found.difference, found.scores, found.perturbed_scores
    )


def smallest_flips(model: ModelFile, images: np.ndarray, space: str, held: Sequence[int]) -> np.ndarray:
    """Smallest eps that flips each cell, float64 (n,); inf where none up to :data:`REACH` does."""
    from morpholaw.evaluation.scoring import encode_means
    from morpholaw.interpretation.attack import AttackOptions
    from morpholaw.interpretation.minimal_perturbation import minimal_perturbation
    from morpholaw.training.devices import torch_threads

    classifier, reach = classifier_of(model), REACH[space]
    with torch_threads(1):
        inputs = encode_means(classifier.encoder, images) if space == "latent" else images
        options = AttackOptions(space, fixed=tuple(held))
        return minimal_perturbation(classifier, inputs, options, reach, reach / 1000, 32)[0]
