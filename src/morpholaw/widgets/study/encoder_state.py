"""A study's encoder: its state in words, and the key by which the live process keeps it loaded."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from morpholaw.errors import InputError, StudyGoneError
from morpholaw.store.stopped_training import resumable_training

if TYPE_CHECKING:
    from morpholaw.config import EncoderConfig
    from morpholaw.store.encoder_record import EncoderRecord
    from morpholaw.study import Study


@dataclass(frozen=True)
class EncoderState:
    """State of an encoder: trained, partly trained, or missing.

    Attributes
    ----------
    record : EncoderRecord or None
        The encoder; None if there is none.
    resumable : EncoderConfig or None
        Settings of a stopped training that can be resumed; None if there is none.
    sentence : str
        The state in words.
    """

    record: EncoderRecord | None = None
    resumable: EncoderConfig | None = None
    sentence: str = "There is no encoder yet: train one on the study's crops, or load one."


def encoder_state(study: Study) -> EncoderState:
    """Return the state of a study's encoder; raise InputError if its files are damaged."""
    record = study.encoder_record if study.has_encoder else None
    resumable = resumable_training(study)
    if record is None and resumable is not None:
        sentence = "A training was interrupted before the encoder was saved; it can be resumed."
    elif record is None:
        sentence = EncoderState.sentence
    else:
        sentence = f"Encoder of {record.settings.latents} latents, trained on {record.crops or 0:,} crops"
        sentence += "." if resumable is None else "; the training was stopped and can be resumed."
    return EncoderState(record, resumable, sentence)


@dataclass(frozen=True)
class EncoderFile:
    """The encoder of a study and its time of change, which distinguishes it from an encoder that replaces it."""

    study: str
    changed: int

    @classmethod
    def of(cls, study: Study) -> EncoderFile:
        """Return the encoder of a study; raise InputError if it has none, or StudyGoneError if the study is gone."""
        try:
            return cls(str(study.path), (study.path / "encoder" / "model.json").stat().st_mtime_ns)
        except OSError:
            if not (study.path / "study.json").is_file():
                raise StudyGoneError(
                    f"The study {study.path} no longer exists; it was moved or deleted."
                ) from None
            raise InputError(f"The study {study.path} has no encoder yet; train or load one first.") from None


@lru_cache(maxsize=2)
def encoder_of(file: EncoderFile) -> Any:
    """Return the encoder in evaluation mode, on the CPU; only the live process calls this, because it imports torch."""
    from morpholaw.study import Study

    return Study(Path(file.study)).encoder
