"""Presets for the steps from labels to a law: how thorough they are, and how long they take."""

from __future__ import annotations

from dataclasses import dataclass

from morpholaw.config import ClassifierConfig, EncoderConfig, LawConfig
from morpholaw.store.classifier_record import name_of
from morpholaw.training.durations import STARTING, classifier_seconds, encoder_seconds, law_seconds

MEASURED = "measured"
"""The name of a law over measured shapes, as in the sample."""


@dataclass(frozen=True)
class Preset:
    """Settings of all steps from labels to a law.

    Attributes
    ----------
    name : str
        Name in the panel.
    meaning : str
        Purpose of the preset, as a sentence.
    encoder : EncoderConfig or None
        Settings of the encoder's training; None if the law reads measured shapes.
    heads : ClassifierConfig or None
        Settings of the sparse heads of scheme 3; None if the law reads measured shapes.
    law : LawConfig
        Settings of the search for a law.
    """

    name: str
    meaning: str
    encoder: EncoderConfig | None
    heads: ClassifierConfig | None
    law: LawConfig

    @property
    def law_name(self) -> str:
        """Name under which the law is stored; a law over shapes does not take the name of laws over latents."""
        return MEASURED if self.encoder is None else name_of(4, self.law.loss)

    def seconds(self, step: str, cores: int, crops: int, labelled: int, classes: int = 2) -> float:
        """Return an estimate, in seconds, of the duration of a step of :data:`morpholaw.jobs.STEPS`.

        Parameters
        ----------
        step : str
            The step.
        cores : int
            Number of CPU cores that it may use.
        crops : int
            Number of crops in the study.
        labelled : int
            Number of labelled crops.
        classes : int
            Number of classes.
        """
        if step == "train_encoder" and self.encoder is not None:
            return encoder_seconds(self.encoder, crops, cores)
        if step == "train_classifier" and self.heads is not None:
            return classifier_seconds(self.heads, 3, labelled, cores)
        if step == "discover_law":
            return law_seconds(self.law, cores, classes)
        return 2 * STARTING


PRESETS = (
    Preset(
        "Quick look",
        "A law over measured shapes, such as area and contrast, which needs no encoder and few labels.",
        None,
        None,
        LawConfig(inputs="shapes", count=3, evaluations=60_000),
    ),
    Preset(
        "Standard",
        "A law over latents; an encoder and sparse heads are trained first, as briefly as in the demo.",
        EncoderConfig(epochs=4, epoch_crops=160_000),
        ClassifierConfig(),
        LawConfig(count=6, evaluations=150_000),
    ),
    Preset(
        "Paper",
        "The settings of the paper.",
        EncoderConfig(**EncoderConfig.PAPER),
        ClassifierConfig(**ClassifierConfig.PAPER),
        LawConfig(**LawConfig.PAPER),
    ),
)
