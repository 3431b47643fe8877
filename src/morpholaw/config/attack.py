"""Settings of attacks on classifiers."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from morpholaw.config.step import InWords, TrainingConfig


class AttackConfig(TrainingConfig):
    """Settings of fast gradient sign attacks (paper, 5.4 and 6.5)."""

    scheme: Literal[1, 2, 3, 4] = Field(2, description="The scheme to attack.")
    space: Annotated[
        Literal["image", "latent"], InWords({"image": "pixels of the image", "latent": "latents"})
    ] = Field(
        "image",
        title="What is perturbed",
        description="What is perturbed: the pixels of the image, or the latents.",
    )
    keep: str = Field(
        "",
        title="Latents held fixed",
        description="Latents that are held fixed: 'morphology' for those that describe the cell and not its "
        "surroundings, or names such as 'z3,z17'.",
    )
    eps: tuple[float, ...] = Field(
        (0.0, 0.05, 0.1, 0.15, 0.2, 0.25),
        title="Magnitudes ε",
        description="Sizes of the perturbation, in units of the attacked space.",
    )
    target: Annotated[
        Literal["label", "call"], InWords({"label": "the true class", "call": "the predicted class"})
    ] = Field(
        "label",
        title="Move away from",
        description="What to move away from: the true label, or the class that the model predicts (call).",
    )
    towards: str = Field(
        "", title="Move towards", description="Class to move towards; empty: away from the cell's own class."
    )
    name: str = Field(
        "", title="Classifier", description="Name of the classifier to attack, instead of a scheme."
    )
    loss: Literal["hinge", "mse"] = Field(
        "hinge", description="Scheme 4: attack the laws that were found with this loss."
    )
    gradient_loss: Annotated[Literal["bce", "hinge"], InWords({"bce": "cross-entropy (bce)"})] = Field(
        "bce",
        title="Loss for the gradient",
        description="Loss that gives the sign of the gradient: cross-entropy (bce) or hinge.",
    )
