"""Attacks on a few cells with one model at any eps, computed in the live process, which keeps the model loaded."""

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
"""Largest eps: half the grey range in image space, six standard deviations of the prior in latent space."""


@dataclass(frozen=True)
class ModelFile:
    """The file of one model of a classifier, with its time of change, which distinguishes it from a newer model."""

    study: str
    name: str
    member: int
    changed: int

    @classmethod
    def of(cls, study: Study, saved: ClassifierRecord, member: int) -> ModelFile:
        """Return the file of a model; raise StudyGoneError if the study or the classifier is gone."""
        path = study.path / "classifiers" / saved.name / "model.json"
        try:
            changed = path.stat().st_mtime_ns
        except OSError:
            what = (
                f"classifier {path.parent}"
                if (study.path / "study.json").is_file()
                else f"study {study.path}"
            )
            raise StudyGoneError(f"The {what} no longer exists; it was moved or deleted.") from None
        return cls(str(study.path), saved.name, member, changed)


class Direction(NamedTuple):
    """The direction in which an attack moves cells.

    Attributes
    ----------
    space : {"image", "latent"}
        The space in which the perturbation is added.
    keep : str
        Latents that are held fixed, as in :class:`morpholaw.AttackConfig`.
    towards : str
        The class to move towards; "" to move away from the predicted class.
    """

    space: Space
    keep: str
    towards: str = ""


@dataclass(frozen=True)
class LiveAttack:
    """An attack on cells, ready for any eps: away from the class that the model predicts, or towards another one.

    Attributes
    ----------
    model : ModelFile
        The model.
    classes : tuple of str
        The classes. With two classes, f < 0 predicts the first one and f >= 0 the second one.
    images : ndarray, uint8 (n, s, s)
        Crops of the cells.
    cells : list of int
        Global indices of the cells.
    space : str
        "image" or "latent".
    held : tuple of int
        Latents that are held fixed.
    towards : int or None
        Number of the class to move towards; None to move away from the predicted class.
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
    """Cells attacked at one eps.

    Images are float32 (n, s, s). In latent space they come from the decoder.

    Attributes
    ----------
    eps : float
        Magnitude of the perturbation.
    images, perturbed : ndarray
        The cells before and after the attack.
    reconstruction : ndarray or None
        Decoded image of the perturbed cell (image space) or of the cell (latent space); None for scheme 1.
    difference : ndarray
        The change made by the attack.
    scores, perturbed_scores : ndarray, (n,)
        f before and after the attack. With more than two classes, the lead of the class predicted before the attack
        over the best other class.
    predicted, perturbed_predicted : ndarray, int64 (n,)
        Numbers of the predicted classes before and after the attack; -1 if a score is undefined.
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
    """Prepare an attack: read the cells in this process and the model in the live process.

    Raises
    ------
    InputError
        If the scheme has no such space, or a latent to hold fixed is unknown.
    """
    images = np.asarray(crops[list(cells)])
    held = live.call(held_by, model, direction.space, direction.keep)
    number = classes.index(direction.towards) if direction.towards else None
    return LiveAttack(model, classes, images, list(cells), direction.space, held, number)


@lru_cache(maxsize=2)
def classifier_of(model: ModelFile) -> Any:
    """Load one model as a classifier, in the live process, which keeps the last two."""
    from morpholaw.store.classifiers import load
    from morpholaw.store.study_folder import StudyFolder

    return load(StudyFolder(Path(model.study)), model.name).select(model.member)


def held_by(model: ModelFile, space: Space, keep: str) -> tuple[int, ...]:
    """Return the latents that an attack holds fixed; raise InputError if the model has no such space or latent."""
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

    with torch_threads(1):  # for a few cells, synchronising two threads takes longer than the computation
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
    """Find the smallest eps that changes the predicted class, float64 (n,); inf if none up to REACH does.

    With ``towards``, it is the smallest eps at which that class is predicted.
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
