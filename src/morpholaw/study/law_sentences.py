"""The laws of a study in words and units."""

from __future__ import annotations

import numpy as np

from morpholaw.evaluation.columns import measured_columns
from morpholaw.interpretation.law_sentence import LawSentence, law_sentence
from morpholaw.models.classes import pair_of
from morpholaw.models.classifier import Classifier
from morpholaw.models.law_units import law_in_units
from morpholaw.store.labelled_cells import all_labels
from morpholaw.store.latent_sample import latent_sample
from morpholaw.store.study_folder import StudyFolder

CELLS = 2000
"""Maximum number of cells whose range and median the sentence states."""


def law_words(folder: StudyFolder, classifier: Classifier, k: int) -> LawSentence:
    """Put law ``k`` of a classifier into words, for the range of the study's labelled cells, else of all cells."""
    labels = all_labels(folder)
    cells = np.flatnonzero(np.isin(labels, classifier.classes))
    cells = cells if len(cells) else np.arange(len(labels))
    if len(cells) > CELLS:
        cells = cells[np.linspace(0, len(cells) - 1, CELLS).astype(int)]
    table, columns = measured_columns(classifier, folder.crops[cells]), classifier.columns
    words = {}
    if classifier.encoder is not None:
        summary = latent_sample(folder, classifier.encoder).summary
        words = {f"z{latent}": word for latent, word in summary.words(folder.latent_names).items()}
    shapes = [] if columns is None else [one for one in columns.features if one.source == "shape"]
    law = law_in_units(classifier.laws[k], columns)
    return law_sentence(law, table, pair_of(classifier.classes), shapes, words)
