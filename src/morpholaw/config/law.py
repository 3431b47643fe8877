"""The search for laws, scheme 4."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

from pydantic import Field

from morpholaw.config.classifier import Inputs, Shapes
from morpholaw.config.split import Classes, TestFraction
from morpholaw.config.step import TrainingConfig

MOST_COMPLEX = {"shapes": 9, "latents": 15, "both": 15}
"""Complexity of a law between two classes at most, by what it reads, where no setting says another."""
MOST_COMPLEX_OF_CLASS = 15
"""The same of each law where there is one per class."""


class LawConfig(TrainingConfig):
    """Symbolic regression of the decision boundary (paper, 5.3, 6.4, B.4)."""

    PAPER: ClassVar[dict[str, Any]] = {
        "distillation": "raw",
        "teacher": "first",
        "rows": "all",
        "max_complexity": 20,
    }

    inputs: Inputs = "latents"
    shapes: Shapes = None
    loss: Literal["hinge", "mse"] = Field(
        "hinge", description="Hinge on the labels, or MSE to scheme 3's outputs."
    )
    distillation: Literal["censored", "clipped", "tanh", "raw"] = Field(
        "censored",
        description="MSE: how extreme outputs of scheme 3 are treated. censored: beyond a band near the boundary any "
        "value counts as right; clipped; tanh, the network's probability; raw: unchanged, as in the paper.",
    )
    teacher: Literal["mean", "first"] = Field(
        "mean",
        description="MSE: the network that laws imitate, the mean output of scheme 3's models, or one of them, the "
        "first; the paper's is one network.",
    )
    rows: Literal["balanced", "all"] = Field(
        "balanced",
        description="What a search learns from: 4,000 rows at most, as many of each class, of which some may be "
        "repeated; or all rows, as in the paper.",
    )
    engine: str = Field("auto", description="auto, pysr or embedded; auto uses PySR where it has run before.")
    count: int = Field(
        10,
        ge=1,
        le=100,
        description="Expressions to find (paper: 10 for each loss). Of more than two classes: searches per class, 3 if "
        "not given.",
    )
    max_complexity: int | None = Field(
        None,
        ge=3,
        le=60,
        description="Hard cap on the weighted complexity; empty: 9 over shapes of two classes and 15 else, which can "
        "be read and are right as often as longer laws (paper: 20).",
    )
    parsimony: float = Field(0.001, ge=0, description="Penalty for one unit of complexity (paper: 0.001).")
    evaluations: int = Field(
        500_000,
        ge=1_000,
        description="Expression evaluations per restart; the same number gives the same result.",
    )
    latents: tuple[int, ...] | None = Field(
        None, description="Latents the law may use; empty: those that scheme 3 kept (paper, 6.4)."
    )
    processes: int = Field(
        0, ge=0, le=256, description="Processes to search with; 0: the cores that are free."
    )
    classes: Classes = ()
    test_fraction: TestFraction = None
    split_seed: int | None = Field(
        None,
        ge=0,
        description="Seed of the split; empty: that of scheme 3, so that both are tested on the same cells.",
    )

    @property
    def most_complex(self) -> int:
        """Complexity that no law exceeds: `max_complexity`, or what is usual for the inputs."""
        return self.max_complexity or MOST_COMPLEX[self.inputs]
