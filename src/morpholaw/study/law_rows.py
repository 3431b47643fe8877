"""The rows on which laws are trained: views of the training cells, and the outputs of scheme 3 that laws may fit."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
import torch

from morpholaw.config import ClassifierConfig, LawConfig
from morpholaw.display import listed
from morpholaw.errors import InputError
from morpholaw.interpretation.subnetworks import usual_inputs
from morpholaw.models.features import FeatureTable, ModelColumns
from morpholaw.models.vae import BetaTCVAE
from morpholaw.store import classifiers, encoders
from morpholaw.store.labelled_cells import Labelled
from morpholaw.store.latent_sample import readable_latents
from morpholaw.store.study_folder import StudyFolder
from morpholaw.study.column_rows import measure_training_cells
from morpholaw.study.latent_rows import training_posteriors
from morpholaw.training.class_balanced_rows import training_rows


@dataclass(frozen=True)
class TrainingViews:
    """The training data of laws. Each row is a view of a training cell, e.g. in one orientation.

    Attributes
    ----------
    features : FeatureTable
        Variables of the laws, standardised if they include shapes.
    targets, cells : ndarray, int64 (n,)
        Class and cell of each row.
    latents : ndarray or None
        All latents of each row, (n, L).
    shapes : DataFrame or None
        All measured shapes of each row, in units.
    columns : ModelColumns or None
        The columns and their scales; None if only latents are read.
    encoder : BetaTCVAE or None
        The encoder; None if only shapes are read.
    """

    features: FeatureTable
    targets: np.ndarray
    cells: np.ndarray
    latents: np.ndarray | None = None
    shapes: pd.DataFrame | None = None
    columns: ModelColumns | None = None
    encoder: BetaTCVAE | None = None

    def drawn(self, config: LawConfig) -> TrainingViews:
        """Return the rows that a search for laws of two classes uses."""
        of_class = [np.flatnonzero(self.targets == number) for number in (0, 1)]
        return self.rows(training_rows(of_class, (0.5, 0.5), config.seed, config.rows))

    def rows(self, chosen: np.ndarray) -> TrainingViews:
        """Return some of the rows."""
        return replace(
            self,
            features=self.features.rows(chosen),
            targets=self.targets[chosen],
            cells=self.cells[chosen],
            latents=None if self.latents is None else self.latents[chosen],
            shapes=None if self.shapes is None else self.shapes.iloc[chosen].reset_index(drop=True),
        )


def training_views(
    folder: StudyFolder, cells: Labelled, config: LawConfig, split: ClassifierConfig
) -> TrainingViews:
    """Return the training data of laws, which are those of heads with the settings ``split``."""
    encoder = None if config.inputs == "shapes" else encoders.of_study(folder)
    kept = () if encoder is None else _latents_to_read(folder, config, split, encoder)
    if config.inputs == "latents":
        assert encoder is not None
        versions = training_posteriors(encoder, folder.crops[cells.train], cells.train_targets, split)[0]
        latents = versions.reshape(-1, encoder.latents)
        features = FeatureTable(latents[:, list(kept)], tuple(f"z{latent}" for latent in kept))
        count = len(versions)
        return TrainingViews(
            features,
            np.tile(cells.train_targets, count),
            np.tile(cells.train, count),
            latents,
            encoder=encoder,
        )
    rows = measure_training_cells(folder, cells.train, encoder, kept, config.shapes, split.augment)
    values = rows.standardised(rows.means)
    count = len(values)
    return TrainingViews(
        FeatureTable(values.reshape(-1, values.shape[-1]).astype(np.float64), rows.columns.names),
        np.tile(cells.train_targets[rows.measured], count),
        np.tile(cells.train[rows.measured], count),
        None if rows.means is None else rows.means.reshape(-1, rows.means.shape[-1]),
        pd.concat([rows.shapes] * count, ignore_index=True),
        rows.columns,
        encoder,
    )


def _latents_to_read(
    folder: StudyFolder, config: LawConfig, split: ClassifierConfig, encoder: BetaTCVAE
) -> tuple[int, ...]:
    """Return the latents that laws may read, as given in the settings or kept by scheme 3.

    If laws also read shapes and scheme 3 was not trained on latents, they may read all latents that heads with the
    settings ``split`` may read.
    """
    if config.latents:
        kept = tuple(config.latents)
    elif config.inputs == "both" and not scheme_3_reads_latents(folder):
        kept = readable_latents(folder, encoder, split.keep)
    else:
        kept = usual_inputs(classifiers.kept_by_scheme_3(folder))
    outside = [latent for latent in kept if not 0 <= latent < encoder.latents]
    if outside:
        raise InputError(f"There is no latent z{outside[0]}; the encoder has z0 to z{encoder.latents - 1}.")
    return kept


def scheme_3_reads_latents(folder: StudyFolder) -> bool:
    """Return whether the study has a scheme 3 that reads latents, alone or with shapes."""
    return "scheme3" in classifiers.names(folder) and classifiers.record(folder, "scheme3").inputs != "shapes"


@torch.no_grad()
def outputs_of_scheme_3(
    folder: StudyFolder, views: TrainingViews, config: LawConfig, classes: tuple[str, ...]
) -> np.ndarray | None:
    """Return the targets of laws with the MSE loss, float64 (n,) or (n, classes); None for the hinge loss.

    They are the outputs of scheme 3, averaged over its models or from the first one. If the model were chosen by its
    test accuracy, the test set would influence the law.
    """
    if config.loss != "mse":
        return None
    check_teacher(folder, config, classes)
    scheme3 = classifiers.load(folder, "scheme3")
    if scheme3.columns is None:
        assert views.latents is not None
        scores = scheme3.score_latents(torch.from_numpy(views.latents.astype(np.float32)))
    else:
        assert views.shapes is not None
        values = scheme3.columns.standardise(scheme3.columns.table(views.latents, views.shapes))
        scores = scheme3.score_columns(torch.from_numpy(values.astype(np.float32)))
    teachers = scores[:1] if config.teacher == "first" else scores
    outputs: np.ndarray = teachers.double().mean(0).numpy()
    return outputs


def check_teacher(folder: StudyFolder, config: LawConfig, classes: tuple[str, ...]) -> None:
    """Raise for laws with the MSE loss if scheme 3 has other inputs or other classes."""
    if config.loss != "mse":
        return
    needed = (
        "Laws with the MSE loss are fitted to the outputs of scheme 3, which {}; train it {} first, or use the hinge "
        "loss."
    )
    if "scheme3" not in classifiers.names(folder):
        raise InputError(needed.format("was not trained", f"for {listed(classes)}"))
    scheme3 = classifiers.record(folder, "scheme3")
    if scheme3.inputs != config.inputs:
        raise InputError(
            needed.format(
                f"reads {scheme3.inputs} here and not {config.inputs}", f"with inputs={config.inputs}"
            )
        )
    if scheme3.classes != classes:
        raise InputError(
            needed.format(f"distinguishes {listed(scheme3.classes)} here", f"for {listed(classes)}")
        )
