"""How thoroughly a law is looked for, and about how long that takes."""

from __future__ import annotations

import math
from dataclasses import dataclass

from morpholaw.config import ClassifierConfig, EncoderConfig, LawConfig

CROPS_PER_CORE = 1500
"""Crops that an encoder learns from in a second, per CPU core (docs/performance.md; machines differ by half)."""
SECONDS_PER_MODEL = 1.5
"""Seconds to train one sparse head for 100 epochs, in the company of others."""
EVALUATIONS_PER_CORE = 25_000
"""Expressions that a search evaluates in a second, per CPU core."""
STARTING = 6.0
"""Seconds until a step's process has started and read its data."""


@dataclass(frozen=True)
class Preset:
    """Settings of every step from labels to a law.

    Attributes
    ----------
    name : str
        Its name in the panel.
    meaning : str
        What it is for, in a sentence.
    encoder : EncoderConfig
        The encoder's training.
    heads : ClassifierConfig
        The sparse heads of scheme 3.
    law : LawConfig
        The search for a law.
    """

    name: str
    meaning: str
    encoder: EncoderConfig
    heads: ClassifierConfig
    law: LawConfig

    def seconds(self, step: str, cores: int, crops: int) -> float:
        """Return about how many seconds a step of :data:`morpholaw.jobs.STEPS` takes.

        Parameters
        ----------
        step : str
            The step.
        cores : int
            CPU cores that it may use.
        crops : int
            Crops of the study.
        """
        if step == "train_encoder":
            passed = self.encoder.epochs * max(self.encoder.epoch_crops, crops)
            return STARTING + passed / (CROPS_PER_CORE * cores)
        if step == "train_classifier":
            return STARTING + self.heads.models * SECONDS_PER_MODEL * self.heads.epochs / 100
        if step == "discover_law":
            return STARTING + self.law.count * self.law.evaluations / (EVALUATIONS_PER_CORE * cores)
        return 2 * STARTING


PRESETS = (
    Preset(
        "Quick look",
        "See within a minute or two whether the classes can be told apart.",
        EncoderConfig(epochs=1, epoch_crops=100_000),
        ClassifierConfig(models=5),
        LawConfig(count=3, evaluations=60_000),
    ),
    Preset(
        "Standard",
        "The settings of the demo: a longer training and more laws, in minutes.",
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


def about(seconds: float) -> str:
    """Return a time as a person says it: "about 2 minutes"."""
    if seconds < 50:
        return f"about {max(10, 10 * math.ceil(seconds / 10))} seconds"
    minutes = max(1, math.ceil(seconds / 60))
    if minutes < 90:
        return f"about {minutes} minute{'s' * (minutes != 1)}"
    return f"about {seconds / 3600:.1f} hours"
