"""What a classifier of schemes 2 to 4 reads of crops, as a table in units."""

from __future__ import annotations

import numpy as np

from morpholaw.errors import InputError
from morpholaw.evaluation.scoring import encode_means
from morpholaw.models.classifier import Classifier
from morpholaw.models.features import FeatureTable, latent_names


def measured_columns(classifier: Classifier, crops: np.ndarray) -> FeatureTable:
    """Return the latents, and the shapes in units, that a classifier reads of crops, uint8 (n, s, s)."""
    columns, means = classifier.columns, None
    if classifier.encoder is not None and (columns is None or columns.latents):
        means = encode_means(classifier.encoder, crops).cpu().numpy()
    if columns is not None:
        return columns.table(means, columns.measure(crops))
    if means is None:
        raise InputError("Scheme 1 reads pixels and no features.")
    return FeatureTable(means, latent_names(means.shape[1]))
