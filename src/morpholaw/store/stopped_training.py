"""A stopped training of the encoder that can be resumed. Panels read it, so it loads neither torch nor pandas."""

from __future__ import annotations

from typing import TYPE_CHECKING

from morpholaw.store.encoder_record import EncoderCheckpointRecord

if TYPE_CHECKING:
    from morpholaw.config import EncoderConfig
    from morpholaw.store.study_folder import StudyFolder


def resumable_training(folder: StudyFolder) -> EncoderConfig | None:
    """Return the settings of a training of the encoder that was stopped and can be resumed; None if there is none."""
    if not folder.can_resume:
        return None
    checkpoint = EncoderCheckpointRecord.read(folder.path / "encoder" / "checkpoint")
    record = folder.encoder_record if folder.has_encoder else None
    if record is not None and record.complete and record.last_step == checkpoint.step:
        return None
    return checkpoint.config
