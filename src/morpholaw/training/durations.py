"""About how long the long steps take: said before they begin, in the panels and by ``--dry-run``. No torch.

The rates were measured on CPU cores (docs/performance.md); machines differ by half, and a GPU is several times as fast.
"""

from __future__ import annotations

import math

from morpholaw.config import ClassifierConfig, EncoderConfig, LawConfig, TuneConfig

CROPS_PER_CORE, PLAIN_CROPS_PER_CORE = 1300, 2400
"""Crops that an encoder learns from in a second, per CPU core: with shapes, swaps or perturbations, and without."""
CROPS_MEASURED = 700
"""Crops whose cell is outlined and measured in a second, each once, on one core, where the training asks for it."""
CNN_CROPS_PER_CORE = 4000
"""Crops that the models of scheme 1, trained together, learn from in a second, summed over them, per CPU core."""
SECONDS_PER_MODEL = 1.5
"""Seconds to train one head on a core for 100 epochs of :data:`HEAD_CELLS`, in the company of others."""
HEAD_CELLS = 7200
EVALUATIONS_PER_CORE = 25_000
"""Expressions that a search evaluates in a second, per CPU core."""
STARTING = 6.0
"""Seconds until a step has started and read its data."""


def encoder_seconds(config: EncoderConfig, crops: int, cores: int) -> float:
    """Return about how many seconds the training of an encoder takes on so many crops of a study."""
    measuring = crops / CROPS_MEASURED if config.swap or config.shape_weight else 0.0
    rate = PLAIN_CROPS_PER_CORE if config.plain else CROPS_PER_CORE
    return STARTING + measuring + config.epochs * max(config.epoch_crops, crops) / (rate * cores)


def classifier_seconds(config: ClassifierConfig, scheme: int, cells: int, cores: int) -> float:
    """Return about how many seconds the training of scheme 1, 2 or 3 takes on so many training cells."""
    passed = config.models * config.epochs * max(config.epoch_cells, cells)
    if scheme == 1:
        return STARTING + passed / (CNN_CROPS_PER_CORE * cores)
    return STARTING + passed * SECONDS_PER_MODEL / (100 * HEAD_CELLS)


def tuning_seconds(config: TuneConfig) -> float:
    """Return about how many seconds a search of scheme 3's settings takes, none of its trials stopped early."""
    return STARTING + config.trials * config.runs * config.epochs * SECONDS_PER_MODEL / 100


def law_seconds(config: LawConfig, cores: int) -> float:
    """Return about how many seconds a search for laws of two classes takes with the embedded engine."""
    return STARTING + config.count * config.evaluations / (EVALUATIONS_PER_CORE * cores)


def about(seconds: float) -> str:
    """Return a time as a person says it: "about 2 minutes"."""
    if seconds < 50:
        return f"about {max(10, 10 * math.ceil(seconds / 10))} seconds"
    minutes = max(1, math.ceil(seconds / 60))
    if minutes < 90:
        return f"about {minutes} minute{'s' * (minutes != 1)}"
    return f"about {seconds / 3600:.1f} hours"
