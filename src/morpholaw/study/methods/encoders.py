"""Methods of a study that train, load and apply its encoder."""

from __future__ import annotations

from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from morpholaw.config import EncoderConfig
from morpholaw.events import SILENT, Monitor
from morpholaw.progress_bar import shows_progress
from morpholaw.store import encoders
from morpholaw.store.encoder_record import EncoderRecord
from morpholaw.training.distributed import is_main_process

if TYPE_CHECKING:
    from morpholaw.interpretation.latent_summary import LatentSummary
    from morpholaw.study.study import Study


@shows_progress
def train_encoder(
    study: Study,
    config: EncoderConfig | None = None,
    *,
    resume: bool = False,
    monitor: Monitor = SILENT,
    **settings: Any,
) -> EncoderRecord:
    """Train the encoder, a beta-TCVAE, on the study's crops (paper, section 5.1).

    The encoder compresses each crop into a vector of latents, from which schemes 2 to 4 classify cells. It learns
    from the images alone unless ``task`` is positive. By default, labelled crops of the groups on which classifiers
    are tested are left out of the training set. The trained encoder replaces the study's earlier one.

    Processes started with ``torchrun`` share the training; the first one holds the lock and writes the result.

    Parameters
    ----------
    config : EncoderConfig, optional
        Settings of the training. Keyword arguments take precedence.
    resume : bool
        Continue a stopped training from its checkpoint. The settings must be the same.
    monitor : Monitor
        Receives progress, losses and previews, and can cancel. A cancelled training keeps the encoder trained so far,
        and a checkpoint to resume from.
    **settings
        Settings of :class:`morpholaw.EncoderConfig`, which lists all of them. The most important are

        - ``epochs`` (5): passes over the crops;
        - ``epoch_crops`` (1,200,000): crops per epoch at least; the crops of a smaller study are repeated, each time
          in a random orientation. A third of the default is enough for a first look;
        - ``latents`` (32): number of latents;
        - ``beta`` (12): weight of the total correlation, which keeps the latents independent;
        - ``learning_rate`` (5e-4) and ``batch_size`` (256);
        - ``start_from`` ("auto"): encoder whose weights are used to begin with: a folder, "sample" for the one that is
          shipped with Morpholaw, or "none" for random weights. "auto" uses the shipped one for a small study;
        - ``task`` (0): weight of the classification loss in a joint objective; 0 ignores the labels;
        - ``device`` ("auto") and ``seed`` (0).

    Returns
    -------
    EncoderRecord
        Settings, losses and provenance. ``complete`` is False if the training was cancelled.

    Raises
    ------
    InputError
        If the study has no crops, a setting is invalid, or the loss becomes infinite or NaN.
    StudyLockedError, StudyGoneError, NoSpaceError
        If the study cannot be written to.

    Examples
    --------
    >>> record = study.train_encoder(epochs=2, epoch_crops=400_000)  # doctest: +SKIP
    >>> means, log_variances = study.latents()  # doctest: +SKIP
    """
    from morpholaw.study import encoder_step

    with study.writing() if is_main_process() else nullcontext():
        return encoder_step.train(study, EncoderConfig.of(config, settings), resume, monitor)


@shows_progress
def load_encoder(study: Study, source: Path | str, *, monitor: Monitor = SILENT) -> None:
    """Copy a trained encoder into the study.

    Parameters
    ----------
    source : path or "sample"
        The ``encoder`` folder of another study, or "sample" for the encoder that is shipped with Morpholaw.
    monitor : Monitor
        Receives a warning if the scale of the study's crops is unknown, so that it may differ from the encoder's.

    Raises
    ------
    InputError
        If there is no encoder at ``source``, it is damaged, or it was trained on crops of a different size or scale.
    """
    from morpholaw.sample import sample_folder
    from morpholaw.study import encoder_step

    with study.writing():
        encoder_step.adopt(
            study, sample_folder() / "encoder" if source == "sample" else Path(source), monitor
        )


@shows_progress
def latents(study: Study, monitor: Monitor = SILENT) -> tuple[np.ndarray, np.ndarray]:
    """Encode all crops. The result is stored in the study and computed once per encoder.

    Parameters
    ----------
    monitor : Monitor
        Receives progress and can cancel.

    Returns
    -------
    means, log_variances : ndarray, float32 (n, latents)
        Mean and log variance of q(z|x) for each crop, in the order of :attr:`crops`. There are fewer rows if the
        computation was cancelled.

    Raises
    ------
    InputError
        If the study has no crops or no encoder.
    """
    return encoders.latents(study, monitor)


def latent_summary(study: Study) -> LatentSummary:
    """Summarise what each latent encodes, from an evenly spaced sample of the study's cells.

    The Latents panel and the report show this summary.

    Returns
    -------
    LatentSummary
        Activity of each latent, its correlations with measured shapes, and its suggested name.

    Raises
    ------
    InputError
        If the study has no encoder.
    """
    from morpholaw.store.latent_sample import latent_sample

    return latent_sample(study, study.encoder).summary
