"""Settings of the search for settings of scheme 3."""

from __future__ import annotations

from typing import Any, ClassVar

from pydantic import Field

from morpholaw.config.classifier import SparseMethod
from morpholaw.config.split import SplitConfig


class TuneConfig(SplitConfig):
    """Settings for searching RigL's settings with Optuna (paper, B.3.1)."""

    PAPER: ClassVar[dict[str, Any]] = {"test_fraction": 0.1, "sparse_method": "paper"}

    trials: int = Field(200, ge=1, description="Number of trials (paper: 200).")
    runs: int = Field(5, ge=1, description="Models per trial (paper: 5).")
    epochs: int = Field(40, ge=2, description="Epochs per model (paper: 40).")
    batch_trials: int = Field(20, ge=1, description="Number of trials that are trained at the same time.")
    sparsity: tuple[float, float] = Field((0.95, 0.97), description="Range of the sparsity S.")
    update_every: tuple[int, int] = Field(
        (100, 200), description="Range of the steps between RigL updates, delta T."
    )
    update_fraction: tuple[float, float] = Field(
        (0.7, 0.9), description="Range of the update fraction alpha."
    )
    storage: str | None = Field(
        None, description="URL of a shared Optuna storage; empty: a file in the study."
    )
    pruning: bool = Field(False, description="Stop clearly worse trials early (median pruner).")
    sparse_method: SparseMethod = "measured"
