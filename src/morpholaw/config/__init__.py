"""One validated settings model per step: it drives the form, its tooltips, the JSON in the study and the flags.

Nothing is stated twice: ranges, units and the paper's section stand in each field's description, from which the
docstrings' *Parameters* are made. "Paper" is Soelistyo & Lowe, "Discovering interpretable models of scientific image
data with deep learning".
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
