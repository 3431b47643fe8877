"""The training data of heads and laws that read shapes: standardised columns of the training cells."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from morpholaw.cells.shape_features import SHAPE_NAMES, choose_features
from morpholaw.errors import InputError
from morpholaw.models.features import ModelColumns
from morpholaw.models.vae import BetaTCVAE
from morpholaw.store.study_folder import StudyFolder
from morpholaw.study.latent_rows import oriented_posteriors
from morpholaw.study.scale import shape_pixel_size


@dataclass(frozen=True)
class ColumnRows:
    """Columns of the training cells in which a nucleus was found.

    Attributes
    ----------
    columns : ModelColumns
        The columns and their scales.
    measured : ndarray, bool (cells,)
        Whether a nucleus was found in each cell.
    shapes : DataFrame
        Shapes of these cells, in their units.
    means, log_variances : ndarray or None
        Posteriors of all latents of these cells in all orientations, float32 (orientations, n, L); None without
        latents.
    """

    columns: ModelColumns
    measured: np.ndarray
    shapes: pd.DataFrame
    means: np.ndarray | None
    log_variances: np.ndarray | None

    def standardised(self, versions: np.ndarray | None) -> np.ndarray:
        """Return the standardised columns, float32 (versions, n, columns).

        Parameters
        ----------
        versions : ndarray, optional
            Latents of the cells in some versions, such as orientations, (versions, n, L); None without latents.
        """
        latents: Sequence[np.ndarray | None] = [None] if versions is None else list(versions)
        rows = [self.columns.standardise(self.columns.table(one, self.shapes)) for one in latents]
        return np.stack(rows).astype(np.float32)


def measure_training_cells(
    folder: StudyFolder,
    cells: np.ndarray,
    encoder: BetaTCVAE | None,
    latents: Sequence[int],
    shapes: Sequence[str] | None,
    augment: bool,
) -> ColumnRows:
    """Measure the columns of training cells and their scales.

    Parameters
    ----------
    folder : StudyFolder
        The study.
    cells : ndarray, int64 (n,)
        Indices into the study's crops.
    encoder : BetaTCVAE, optional
        The encoder; None if only shapes are read.
    latents : sequence of int
        Numbers of the latents among the columns.
    shapes : sequence of str, optional
        Names of the shapes. The default is all shapes of the cell itself.
    augment : bool
        Encode the cells in all orientations.

    Returns
    -------
    ColumnRows
        The columns.
    """
    pixel_size = shape_pixel_size(folder)
    chosen = choose_features(SHAPE_NAMES if shapes is None else tuple(shapes), pixel_size)
    if not chosen:
        raise InputError(
            "The setting shapes names no shape; name some, or leave it empty to use all of them."
        )
    images = folder.crops[cells]
    unscaled = ModelColumns(chosen, (0.0,) * len(chosen), (1.0,) * len(chosen), pixel_size)
    measured = unscaled.measure(images)
    columns = ModelColumns.fitted(chosen, measured, latents, pixel_size)
    some = np.isfinite(measured.to_numpy()).all(axis=1)
    means = log_variances = None
    if encoder is not None:
        means, log_variances = oriented_posteriors(encoder, images[some], augment)
    return ColumnRows(columns, some, measured[some].reset_index(drop=True), means, log_variances)
