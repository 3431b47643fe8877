"""Attacks on classifiers."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from morpholaw.config.step import TrainingConfig


class AttackConfig(TrainingConfig):
    """Fast gradient sign attacks (paper, 5.4 and 6.5)."""

    scheme: Literal[1, 2, 3, 4] = Field(2, description="The scheme to attack.")
    space: Literal["image", "latent"] = Field("image", description="Where the perturbation is added.")
    keep: str = Field(
        "",
        description="Latents held fixed: 'morphology' for those that follow the cell whatever its surroundings, or "
        "names such as 'z3,z17'.",
    )
    eps: tuple[float, ...] = Field(
        (0.0, 0.05, 0.1, 0.15, 0.2, 0.25),
        description="Perturbation magnitudes, in units of the attacked space.",
    )
    target: Literal["label", "call"] = Field(
        "label", description="Move away from the true label, or from the model's own predicted class."
    )
    towards: str = Field("", description="Move towards this class instead; empty: away from the cell's own.")
    name: str = Field("", description="The classifier to attack by its name, in place of the scheme.")
    loss: Literal["hinge", "mse"] = Field(
        "hinge", description="Scheme 4: the laws to attack, by the loss they were found with."
    )
    gradient_loss: Literal["bce", "hinge"] = Field(
        "bce", description="Loss whose gradient's sign is followed: cross-entropy or hinge."
    )
