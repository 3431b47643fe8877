"""Building blocks of Morpholaw that work on plain arrays, without a study.

Importing this module loads torch, unlike ``import morpholaw``. A `Study` calls the same functions.

Conventions
-----------
Crops are uint8 ``(n, size, size)``. Classes are int64 numbers, 0 to C - 1; with two classes, 0 is the negative class,
with scores below 0. Features are a `FeatureTable`, a DataFrame, or an array with all latents ``(n, latents)``. Scores
of an ensemble are ``(models, n)``. Long-running functions take a `Monitor`, which receives progress and can stop them.
"""

from __future__ import annotations

from morpholaw.cells.simulator.crops import simulate_crops
from morpholaw.cells.splits import grouped_folds, grouped_split
from morpholaw.config import ClassifierConfig, EncoderConfig, LawConfig, TuneConfig
from morpholaw.errors import InputError, MorpholawError
from morpholaw.evaluation.bootstrap import bootstrap
from morpholaw.evaluation.calibration import Calibration
from morpholaw.evaluation.crop_scores import score_crops
from morpholaw.evaluation.metrics import accuracy, balanced_accuracy, confusion, roc, roc_auc
from morpholaw.evaluation.performance import Performance, measure, median_score
from morpholaw.evaluation.track_hmm import classify_tracks
from morpholaw.events import Monitor
from morpholaw.interpretation.attack import AttackCurve, AttackOptions, attack_curve
from morpholaw.interpretation.minimal_perturbation import minimal_perturbation
from morpholaw.models.class_laws import ClassLaws
from morpholaw.models.classes import largest_classes, predicted_classes
from morpholaw.models.classifier import Classifier
from morpholaw.models.cnn import CNNEnsemble
from morpholaw.models.features import FeatureTable
from morpholaw.models.heads import HeadEnsemble
from morpholaw.models.law import Law
from morpholaw.models.pareto import pareto_front
from morpholaw.models.vae import BetaTCVAE
from morpholaw.training.checkpointing import Checkpointing
from morpholaw.training.class_laws import discover_class_laws
from morpholaw.training.cnn import train_cnn
from morpholaw.training.encoder import train_encoder
from morpholaw.training.encoding import encode
from morpholaw.training.heads import train_heads
from morpholaw.training.laws import discover_laws
from morpholaw.training.pruning import prune
from morpholaw.training.rigl import RigL, RigLMethod, RigLSettings
from morpholaw.training.tune import tune

__all__ = [
    "AttackCurve",
    "AttackOptions",
    "BetaTCVAE",
    "CNNEnsemble",
    "Calibration",
    "Checkpointing",
    "ClassLaws",
    "Classifier",
    "ClassifierConfig",
    "EncoderConfig",
    "FeatureTable",
    "HeadEnsemble",
    "InputError",
    "Law",
    "LawConfig",
    "Monitor",
    "MorpholawError",
    "Performance",
    "RigL",
    "RigLMethod",
    "RigLSettings",
    "TuneConfig",
    "accuracy",
    "attack_curve",
    "balanced_accuracy",
    "bootstrap",
    "classify_tracks",
    "confusion",
    "discover_class_laws",
    "discover_laws",
    "encode",
    "grouped_folds",
    "grouped_split",
    "largest_classes",
    "measure",
    "median_score",
    "minimal_perturbation",
    "pareto_front",
    "predicted_classes",
    "prune",
    "roc",
    "roc_auc",
    "score_crops",
    "simulate_crops",
    "train_cnn",
    "train_encoder",
    "train_heads",
    "tune",
]
