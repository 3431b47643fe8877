"""The name by which the window speaks of an encoder that the live process keeps open."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from morpholaw.errors import InputError, StudyGoneError

if TYPE_CHECKING:
    from morpholaw.study import Study


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
