"""Methods of a study for its encoder and latents."""

from __future__ import annotations

from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from morpholaw.config import (
    EncoderConfig,
)
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
    """Train the beta-TCVAE on all crops (paper, 5.1).

    Processes that ``torchrun`` started train it together; the first of them holds the lock and writes.

    Parameters
    ----------
    config : EncoderConfig, optional
        Settings; the defaults where it is left out.
    resume : bool
        Continue a stopped training from its checkpoint, with the same settings.
    monitor : Monitor
        Progress, losses, previews and cancellation. A stopped training keeps the encoder as it is and a
        checkpoint.
    **settings
        Settings of :class:`morpholaw.EncoderConfig`, among them ``epochs`` (5), ``epoch_crops`` (1,200,000: a
        smaller study is repeated up to this number), ``latents`` (32), ``beta`` (12), ``learning_rate`` (5e-4),
        ``batch_size`` (256), ``start_from`` ("auto", "sample", "none" or a folder), ``task`` (0: labels are not
        used), ``device`` ("auto") and ``seed`` (0).

    Returns
    -------
    EncoderRecord
        Settings, losses and provenance; ``complete`` is False after a stop.

    Raises
    ------
    InputError
        When there are no crops, a setting is wrong, or the loss is no longer a number.
    StudyLockedError, StudyGoneError, NoSpaceError
        When the study cannot be written to.
    """
    from morpholaw.study import encoder_step

    with study.writing() if is_main_process() else nullcontext():
        return encoder_step.train(study, EncoderConfig.of(config, settings), resume, monitor)


def load_encoder(study: Study, source: Path | str) -> None:
    """Take over a trained encoder.

    Parameters
    ----------
    source : path
        The folder ``encoder`` of another study, or "sample" for the encoder that comes with Morpholaw.

    Raises
    ------
    InputError
        When there is no encoder, it is damaged, or it reads crops of another size or another scale.
    """
    from morpholaw.sample import sample_folder
    from morpholaw.study import encoder_step

    with study.writing():
        encoder_step.adopt(study, sample_folder() / "encoder" if source == "sample" else Path(source))


@shows_progress
def latents(study: Study, monitor: Monitor = SILENT) -> tuple[np.ndarray, np.ndarray]:
    """Encode all crops; computed once for each encoder, then read from the study.

    Parameters
    ----------
    monitor : Monitor
        Progress and cancellation.

    Returns
    -------
    means, log_variances : ndarray, float32 (n, latents)
        Of q(z|x), in the order of :attr:`crops`; fewer rows after a stop.

    Raises
    ------
    InputError
        When there are no crops or no encoder.
    """
    return encoders.latents(study, monitor)


def latent_summary(study: Study) -> LatentSummary:
    """Summarise what each latent encodes, on one evenly spaced sample of the study's cells.

    The Latents panel and the report show the same summary.

    Returns
    -------
    LatentSummary
        Activity of the latents, their correlations with measured shapes, and suggested names.

    Raises
    ------
    InputError
        When there is no encoder yet.
    """
    from morpholaw.store.latent_sample import latent_sample

    return latent_sample(study, study.encoder).summary
