"""Training of schemes 1 to 3."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field

from morpholaw.config.split import SplitConfig

Inputs = Annotated[
    Literal["latents", "shapes", "both"],
    Field(
        description="What is read: latents of the encoder; shapes measured in the crop, such as area and width in "
        "micrometres, for which no encoder is needed; or both."
    ),
]


Shapes = Annotated[
    tuple[str, ...] | None,
    Field(
        description="Shapes that may be read, by name, such as width or neighbours; empty: all that describe the cell "
        "itself, none of its neighbourhood.",
    ),
]


ReadableLatents = Annotated[
    Literal["all", "morphology"],
    Field(
        description="Latents that heads may read, and laws through scheme 3: all, as in the paper; or morphology: "
        "those that follow the cell whatever its surroundings."
    ),
]


SparseMethod = Annotated[
    Literal["measured", "paper"],
    Field(
        description="Scheme 3 by the paper's algorithm 1, or with changes that were measured to be better: connections "
        "grow by gradients over many batches, and weights without effect are removed at the end."
    ),
]

CNN_EPOCHS = 16
"""Passes of scheme 1 where the settings do not say how many: the CNN needs fewer than the heads."""


class ClassifierConfig(SplitConfig):
    """Training of schemes 1-3 (paper, 6.2 and B.2-B.3)."""

    PAPER: ClassVar[dict[str, Any]] = {
        "test_fraction": 0.1,
        "epochs": 100,
        "patience": 0,
        "epoch_cells": 0,
        "latent_noise": 0.0,
        "class_balance": False,
        "schedule": "constant",
        "sparse_method": "paper",
        "start_from": "none",
        "deformation": 0.0,
    }

    inputs: Inputs = "latents"
    shapes: Shapes = None
    keep: ReadableLatents = "all"
    models: int = Field(10, ge=1, le=1000, description="Models, trained together (paper: 10).")
    epochs: int = Field(
        100,
        ge=1,
        le=10_000,
        description="Passes over the training crops (paper: 100). Of scheme 1: 16 if not given.",
    )
    patience: int = Field(
        3,
        ge=0,
        description="Scheme 1: passes that predict held-out groups of the training cells worse than an earlier one, "
        "after which the training ends with the networks from before those; 0: all passes and nothing held out, as in "
        "the paper.",
    )
    start_from: Literal["encoder", "none"] = Field(
        "encoder",
        description="Scheme 1: weights that the CNNs start from. encoder: those of the study's encoder, or of the "
        "shipped one where the study has none, if their layout is the same; none: random weights, as in the paper.",
    )
    epoch_cells: int = Field(
        7200,
        ge=0,
        description="Cells in an epoch at least (paper: about 7200): a smaller labelled set is repeated up to this "
        "number, each time rotated and flipped at random, so that warm-up and RigL's updates take as many steps.",
    )
    batch_size: int = Field(64, ge=2, le=8192, description="Crops in a batch (paper: 64).")
    learning_rate: float = Field(1e-3, gt=0, le=1, description="Adam's step size.")
    schedule: Literal["cosine", "constant"] = Field(
        "cosine",
        description="Learning rate of scheme 1 over the training: down to 0 along a cosine, or constant: as in the "
        "paper, which names no schedule. That of schemes 2 and 3 is constant.",
    )
    class_balance: bool = Field(
        True,
        description="Weigh the classes so that all count the same for the loss; off: each cell counts the same, as in "
        "the paper, whose two classes are of about the same size.",
    )
    hidden: tuple[int, ...] = Field(
        (16, 16, 16), description="Units of the head's hidden layers (paper, B.2)."
    )
    dropout: float = Field(0.3, ge=0, lt=1, description="Dropout of schemes 1 and 2 (paper: 0.3).")
    augment: bool = Field(True, description="Random flips and 90 degree rotations (paper, B.2).")
    deformation: float = Field(
        1.0,
        ge=0,
        le=3,
        description="Scheme 1: training crops are turned by any angle, zoomed, stretched and shifted at random; 1: by "
        "up to 15 % and 3 of 64 pixels; 0: not at all, as in the paper.",
    )
    latent_noise: float = Field(
        3.0,
        ge=0,
        description="Noise on the latents that heads are trained on, in standard deviations of q(z|x), schemes 2 and "
        "3; 0: none, as in the paper.",
    )
    swaps: int = Field(
        0,
        ge=0,
        le=64,
        description="Versions of each training cell in the surroundings of another one, from which heads and laws over "
        "latents learn too, schemes 2 to 4; 8 are as many as orientations. 0: none, as in the paper.",
    )
    microscopes: float = Field(
        0.0,
        ge=0,
        le=3,
        description="Strength of random noise, blur, sharpening, gain, gamma and background in those versions (8 where "
        "swaps is 0), schemes 2 to 4. 1: as much as real sources differ; 0: none, as in the paper.",
    )
    perturbation: float = Field(
        0.0,
        ge=0,
        le=0.5,
        description="Largest fast gradient sign step, in grey levels of 0 to 1, of as many more versions of each "
        "training cell, away from its class by linear discriminants of the latents, schemes 2 to 4. 0: none, as in the "
        "paper.",
    )
    warmup_epochs: int = Field(20, ge=0, description="Dense epochs before pruning, scheme 3 (paper: 20).")
    sparsity: float = Field(
        0.951, ge=0, lt=1, description="S, share of weights at zero, scheme 3 (paper: 0.951)."
    )
    update_every: int = Field(115, ge=1, description="Steps between RigL updates, delta T (paper: 115).")
    update_fraction: float = Field(
        0.758, ge=0, le=1, description="RigL's update fraction alpha (paper: 0.758)."
    )
    update_until: float = Field(
        0.75,
        gt=0,
        le=1,
        description="T_end: share of the training after which the topology is fixed (paper: 0.75).",
    )
    sparse_method: SparseMethod = "measured"
    threads: int = Field(0, ge=0, le=256, description="CPU threads; 0: chosen by the amount of work.")

    def for_scheme(self, scheme: int) -> ClassifierConfig:
        """Return the settings with the passes that a scheme needs, where they do not say how many.

        Parameters
        ----------
        scheme : int
            1 to 3.
        """
        if scheme == 1 and "epochs" not in self.model_fields_set:
            return self.model_copy(update={"epochs": CNN_EPOCHS})
        return self
