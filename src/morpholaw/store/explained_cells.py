"""Explanations of the classes of cells of a study by one of its laws."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from morpholaw.errors import InputError
from morpholaw.evaluation.scoring import measured_columns
from morpholaw.interpretation.cell_reasons import CellReasons
from morpholaw.models.classifier import Classifier
from morpholaw.store import classifiers
from morpholaw.store.adaptation_record import AdaptationRecord, adaptation_of
from morpholaw.store.law_reading import read_law
from morpholaw.store.study_folder import StudyFolder


def explain_cells(
    folder: StudyFolder, classifier: Classifier, cells: Sequence[int], k: int = 0, name: str | None = None
) -> list[CellReasons]:
    """Explain why law ``k`` assigns cells, given by their indices in the study, to their classes.

    With more than two classes, the law of the most probable class is compared with that of the second. If the
    classifier, whose name in the study is ``name``, is adapted to the crop set of a cell, the text says so, as the
    explanation is that of the law alone.

    Raises
    ------
    InputError
        If there is no such law or cell.
    """
    count = len(folder.crops)
    for cell in cells:
        if not 0 <= cell < count:
            raise InputError(f"There is no cell {cell}; the study has cells 0 to {count - 1}.")
    two_classes = len(classifier.classes) == 2
    reading = read_law(folder, classifier, k, None if two_classes else classifier.classes[0])
    inputs = measured_columns(classifier, folder.crops[np.array(cells, np.int64)])
    explained = [reading.reasons(row) for row in inputs.select(reading.cells.names)]
    if name is None or k:  # an adaptation applies to the first law
        return explained
    sets = folder.crops.cells["set"].to_numpy(str)[np.array(cells, np.int64)].tolist()
    sha256 = classifiers.record(folder, name).sha256 or ""
    adaptations = {one: adaptation_of(folder, name, sha256, one) for one in set(sets)}
    return [
        replace(reasons, text=_with_adaptation(reasons.text, adaptations[one]))
        for reasons, one in zip(explained, sets, strict=True)
    ]


def _with_adaptation(text: str, record: AdaptationRecord | None) -> str:
    """Return an explanation with a sentence on the adaptation to the cell's crop set."""
    if record is None:
        return text
    return (
        f"{text} The law is adapted to the set {record.crop_set} ({record.numbers}), so classify can predict another "
        "class: this explanation is that of the law without the adaptation."
    )
