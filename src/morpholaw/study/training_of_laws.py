"""The training data of laws, for searches that repeat or continue that of a study."""

from __future__ import annotations

from morpholaw.config import LawConfig
from morpholaw.errors import InputError
from morpholaw.models.class_laws import ClassLaws
from morpholaw.models.expressions import Expression, parse
from morpholaw.models.features import latent_number
from morpholaw.models.law import Law
from morpholaw.store import classifiers
from morpholaw.store.classifier_record import ClassifierRecord
from morpholaw.store.labelled_cells import held_out, labelled_cells
from morpholaw.store.study_folder import StudyFolder
from morpholaw.study.law_rows import TrainingViews, training_views


def training_of(folder: StudyFolder, name: str) -> tuple[ClassifierRecord, LawConfig, TrainingViews]:
    """Return the record of some laws, the settings of their search, and their training data."""
    record = classifiers.record(folder, name)
    if record.scheme != 4:
        raise InputError(f"{name} holds no laws; search for laws first.")
    if record.trained_elsewhere:
        raise InputError(f"{name} was trained on cells of another study, which are not available here.")
    held_out(folder, name)  # raises if the split can no longer be reproduced
    config = record.law_config or LawConfig(inputs=record.inputs)
    read = record.laws[0].names if record.columns is None else record.columns.names
    latents = tuple(k for one in read if (k := latent_number(one)) is not None)
    if latents:
        config = config.model_copy(update={"latents": latents})
    if record.columns is not None:
        shapes = tuple(one.name for one in record.columns.features if one.source == "shape")
        config = config.model_copy(update={"shapes": shapes})
    views = training_views(folder, labelled_cells(folder, record.config), config, record.config)
    return record, config, views


def check_place(record: ClassifierRecord, k: int) -> None:
    """Raise InputError if there is no law ``k``."""
    if not 0 <= k < len(record.laws):
        raise InputError(f"There is no law {k + 1}; there are laws 1 to {len(record.laws)}.")


def over_columns(expression: Expression, names: tuple[str, ...]) -> Expression:
    """Return the expression with the column numbers of ``names``."""
    return parse(expression.text(), names)


def class_laws_over_columns(laws: ClassLaws, names: tuple[str, ...]) -> ClassLaws:
    """Return the laws of classes with the column numbers of ``names``."""
    return ClassLaws(
        {
            name: Law(over_columns(law.expression, names), names, law.metadata)
            for name, law in laws.laws.items()
        }
    )
