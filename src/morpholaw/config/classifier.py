"""Settings for training schemes 1 to 3."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field

from morpholaw.config.split import SplitConfig
from morpholaw.config.step import InWords

Inputs = Annotated[
    Literal["latents", "shapes", "both"],
    InWords({"shapes": "measured shapes", "both": "latents and shapes"}),
    Field(
        description="Inputs of the classifier: latents of the encoder; shapes measured in the crop, such as area and "
        "width in micrometres, which need no encoder; or both."
    ),
]


Shapes = Annotated[
    tuple[str, ...] | None,
    Field(
        title="Shapes to use",
        description="Names of the shapes that may be used, such as width or neighbours; empty: all shapes of the cell "
        "itself, and none of its neighbourhood.",
    ),
]


ReadableLatents = Annotated[
    Literal["all", "morphology"],
    InWords({"all": "all latents", "morphology": "those of the cell (morphology)"}),
    Field(
        title="Latents to use",
        description="Latents that heads may use, and thus the laws that follow scheme 3. all: as in the paper; "
        "morphology: those that describe the cell and not its surroundings.",
    ),
]


SparseMethod = Annotated[
    Literal["measured", "paper"],
    InWords({"measured": "improved", "paper": "as in the paper"}),
    Field(
        title="Sparse training",
        description="Algorithm of scheme 3. measured: with changes that proved better, growing connections by "
        "gradients over many batches and removing weights without effect at the end; paper: the paper's algorithm 1.",
    ),
]

FOLDS = 5
"""Default number of folds of a cross-validation."""
CNN_EPOCHS = 16
"""Default number of passes of scheme 1; a CNN needs fewer than heads."""


class ClassifierConfig(SplitConfig):
    """Settings for training schemes 1 to 3 (paper, 6.2 and B.2-B.3)."""

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
    models: int = Field(
        10,
        ge=1,
        le=1000,
        title="Models",
        description="Number of models, which are trained together (paper: 10).",
    )
    epochs: int = Field(
        100,
        ge=1,
        le=10_000,
        description="Passes over the training crops (paper: 100). Scheme 1 makes 16 unless you set this.",
    )
    patience: int = Field(
        3,
        ge=0,
        title="Early stopping (epochs)",
        description="Scheme 1: stop early after this many passes in a row that are worse on a validation part of the "
        "training groups, and keep the networks from before them; 0: make all passes, without a validation part, as "
        "in the paper.",
    )
    start_from: Annotated[
        Literal["encoder", "none"], InWords({"encoder": "those of the encoder", "none": "random (none)"})
    ] = Field(
        "encoder",
        title="Initial weights",
        description="Scheme 1: initial weights of the CNNs. encoder: those of the study's encoder, or of the shipped "
        "one if the study has none, provided that the layout is the same; none: random weights, as in the paper.",
    )
    epoch_cells: int = Field(
        7200,
        ge=0,
        title="Cells per epoch",
        description="Minimum number of cells per epoch (paper: about 7200). A smaller labelled set is repeated with "
        "random rotations and flips, which keeps the number of steps for warm-up and RigL's updates.",
    )
    batch_size: int = Field(
        64, ge=2, le=8192, title="Crops per batch", description="Crops per batch (paper: 64)."
    )
    learning_rate: float = Field(1e-3, gt=0, le=1, description="Adam's step size.")
    schedule: Literal["cosine", "constant"] = Field(
        "cosine",
        title="Learning rate schedule",
        description="Learning rate schedule of scheme 1. cosine: decays to 0 along a cosine; constant: as in the "
        "paper, which names no schedule. Schemes 2 and 3 always use a constant rate.",
    )
    class_balance: bool = Field(
        True,
        title="Balance classes",
        description="Give all classes the same weight in the loss; off: give all cells the same weight, as in the "
        "paper, which has two classes of about the same size.",
    )
    hidden: tuple[int, ...] = Field(
        (16, 16, 16),
        title="Units per hidden layer",
        description="Units in each hidden layer of the head (paper, B.2).",
    )
    dropout: float = Field(
        0.3, ge=0, lt=1, title="Dropout rate", description="Dropout rate of schemes 1 and 2 (paper: 0.3)."
    )
    augment: bool = Field(
        True,
        title="Flips and rotations",
        description="Augment the crops with random flips and rotations by 90 degrees (paper, B.2).",
    )
    deformation: float = Field(
        1.0,
        ge=0,
        le=3,
        title="Random deformation",
        description="Scheme 1: strength of random rotation by any angle, zoom, stretch and shift of the training "
        "crops. 1: up to 15 % and 3 of 64 pixels; 0: none, as in the paper.",
    )
    latent_noise: float = Field(
        3.0,
        ge=0,
        title="Noise on latents",
        description="Schemes 2 and 3: noise that is added to the latents during training, in standard deviations of "
        "q(z|x); 0: none, as in the paper.",
    )
    swaps: int = Field(
        0,
        ge=0,
        le=64,
        title="Copies, other surroundings",
        description="Schemes 2 to 4 over latents: extra copies of each training cell, placed in the surroundings of "
        "other cells. 8: as many as orientations; 0: none, as in the paper.",
    )
    microscopes: float = Field(
        0.0,
        ge=0,
        le=3,
        title="Microscope variation",
        description="Schemes 2 to 4: strength of random noise, blur, sharpening, gain, gamma and background in those "
        "copies, or in 8 copies if there are none. 1: as much as real sources differ; 0: none, as in the paper.",
    )
    perturbation: float = Field(
        0.0,
        ge=0,
        le=0.5,
        title="Adversarial perturbation",
        description="Schemes 2 to 4: largest fast gradient sign step, in grey levels from 0 to 1, of as many "
        "additional copies of each training cell. The steps lead away from its class, by linear discriminants of the "
        "latents. 0: none, as in the paper.",
    )
    warmup_epochs: int = Field(
        20,
        ge=0,
        title="Epochs before pruning",
        description="Scheme 3: dense epochs before pruning (paper: 20).",
    )
    sparsity: float = Field(
        0.951,
        ge=0,
        lt=1,
        title="Share of zero weights",
        description="Scheme 3: share S of the weights that are zero (paper: 0.951).",
    )
    update_every: int = Field(
        115,
        ge=1,
        title="Steps between updates",
        description="Scheme 3: steps between RigL updates, delta T (paper: 115).",
    )
    update_fraction: float = Field(
        0.758,
        ge=0,
        le=1,
        title="Fraction per update",
        description="Scheme 3: update fraction alpha of RigL (paper: 0.758).",
    )
    update_until: float = Field(
        0.75,
        gt=0,
        le=1,
        title="Updates until (share)",
        description="Scheme 3: share of the training after which the topology is fixed, T_end (paper: 0.75).",
    )
    sparse_method: SparseMethod = "measured"
    threads: int = Field(
        0,
        ge=0,
        le=256,
        title="CPU threads",
        description="CPU threads; 0: chosen according to the amount of work.",
    )

    @classmethod
    def used_by(cls, scheme: int) -> frozenset[str]:
        """Return the names of the settings that matter for a scheme.

        Parameters
        ----------
        scheme : int
            1 to 4. With more than two classes, scheme 4 may train sparse networks, which have the defaults.

        Returns
        -------
        frozenset of str
        """
        every = {"seed", "classes", "test_fraction", "split_seed", "models", "augment"}
        trained = {
            "epochs",
            "epoch_cells",
            "batch_size",
            "learning_rate",
            "class_balance",
            "hidden",
            "threads",
        }
        read = {"inputs", "shapes", "keep", "swaps", "microscopes", "perturbation"}
        pixels = {"patience", "start_from", "schedule", "dropout", "deformation", "device"}
        sparse = {
            "warmup_epochs", "sparsity", "update_every", "update_fraction", "update_until", "sparse_method",
        }  # fmt: skip
        return frozenset(
            {
                1: every | trained | pixels,
                2: every | trained | read | {"latent_noise", "dropout"},
                3: every | trained | read | {"latent_noise"} | sparse,
                4: every | read,
            }[scheme]
        )

    def for_scheme(self, scheme: int) -> ClassifierConfig:
        """Return the settings with the default number of passes of a scheme, unless one is set.

        Parameters
        ----------
        scheme : int
            1 to 3.

        Returns
        -------
        ClassifierConfig
        """
        if scheme == 1 and "epochs" not in self.model_fields_set:
            return self.model_copy(update={"epochs": CNN_EPOCHS})
        return self
