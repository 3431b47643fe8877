"""The cells of a study that its latents are summarised on: the same ones in the panel, the report and scripts."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from morpholaw.cells.shape import measure_shapes
from morpholaw.interpretation.latent_summary import LatentSummary, evenly_spaced, summarise_latents
from morpholaw.store.study_folder import StudyFolder

if TYPE_CHECKING:
    from morpholaw.models.vae import BetaTCVAE

# torch is imported when cells are encoded.


@dataclass(frozen=True)
class LatentSample:
    """Evenly spaced cells of a study with their encodings.

    Attributes
    ----------
    images : ndarray, uint8 (k, s, s)
        Their crops; none where the study has no crops.
    means, log_variances : ndarray, float32 (k, latents)
        Of q(z|x).
    """

    images: np.ndarray
    means: np.ndarray
    log_variances: np.ndarray

    @cached_property
    def summary(self) -> LatentSummary:
        """Activity of the latents, their correlations with measured shapes, and suggested names."""
        if not len(self.images):
            zeros = np.zeros((1, self.means.shape[1]))
            return summarise_latents(zeros, zeros)
        return summarise_latents(self.means, self.log_variances, measure_shapes(self.images))


def latent_sample(folder: StudyFolder, encoder: BetaTCVAE) -> LatentSample:
    """Encode the sample of cells that the latents of ``encoder`` are summarised on."""
    from morpholaw.training.encoder import encode

    if not folder.sets:
        nothing = np.zeros((0, encoder.latents), np.float32)
        return LatentSample(np.zeros((0, encoder.size, encoder.size), np.uint8), nothing, nothing)
    images = folder.crops[evenly_spaced(len(folder.crops))]
    return LatentSample(images, *encode(encoder, images, batch=256))
