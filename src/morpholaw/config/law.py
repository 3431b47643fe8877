"""Settings of the search for laws, scheme 4."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field

from morpholaw.config.classifier import Inputs, Shapes
from morpholaw.config.split import Classes, TestFraction
from morpholaw.config.step import InWords, TrainingConfig

MOST_COMPLEX = {"shapes": 9, "latents": 15, "both": 15}
"""Default limit on the complexity of a law of two classes, by its inputs."""
MOST_COMPLEX_OF_CLASS = 15
"""Default limit on the complexity of each law if there is one per class."""


class LawConfig(TrainingConfig):
    """Settings of the search for laws, a symbolic regression of the decision boundary (paper, 5.3, 6.4, B.4)."""

    PAPER: ClassVar[dict[str, Any]] = {
        "distillation": "raw",
        "teacher": "first",
        "rows": "all",
        "max_complexity": 20,
    }

    inputs: Inputs = "latents"
    shapes: Shapes = None
    loss: Annotated[
        Literal["hinge", "mse"], InWords({"hinge": "fit the labels (hinge)", "mse": "fit scheme 3 (mse)"})
    ] = Field(
        "hinge", description="Loss of the search. hinge: fit the labels; mse: fit the outputs of scheme 3."
    )
    distillation: Literal["censored", "clipped", "tanh", "raw"] = Field(
        "censored",
        title="Extreme outputs",
        description="MSE: treatment of extreme outputs of scheme 3. censored: beyond a band around the boundary, any "
        "value beyond the same edge is correct; clipped: limited to a band; tanh: the network's probability, from -1 "
        "to 1; raw: unchanged, as in the paper.",
    )
    teacher: Annotated[
        Literal["mean", "first"], InWords({"mean": "mean over the models", "first": "first model"})
    ] = Field(
        "mean",
        title="Outputs to imitate",
        description="MSE: the output that laws imitate. mean: the mean over the models of scheme 3; first: that of "
        "the first model, a single network as in the paper.",
    )
    rows: Annotated[
        Literal["balanced", "all"],
        InWords({"balanced": "as many of each class (balanced)", "all": "all rows"}),
    ] = Field(
        "balanced",
        title="Training rows",
        description="Training rows of a search. balanced: at most 4,000, the same number from each class, with "
        "repetition if needed; all: all rows, as in the paper.",
    )
    engine: str = Field(
        "auto",
        title="Search engine",
        description="Search engine: pysr, embedded, or auto, which uses PySR if it has run on this machine before.",
    )
    count: int = Field(
        10,
        ge=1,
        le=100,
        title="Number of laws",
        description="Number of expressions to find (paper: 10 for each loss). With more than two classes: searches "
        "per class, 3 unless you set this.",
    )
    max_complexity: int | None = Field(
        None,
        ge=3,
        le=60,
        title="Largest complexity",
        description="Largest weighted complexity of a law (paper: 20). Empty: 9 for two classes over shapes, "
        "otherwise 15; such laws are readable and as accurate as longer ones.",
    )
    parsimony: float = Field(
        0.001,
        ge=0,
        title="Penalty per complexity",
        description="Penalty for one unit of complexity (paper: 0.001).",
    )
    evaluations: int = Field(
        500_000,
        ge=1_000,
        title="Expressions per restart",
        description="Number of expressions evaluated per restart; the same number gives the same result.",
    )
    latents: tuple[int, ...] | None = Field(
        None,
        title="Latents to use",
        description="Latents that a law may use; empty: those that scheme 3 kept (paper, 6.4).",
    )
    processes: int = Field(
        0,
        ge=0,
        le=256,
        title="Search processes",
        description="Number of search processes; 0: one per free core.",
    )
    classes: Classes = ()
    test_fraction: TestFraction = None
    split_seed: int | None = Field(
        None,
        ge=0,
        title="Seed of the split",
        description="Seed of the split; empty: that of scheme 3, so both are tested on the same cells.",
    )

    @property
    def most_complex(self) -> int:
        """Limit on the complexity of a law: ``max_complexity``, or the default for its inputs."""
        return self.max_complexity or MOST_COMPLEX[self.inputs]
