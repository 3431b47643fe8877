"""Estimated durations of long steps, displayed by panels and ``--dry-run`` before a step starts. Needs no torch.

The rates were measured on CPU cores (docs/performance.md). Machines differ by half, and a GPU is several times faster.
"""

from __future__ import annotations

import math

from morpholaw.config import ClassifierConfig, EncoderConfig, LawConfig, TuneConfig
from morpholaw.display import counted

CROPS_PER_CORE, PLAIN_CROPS_PER_CORE = 1300, 2400
"""Training crops per second and core of an encoder: with shapes, swaps or perturbations, and without."""
CROPS_MEASURED = 700
"""Crops per second and core that are outlined and measured, where the training needs it; each crop once."""
CNN_CROPS_PER_CORE = 4000
"""Training crops per second and core of scheme 1, summed over its models."""
SECONDS_PER_MODEL = 1.5
"""Seconds per core to train one head of an ensemble for 100 epochs of :data:`HEAD_CELLS` cells."""
HEAD_CELLS = 7200
EVALUATIONS_PER_CORE = 25_000
"""Expressions that a search evaluates per second and core."""
STARTING = 6.0
"""Seconds until a step has started and loaded its data."""


def encoder_seconds(config: EncoderConfig, crops: int, cores: int) -> float:
    """Estimate the duration of encoder training on ``crops`` crops, in seconds.

    Parameters
    ----------
    config : EncoderConfig
        Settings of the training.
    crops : int
        Number of training crops.
    cores : int
        Number of CPU cores.

    Returns
    -------
    float
    """
    measuring = crops / CROPS_MEASURED if config.swap or config.shape_weight else 0.0
    rate = PLAIN_CROPS_PER_CORE if config.plain else CROPS_PER_CORE
    return STARTING + measuring + config.epochs * max(config.epoch_crops, crops) / (rate * cores)


def classifier_seconds(config: ClassifierConfig, scheme: int, cells: int, cores: int) -> float:
    """Estimate the duration of the training of scheme 1, 2 or 3 on ``cells`` training cells, in seconds.

    Parameters
    ----------
    config : ClassifierConfig
        Settings of the training.
    scheme : int
        1, 2 or 3.
    cells : int
        Number of training cells.
    cores : int
        Number of CPU cores; only scheme 1 uses several.

    Returns
    -------
    float
    """
    passed = config.models * config.epochs * max(config.epoch_cells, cells)
    if scheme == 1:
        return STARTING + passed / (CNN_CROPS_PER_CORE * cores)
    return STARTING + passed * SECONDS_PER_MODEL / (100 * HEAD_CELLS)


def tuning_seconds(config: TuneConfig) -> float:
    """Estimate the duration of a hyperparameter search for scheme 3 without pruned trials, in seconds."""
    return STARTING + config.trials * config.runs * config.epochs * SECONDS_PER_MODEL / 100


def law_seconds(config: LawConfig, cores: int, classes: int = 2) -> float:
    """Estimate the duration of a search for laws with the embedded engine, in seconds.

    Parameters
    ----------
    config : LawConfig
        Settings of the search.
    cores : int
        Number of CPU cores.
    classes : int
        Number of classes. With more than two, ``config.count`` searches run for each.

    Returns
    -------
    float
    """
    searches = config.count * (classes if classes > 2 else 1)
    return STARTING + searches * config.evaluations / (EVALUATIONS_PER_CORE * cores)


def about(seconds: float) -> str:
    """Return a rounded duration in words, such as "about 2 minutes"."""
    if seconds < 50:
        return f"about {max(10, 10 * math.ceil(seconds / 10))} seconds"
    minutes = max(1, math.ceil(seconds / 60))
    if minutes < 90:
        return f"about {counted(minutes, 'minute')}"
    return f"about {seconds / 3600:.1f} hours"
