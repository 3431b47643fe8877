"""Validated settings, one model per step, that define the form, its tooltips, the JSON in the study and the flags.

The description of each field contains its range, unit and section of the paper; the *Parameters* of the docstrings are
generated from it. "Paper" is Soelistyo & Lowe, "Discovering interpretable models of scientific image data with deep
learning".
"""

from morpholaw.config.attack import AttackConfig
from morpholaw.config.classifier import ClassifierConfig
from morpholaw.config.crops import CropConfig, ImportConfig
from morpholaw.config.encoder import EncoderConfig
from morpholaw.config.law import LawConfig
from morpholaw.config.simulate import SimulateConfig
from morpholaw.config.split import ALL_CLASSES, SplitConfig
from morpholaw.config.step import StepConfig, TrainingConfig
from morpholaw.config.timeline import TimelineConfig
from morpholaw.config.tune import TuneConfig

__all__ = [
    "ALL_CLASSES",
    "AttackConfig",
    "ClassifierConfig",
    "CropConfig",
    "EncoderConfig",
    "ImportConfig",
    "LawConfig",
    "SimulateConfig",
    "SplitConfig",
    "StepConfig",
    "TimelineConfig",
    "TrainingConfig",
    "TuneConfig",
]
