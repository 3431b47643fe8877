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
from morpholaw.widgets.study.encoder_state import EncoderFile, encoder_of

if TYPE_CHECKING:
    from morpholaw.interpretation.latent_summary import LatentSummary


@dataclass(frozen=True)
class LatentSpace:
    """The latents of a study's encoder.

    Attributes
    ----------
    file : EncoderFile
        Which encoder.
    latents : int
        How many there are.
    summary : LatentSummary
        Activity, correlations with measured shapes, suggested names and the median cell.
    kinds : tuple of str
        How each latent transforms with the image (``models.symmetry``); empty for an encoder without symmetry.
    """

    file: EncoderFile
    latents: int
    summary: LatentSummary
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
    """Measure the latents of an encoder on at most 2,000 evenly spaced crops of its study."""
    from morpholaw.models.symmetry import kinds
    from morpholaw.store.latent_sample import latent_sample
    from morpholaw.study import Study
    from morpholaw.training.devices import torch_threads

    study, encoder = Study(Path(file.study)), encoder_of(file)
    latents = int(encoder.latents)
    symmetry = kinds(latents) if study.encoder_record.symmetric else ()
    with torch_threads(1):
        summary = latent_sample(study, encoder).summary
    return LatentSpace(file, latents, summary, symmetry)


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
