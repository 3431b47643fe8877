"""The trained classifiers of a study, by name: "scheme1", "scheme2", "scheme3", "scheme4-hinge", "scheme4-mse"."""

from __future__ import annotations

from typing import TYPE_CHECKING

from morpholaw.cells.files import described, read_json
from morpholaw.errors import InputError
from morpholaw.store.labelled_cells import held_out
from morpholaw.store.study_folder import StudyFolder

if TYPE_CHECKING:
    from morpholaw.evaluation.calibration import Calibration
    from morpholaw.models.classifier import Classifier

# torch is imported when a model is opened, so that names can be listed without it.


def name_of(scheme: int, loss: str) -> str:
    """Return the name that a scheme's classifier is kept under; ``loss`` is that of scheme 4's laws."""
    return f"scheme4-{loss}" if scheme == 4 else f"scheme{scheme}"


def names(folder: StudyFolder) -> list[str]:
    """Return the names of the study's classifiers, e.g. ``["scheme1", "scheme2", "scheme4-hinge"]``."""
    return sorted(path.parent.name for path in folder.path.glob("classifiers/*/model.json"))


def load(folder: StudyFolder, name: str) -> Classifier:
    """Open the classifier kept under ``name``; InputError where it was not trained."""
    from morpholaw.models.classifier import Classifier

    path = folder.path / "classifiers" / name
    if not (path / "model.json").exists():
        raise InputError(f"The study {folder.path} has no trained {name}; train it first.")
    return Classifier.load(path)


def calibration(folder: StudyFolder, name: str) -> Calibration | None:
    """Return the calibration of a classifier's scores on its held-out cells; None where it was not measured."""
    from morpholaw.evaluation.calibration import Calibration
    from morpholaw.evaluation.crop_scores import score_crops
    from morpholaw.evaluation.performance import measure

    path = folder.path / "classifiers" / name
    with described(path):
        evaluation = read_json(path / "model.json").get("evaluation")
        if evaluation is None:
            return None
        if evaluation.get("calibration") is not None:
            return Calibration(**evaluation["calibration"])
    cells, targets = held_out(folder, name)  # the classifier was measured before calibrations were kept
    return measure(score_crops(load(folder, name), folder.crops[cells]), targets).calibration


def kept_by_scheme_3(folder: StudyFolder) -> list[tuple[int, ...]]:
    """Return the latents that each of scheme 3's models kept; InputError where none kept any."""
    classifier = load(folder, "scheme3")
    kept = [tuple(classifier.kept_latents(k)) for k in range(classifier.members)]
    if not any(kept):
        raise InputError("Scheme 3 kept no latent at all; train it with a lower sparsity first.")
    return kept
