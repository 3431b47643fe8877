"""The sample of cells for the summary of a study's latents, and the latents that models may read."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property, lru_cache, partial
from typing import TYPE_CHECKING, Literal

import numpy as np

from morpholaw.cells.crop_set import CropSet
from morpholaw.cells.oriented_shapes import measure_shapes
from morpholaw.errors import InputError, file_error
from morpholaw.interpretation.decoded_shapes import Decode
from morpholaw.interpretation.interventions import surroundings_share
from morpholaw.interpretation.latent_summary import (
    MORPHOLOGY_SHARE,
    LatentSummary,
    evenly_spaced,
    summarise_latents,
)
from morpholaw.interpretation.surroundings import CellCrops
from morpholaw.store.study_folder import StudyFolder

if TYPE_CHECKING:
    from morpholaw.models.vae import BetaTCVAE


# torch is imported when cells are encoded.

SWAPPED = 400
"""Maximum number of cells of the sample that are placed into other surroundings."""
KEPT = 4
"""Number of samples that a process keeps, as every sentence about a law or a latent needs one."""


@dataclass(frozen=True)
class LatentSample:
    """Evenly spaced cells of a study with their encodings.

    Attributes
    ----------
    images : ndarray, uint8 (k, s, s)
        Crops of the cells; empty if the study has none.
    means, log_variances : ndarray, float32 (k, latents)
        Means and log variances of q(z|x).
    surroundings : ndarray or None
        Share of each latent's variance that is due to the surroundings; None for fewer than two cells.
    decode : callable or None
        The decoder of the encoder.
    """

    images: np.ndarray
    means: np.ndarray
    log_variances: np.ndarray
    surroundings: np.ndarray | None = None
    decode: Decode | None = None

    @cached_property
    def summary(self) -> LatentSummary:
        """Activity of the latents, their correlations with measured shapes, and suggested names."""
        if not len(self.images):
            zeros = np.zeros((1, self.means.shape[1]))
            return summarise_latents(zeros, zeros)
        return summarise_latents(
            self.means, self.log_variances, measure_shapes(self.images), self.surroundings, self.decode
        )


@dataclass(frozen=True)
class _Request:
    """A study and an encoder, alike if the weights and the crop sets are."""

    key: tuple[object, ...]
    folder: StudyFolder = field(compare=False)
    encoder: BetaTCVAE = field(compare=False)


def latent_sample(folder: StudyFolder, encoder: BetaTCVAE) -> LatentSample:
    """Encode the sample of cells for the summary of the latents of ``encoder``, or return a sample that was kept.

    The last `KEPT` samples are kept as long as their crop sets do not change.
    """
    from morpholaw.models.bundle import weights_digest

    key = (weights_digest(encoder.state_dict()), *(_state(one) for one in folder.sets))
    return _sample(_Request(key, folder, encoder))


@lru_cache(maxsize=KEPT)
def _sample(request: _Request) -> LatentSample:
    return _encoded_sample(request.folder, request.encoder)


def _state(crop_set: CropSet) -> tuple[object, ...]:
    """Return values that change when the pixels or the table of a crop set change."""
    table = crop_set.folder / "cells.csv"
    try:
        return crop_set.folder, *crop_set.pixels_state(), table.stat().st_mtime_ns
    except OSError as error:
        raise file_error(f"The table {table} cannot be read", error) from None


def _encoded_sample(folder: StudyFolder, encoder: BetaTCVAE) -> LatentSample:
    from morpholaw.interpretation.traversal import decode as decode_latents
    from morpholaw.training.encoder import encode

    if not folder.sets:
        nothing = np.zeros((0, encoder.latents), np.float32)
        return LatentSample(np.zeros((0, encoder.size, encoder.size), np.uint8), nothing, nothing)
    cells = evenly_spaced(len(folder.crops))
    images = folder.crops[cells]
    shares = None
    if len(cells) > 1:
        swapped = evenly_spaced(len(cells), SWAPPED)
        crops = cell_crops(folder, cells[swapped])
        groups = folder.crops.cells["group"].to_numpy(str)[cells[swapped]]
        shares = surroundings_share(lambda some: encode(encoder, some, batch=256)[0], crops, groups)
    return LatentSample(images, *encode(encoder, images, batch=256), shares, partial(decode_latents, encoder))


def cell_crops(folder: StudyFolder, cells: np.ndarray) -> CellCrops:
    """Return crops of a study with the mask of each cell, from the tracker if it has one. ``cells`` are indices."""
    table = folder.crops.cells
    brightness = table["brightness"].to_numpy(float)[cells] if "brightness" in table else None
    return CellCrops.of(folder.crops[cells], brightness, folder.crops.masks(cells))


def readable_latents(
    folder: StudyFolder, encoder: BetaTCVAE, keep: Literal["all", "morphology"]
) -> tuple[int, ...]:
    """Return the latents that heads may read, in ascending order; InputError if there are none."""
    return morphology_latents(folder, encoder) if keep == "morphology" else tuple(range(encoder.latents))


def morphology_latents(folder: StudyFolder, encoder: BetaTCVAE) -> tuple[int, ...]:
    """Return the latents that describe the morphology of the cell, in ascending order.

    They are determined from crops of the study without labels
    (:attr:`morpholaw.interpretation.latent_summary.LatentSummary.morphology`).

    Raises
    ------
    InputError
        If no latent describes morphology.
    """
    latents = latent_sample(folder, encoder).summary.morphology
    if not latents:
        raise InputError(
            f"No latent describes morphology: surroundings account for {MORPHOLOGY_SHARE:.0%} or more of the variance "
            "of each. Name the latents to keep, such as z3,z17, or keep all."
        )
    return tuple(latents)
