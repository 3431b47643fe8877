"""The latents of an encoder and images decoded from them, computed in the live process.

The window only knows the encoder's file; the live process keeps the encoder itself
(:mod:`morpholaw.widgets.jobs.live_process`), so that decoding one image takes milliseconds.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from morpholaw.events import Monitor
from morpholaw.widgets.latents.encoder_state import encoder_state
from morpholaw.widgets.study.encoder_file import EncoderFile, encoder_of

if TYPE_CHECKING:
    import pandas as pd

MEASURED = 2_000
"""Most crops that latents are measured on; enough for a correlation to within 0.02."""


@dataclass(frozen=True)
class LatentSpace:
    """The latents of a study's encoder.

    Attributes
    ----------
    file : EncoderFile
        Which encoder.
    latents : int
        How many there are.
    ranking : DataFrame
        One row per latent, the most active first: latent, kl, mean_variance, posterior_variance.
    correlations : DataFrame
        One row per latent and measured shape: latent, shape, spearman, even, quadratic.
    suggestions : dict
        A name for each latent that follows a shape.
    median : ndarray
        float32 (latents,), the median of the measured cells; zeros, the mean of the prior, need not look like a cell.
    kinds : tuple of str
        How each latent transforms with the image (``models.symmetry``); empty for an encoder without symmetry.
    """

    file: EncoderFile
    latents: int
    ranking: pd.DataFrame
    correlations: pd.DataFrame
    suggestions: dict[int, str]
    median: np.ndarray
    kinds: tuple[str, ...] = ()


@dataclass(frozen=True)
class Grid:
    """Decoded images, float32 (len(latents), len(values), s, s), of one latent at a time moved away from ``base``."""

    latents: list[int]
    values: tuple[float, ...]
    base: np.ndarray
    pictures: np.ndarray


@dataclass(frozen=True)
class Start:
    """The cell that a traversal starts from.

    Attributes
    ----------
    base : ndarray
        Its latents, float32 (latents,).
    decoded : ndarray
        The image decoded from them, float32 (s, s).
    crop : ndarray or None
        Its crop, uint8 (s, s); None for the median cell.
    """

    base: np.ndarray
    decoded: np.ndarray
    crop: np.ndarray | None


def read_latent_space(file: EncoderFile) -> LatentSpace:
    """Measure the latents of an encoder on up to :data:`MEASURED` evenly spaced crops of its study."""
    import pandas as pd

    from morpholaw.cells.shape import measure_shapes
    from morpholaw.interpretation.latent_names import correlate, suggest_names
    from morpholaw.interpretation.traversal import rank_latents
    from morpholaw.models.symmetry import kinds
    from morpholaw.study import Study
    from morpholaw.training.devices import torch_threads
    from morpholaw.training.encoder import encode

    study, encoder = Study(Path(file.study)), encoder_of(file)
    latents = int(encoder.latents)
    symmetry = kinds(latents) if encoder_state(study).config.get("symmetry") else ()
    if not study.sets:
        zeros = np.zeros((1, latents))
        nothing = correlate(zeros, pd.DataFrame(index=[0]))
        ranking, median = rank_latents(zeros, zeros), zeros[0].astype(np.float32)
        return LatentSpace(file, latents, ranking, nothing, {}, median, symmetry)
    crops = study.crops
    sample = crops[np.unique(np.linspace(0, len(crops) - 1, MEASURED).astype(np.int64))]
    with torch_threads(1):
        means, log_variances = encode(encoder, sample, batch=256)
    correlations = correlate(means, measure_shapes(sample))
    names = suggest_names(correlations) if len(correlations) else {}
    suggestions = {latent: name for latent, name in names.items() if name != f"z{latent}"}
    ranking, median = rank_latents(means, log_variances), np.median(means, axis=0).astype(np.float32)
    return LatentSpace(file, latents, ranking, correlations, suggestions, median, symmetry)


def start_of(file: EncoderFile, crop: np.ndarray | None, median: np.ndarray) -> Start:
    """Encode a crop, uint8 (s, s), as the start of a traversal; None starts from the ``median`` cell."""
    from morpholaw.evaluation.scoring import encode_means
    from morpholaw.training.devices import torch_threads

    base = median
    if crop is not None:
        with torch_threads(1):
            base = encode_means(encoder_of(file), crop[None])[0].numpy()
    return Start(base, decode(file, base), crop)


def decode(file: EncoderFile, point: np.ndarray) -> np.ndarray:
    """Decode one point (latents,) to an image, float32 (s, s)."""
    from morpholaw.interpretation.traversal import decode as decode_all
    from morpholaw.training.devices import torch_threads

    with torch_threads(1):  # two threads wait for each other longer than one image takes
        image: np.ndarray = decode_all(encoder_of(file), np.asarray(point, np.float32)[None])[0]
    return image


def grid_of(file: EncoderFile, base: np.ndarray, latents: list[int], values: tuple[float, ...]) -> Grid:
    """Decode one row of images per latent in ``latents``."""
    from morpholaw.interpretation.traversal import traverse
    from morpholaw.training.devices import torch_threads

    with torch_threads(1):
        return Grid(latents, values, base, traverse(encoder_of(file), base, latents, values))


def load_encoder(study: str, source: str, monitor: Monitor) -> None:
    """Copy an encoder into ``study``; ``source`` is "sample", an encoder's folder or another study's folder."""
    from morpholaw.study import Study

    folder = Path(source)
    if source != "sample" and not (folder / "model.json").is_file() and (folder / "encoder").is_dir():
        source = str(folder / "encoder")
    Study(Path(study)).load_encoder(source)
