"""The latents of an encoder and images decoded from them, computed in the live process.

The window knows only the encoder's file. The live process (:mod:`morpholaw.widgets.jobs.live_process`) keeps the
encoder loaded, so decoding one image takes milliseconds.
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
        The encoder.
    latents : int
        Number of latents.
    summary : LatentSummary
        Activity, correlations with measured shapes, suggested names and the median cell.
    kinds : tuple of str
        How each latent transforms when the image is rotated or mirrored (``models.symmetry``); empty for an encoder
        without symmetry.
    """

    file: EncoderFile
    latents: int
    summary: LatentSummary
    kinds: tuple[str, ...] = ()


@dataclass(frozen=True)
class Grid:
    """Images decoded while one latent at a time moves away from a base point.

    Attributes
    ----------
    latents : list of int
        The latent that each row moves.
    values : tuple of float
        Value of that latent in each column, in standard deviations of the prior.
    base : ndarray, float32 (all latents,)
        The base point.
    pictures : ndarray, float32 (rows, columns, s, s)
        The decoded images.
    """

    latents: list[int]
    values: tuple[float, ...]
    base: np.ndarray
    pictures: np.ndarray


@dataclass(frozen=True)
class Start:
    """The cell that a traversal starts from.

    Attributes
    ----------
    base : ndarray, float32 (latents,)
        Latents of the cell.
    decoded : ndarray, float32 (s, s)
        The image decoded from them.
    crop : ndarray, uint8 (s, s), or None
        Crop of the cell; None for the median cell.
    """

    base: np.ndarray
    decoded: np.ndarray
    crop: np.ndarray | None


def read_latent_space(file: EncoderFile) -> LatentSpace:
    """Summarise the latents of an encoder from at most 2,000 evenly spaced crops of its study."""
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
    """Return the start of a traversal: the encoded crop, uint8 (s, s), or the ``median`` cell if it is None."""
    from morpholaw.evaluation.scoring import encode_means
    from morpholaw.training.devices import torch_threads

    base = median
    if crop is not None:
        with torch_threads(1):
            base = encode_means(encoder_of(file), crop[None])[0].numpy()
    return Start(base, decode(file, base), crop)


def decode(file: EncoderFile, point: np.ndarray) -> np.ndarray:
    """Decode a point in latent space, float (latents,), to an image, float32 (s, s)."""
    from morpholaw.interpretation.traversal import decode as decode_all
    from morpholaw.training.devices import torch_threads

    with torch_threads(1):  # for one image, synchronising two threads takes longer than the computation
        image: np.ndarray = decode_all(encoder_of(file), np.asarray(point, np.float32)[None])[0]
    return image


def grid_of(file: EncoderFile, base: np.ndarray, latents: list[int], values: tuple[float, ...]) -> Grid:
    """Decode one row of images per latent in ``latents``."""
    from morpholaw.interpretation.traversal import traverse
    from morpholaw.training.devices import torch_threads

    with torch_threads(1):
        return Grid(latents, values, base, traverse(encoder_of(file), base, latents, values))


def load_encoder(study: str, source: str, monitor: Monitor) -> None:
    """Copy an encoder into ``study``; ``source`` is "sample", the folder of an encoder, or that of another study."""
    from morpholaw.study import Study

    folder = Path(source)
    if source != "sample" and not (folder / "model.json").is_file() and (folder / "encoder").is_dir():
        source = str(folder / "encoder")
    Study(Path(study)).load_encoder(source, monitor=monitor)
