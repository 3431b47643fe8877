"""An encoder with what its latents carry, read in a thread; decoding one picture then takes milliseconds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from morpholaw.study import Study

MEASURED = 2_000
"""Crops that latents are ranked and named on, at the most: enough for a correlation to within 0.02."""

# torch is imported when a study with an encoder is first looked at, in the thread that reads it.


@dataclass(frozen=True)
class LatentSpace:
    """The latents of a study's encoder.

    Attributes
    ----------
    encoder : BetaTCVAE
        In evaluation mode, on the processor.
    ranking : DataFrame
        A row a latent, the most active first: latent, kl, mean_variance, posterior_variance.
    correlations : DataFrame
        Of every latent with every measured shape: latent, shape, spearman, even, quadratic.
    suggestions : dict
        A name for each latent that follows a shape.
    """

    encoder: Any
    ranking: pd.DataFrame
    correlations: pd.DataFrame
    suggestions: dict[int, str]

    @property
    def latents(self) -> int:
        """Number of latents."""
        return int(self.encoder.latents)

    def encode(self, crop: np.ndarray) -> np.ndarray:
        """The latents' means, float32 (latents,), of a crop uint8 (s, s)."""
        from morpholaw.probes.scores import encode_means
        from morpholaw.training.devices import torch_threads

        with torch_threads(1):
            return encode_means(self.encoder, crop[None])[0].numpy()

    def decode(self, point: np.ndarray) -> np.ndarray:
        """The picture, float32 (s, s), of one point (latents,)."""
        from morpholaw.probes.traversal import decode
        from morpholaw.training.devices import torch_threads

        with torch_threads(1):  # two threads wait for each other longer than one picture takes
            return decode(self.encoder, np.asarray(point, np.float32)[None])[0]

    def traverse(self, base: np.ndarray, latents: Sequence[int], values: Sequence[float]) -> np.ndarray:
        """Pictures, float32 (len(latents), len(values), s, s), as one latent at a time moves."""
        from morpholaw.probes.traversal import traverse
        from morpholaw.training.devices import torch_threads

        with torch_threads(1):
            return traverse(self.encoder, base, latents, values)


def read_latent_space(study: Study) -> LatentSpace:
    """Load a study's encoder and measure its latents on up to :data:`MEASURED` crops spread over the study."""
    from morpholaw.cells.shape import measure_shapes
    from morpholaw.probes.latent_names import correlate, suggest_names
    from morpholaw.probes.traversal import rank_latents
    from morpholaw.training.devices import torch_threads
    from morpholaw.training.encoder import encode

    encoder = study.encoder
    if not study.sets:
        zeros = np.zeros((1, encoder.latents))
        return LatentSpace(encoder, rank_latents(zeros, zeros), correlate(zeros, pd.DataFrame(index=[0])), {})
    crops = study.crops
    sample = crops[np.unique(np.linspace(0, len(crops) - 1, MEASURED).astype(np.int64))]
    with torch_threads(1):
        means, log_variances = encode(encoder, sample, batch=256)
    correlations = correlate(means, measure_shapes(sample))
    names = suggest_names(correlations) if len(correlations) else {}
    suggestions = {latent: name for latent, name in names.items() if name != f"z{latent}"}
    return LatentSpace(encoder, rank_latents(means, log_variances), correlations, suggestions)
