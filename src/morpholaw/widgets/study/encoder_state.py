"""A study's encoder: its state in words, and the name by which the live process keeps it open."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from morpholaw.errors import InputError, StudyGoneError
from morpholaw.store.encoder_record import EncoderCheckpointRecord, EncoderRecord

if TYPE_CHECKING:
    from morpholaw.config import EncoderConfig
    from morpholaw.study import Study


@dataclass(frozen=True)
class EncoderState:
    """An encoder that is there, half trained or missing.

    Attributes
    ----------
    record : EncoderRecord or None
        The encoder; None where there is none to use.
    resumable : EncoderConfig or None
        Settings of a stopped training that can be resumed; None where there is none.
    sentence : str
        All this in words.
    """

    record: EncoderRecord | None = None
    resumable: EncoderConfig | None = None
    sentence: str = "There is no encoder yet: train one on the study's crops, or load one."


def encoder_state(study: Study) -> EncoderState:
    """Return the state of a study's encoder; InputError where its files are damaged."""
    record = study.encoder_record if study.has_encoder else None
    resumable = _resumable(study, record)
    if record is None and resumable is not None:
        sentence = "A training was interrupted before the encoder was saved; it can be resumed."
    elif record is None:
        sentence = EncoderState.sentence
    else:
        sentence = f"Encoder of {record.settings.latents} latents, trained on {record.crops or 0:,} crops"
        sentence += "." if resumable is None else "; the training was stopped and can be resumed."
    return EncoderState(record, resumable, sentence)


def _resumable(study: Study, record: EncoderRecord | None) -> EncoderConfig | None:
    """Return the settings of the checkpoint, unless it is the end of a training that is complete."""
    if not study.can_resume:
        return None
    checkpoint = EncoderCheckpointRecord.read(study.path / "encoder" / "checkpoint")
    if record is not None and record.complete and record.last_step == checkpoint.step:
        return None
    return checkpoint.config


@dataclass(frozen=True)
class EncoderFile:
    """A study's encoder as it is now: one that replaces it has another time of change."""

    study: str
    changed: int

    @classmethod
    def of(cls, study: Study) -> EncoderFile:
        """Return the encoder of a study; InputError where it has none, or is gone."""
        try:
            return cls(str(study.path), (study.path / "encoder" / "model.json").stat().st_mtime_ns)
        except OSError:
            if not (study.path / "study.json").is_file():
                raise StudyGoneError(f"The study {study.path} is gone; it was moved or deleted.") from None
            raise InputError(f"The study {study.path} has no encoder yet; train or load one first.") from None


@lru_cache(maxsize=2)
def encoder_of(file: EncoderFile) -> Any:
    """Return the encoder in evaluation mode, on the CPU; it imports torch, so only the live process calls this."""
    from morpholaw.study import Study

    return Study(Path(file.study)).encoder
