"""What a study's files say about its encoder, read without torch."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from morpholaw.cells.files import read_json

if TYPE_CHECKING:
    from morpholaw.study import Study


@dataclass(frozen=True)
class EncoderState:
    """An encoder that is there, half done or missing.

    Attributes
    ----------
    trained : bool
        Whether there is an encoder to use.
    resumable : dict or None
        The settings of a stopped training that can go on; None where there is none.
    config : dict
        Settings that the encoder was trained with.
    history : dict
        "step" and one list for each loss.
    sentence : str
        All this in words.
    """

    trained: bool = False
    resumable: dict[str, Any] | None = None
    config: dict[str, Any] = field(default_factory=dict)
    history: dict[str, list[float]] = field(default_factory=dict)
    sentence: str = "There is no encoder yet: train one on the study's crops, or load one."


def encoder_state(study: Study) -> EncoderState:
    """The state of a study's encoder; InputError where its files are damaged."""
    saved: dict[str, Any] = read_json(study.path / "encoder" / "model.json") if study.has_encoder else {}
    history, config = saved.get("history") or {}, saved.get("config") or {}
    resumable = _resumable(study, saved)
    if not saved:
        words = EncoderState.sentence
        if resumable is not None:
            words = "A training was interrupted before the encoder was saved; it can be resumed."
        return EncoderState(False, resumable, sentence=words)
    settings = saved.get("settings") or {}
    words = f"Encoder of {settings.get('latents', '?')} latents, trained on {saved.get('crops', 0):,} crops"
    words += "." if resumable is None else "; the training was stopped and can be resumed."
    return EncoderState(True, resumable, config, history, words)


def _resumable(study: Study, saved: dict[str, Any]) -> dict[str, Any] | None:
    """The checkpoint's settings, unless it is the end of a training that is complete."""
    if not study.can_resume:
        return None
    checkpoint = read_json(study.path / "encoder" / "checkpoint" / "model.json")
    steps = (saved.get("history") or {}).get("step") or [None]
    if saved.get("complete") and steps[-1] == checkpoint.get("step"):
        return None
    return dict(checkpoint.get("config") or {})
