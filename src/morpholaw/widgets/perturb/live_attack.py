"""Attacks of one model on a few cells at any eps, computed in the live process, which keeps the model loaded."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from morpholaw.errors import StudyGoneError
from morpholaw.store.classifier_record import ClassifierRecord
from morpholaw.widgets.jobs.live_process import LiveProcess

if TYPE_CHECKING:
    from morpholaw.cells.crop_set import Crops
    from morpholaw.evaluation.scoring import Space
    from morpholaw.study import Study

REACH: dict[Space, float] = {"image": 0.5, "latent": 6.0}
"""Largest eps: half of the grey range in image space, six standard deviations of the prior in latent space."""


@dataclass(frozen=True)
class ModelFile:
    """The file of one model of a study's classifier and when it was written, so that a newer model is told apart."""

    study: str
    name: str
    member: int
    changed: int

    @classmethod
    def of(cls, study: Study, saved: ClassifierRecord, member: int) -> ModelFile:
        """Describe a model of a saved classifier; StudyGoneError where the study or the classifier is gone."""
        path = study.path / "classifiers" / saved.name / "model.json"
        try:
            changed = path.stat().st_mtime_ns
        except OSError:
            what = (
                f"classifier {path.parent}"
                if (study.path / "study.json").is_file()
                else f"study {study.path}"
            )
            raise StudyGoneError(f"The {what} is gone; it was moved or deleted.") from None
        return cls(str(study.path), saved.name, member, changed)


class Direction(NamedTuple):
    """Where an attack moves cells.

    Attributes
    ----------
    space : {"image", "latent"}
        What is changed.
    keep : str
        Latents that are held fixed, as in :class:`morpholaw.AttackConfig`.
    towards : str
        The class to move towards; "" for away from the predicted one.
    """

    space: Space
    keep: str
    towards: str = ""


@dataclass(frozen=True)
class LiveAttack:
    """An attack on cells, away from the class that one model predicts or towards another, ready for any eps.

    Attributes
    ----------
    model : ModelFile
        The model.
    classes : tuple of str
        The classes; of two, those predicted for f < 0 and for f >= 0.
    images : ndarray, uint8 (n, s, s)
        The cells' crops.
    cells : list of int
        Their global indices.
    space : str
        "image" or "latent".
    held : tuple of int
        Latents that are held fixed.
    towards : int or None
        The class to move towards; None for away from the predicted class.
    """

    model: ModelFile
    classes: tuple[str, ...]
    images: np.ndarray
    cells: list[int]
    space: Space
    held: tuple[int, ...]
    towards: int | None = None

    @property
    def reach(self) -> float:
        """The largest eps."""
        return REACH[self.space]

    def metadata(self, eps: float) -> dict[str, Any]:
        """Describe the first cell and the attack, for the metadata of a layer."""
        return {
            "crop": self.cells[0],
            "classifier": self.model.name,
            "model": self.model.member,
            "space": self.space,
            "held": list(self.held),
            "towards": "" if self.towards is None else self.classes[self.towards],
            "eps": eps,
        }


@dataclass(frozen=True)
class Attacked:
    """Cells attacked at one eps; images are float32 (n, s, s), in latent space those of the decoder.

    Attributes
    ----------
    eps : float
        The magnitude of the perturbation.
    images, perturbed : ndarray
        The cells before and after.
    reconstruction : ndarray or None
        Decoded image of the perturbed cell (image space) or of the cell (latent space); None for scheme 1.
    difference : ndarray
        The change that the attack made.
    scores, perturbed_scores : ndarray, (n,)
        f before and after; of more than two classes, the lead of the class predicted before over the best other.
    predicted, perturbed_predicted : ndarray, int64 (n,)
        Numbers of the predicted classes before and after; -1 where a score is undefined.
    """

    eps: float
    images: np.ndarray
    perturbed: np.ndarray
    reconstruction: np.ndarray | None
    difference: np.ndarray
    scores: np.ndarray
    perturbed_scores: np.ndarray
    predicted: np.ndarray
    perturbed_predicted: np.ndarray

    @property
    def flipped(self) -> np.ndarray:
        """Whether the predicted class changed, bool (n,)."""
        changed: np.ndarray = self.predicted != self.perturbed_predicted
        return changed


def prepare(
    live: LiveProcess,
    model: ModelFile,
    classes: tuple[str, ...],
    direction: Direction,
    crops: Crops,
    cells: Sequence[int],
) -> LiveAttack:
    """Read the cells in this process and the model in the live process.

    Raises
    ------
    InputError
        If the scheme has no such space, or a latent to hold is unknown.
    """
    images = np.asarray(crops[list(cells)])
    held = live.call(held_by, model, direction.space, direction.keep)
    number = classes.index(direction.towards) if direction.towards else None
    return LiveAttack(model, classes, images, list(cells), direction.space, held, number)


@lru_cache(maxsize=2)
def classifier_of(model: ModelFile) -> Any:
    """Load one model as a classifier, in the live process; the last two are kept."""
    from morpholaw.store.classifiers import load
    from morpholaw.store.study_folder import StudyFolder

    return load(StudyFolder(Path(model.study)), model.name).select(model.member)


def held_by(model: ModelFile, space: Space, keep: str) -> tuple[int, ...]:
    """Return the latents that an attack holds fixed; InputError where the model has no such space or latent."""
    from morpholaw.evaluation.scoring import check_space
    from morpholaw.study import Study
    from morpholaw.study.attack_step import held_latents

    classifier = classifier_of(model)
    check_space(classifier, space)
    return held_latents(Study(Path(model.study)), classifier, keep) if space == "latent" else ()


def perturbed(
    model: ModelFile,
    images: np.ndarray,
    eps: float,
    space: Space,
    held: Sequence[int],
    towards: int | None = None,
) -> Attacked:
    """Attack crops, uint8 (n, s, s), at ``eps``."""
    from morpholaw.interpretation.attack import AttackOptions
    from morpholaw.interpretation.counterfactuals import counterfactuals
    from morpholaw.training.devices import torch_threads

    with torch_threads(1):  # two threads wait for each other longer than a few cells take
        options = AttackOptions(space, fixed=tuple(held), towards=towards)
        after = counterfactuals(classifier_of(model), images, eps, 0, options)
    rebuilt = after.reconstruction if space == "latent" else after.perturbed_reconstruction
    return Attacked(
        eps,
        after.images,
        after.perturbed,
        rebuilt,
        after.difference,
        *after.margins,
        after.predicted,
        after.perturbed_predicted,
    )


def smallest_flips(
    model: ModelFile, images: np.ndarray, space: Space, held: Sequence[int], towards: int | None = None
) -> np.ndarray:
    """Find the smallest eps that changes the predicted class, float64 (n,); inf where none up to REACH does.

    Towards a class, it is the smallest eps at which that class is predicted.
    """
    from morpholaw.evaluation.scoring import encode_means
    from morpholaw.interpretation.attack import AttackOptions
    from morpholaw.interpretation.minimal_perturbation import minimal_perturbation
    from morpholaw.training.devices import torch_threads

    classifier, reach = classifier_of(model), REACH[space]
    with torch_threads(1):
        inputs = encode_means(classifier.encoder, images) if space == "latent" else images
        options = AttackOptions(space, fixed=tuple(held), towards=towards)
        eps: np.ndarray = minimal_perturbation(classifier, inputs, options, reach, reach / 1000, 32)[0]
    return eps
