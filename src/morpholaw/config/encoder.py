"""Training of the encoder."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

from pydantic import Field

from morpholaw.config.split import SplitSeed, TestFraction
from morpholaw.config.step import TrainingConfig


class EncoderConfig(TrainingConfig):
    """Training of the beta-TCVAE (paper, 5.1 and B.1)."""

    PLAIN: ClassVar[dict[str, Any]] = {"shape_weight": 0.0, "swap": 0.0, "perturbation": 0.0}
    """Nothing is asked of latents but to decode their crops as they are, as in the paper."""
    PAPER: ClassVar[dict[str, Any]] = {
        **PLAIN,
        "epoch_crops": 0,
        "edge_weight": 1.0,
        "texture": 0.0,
        "symmetry": False,
        "start_from": "none",
        "precision": "float32",
        "adam_memory": 0.999,
        "schedule": "constant",
        "first_image": "random",
        "leave_out_test": False,
    }

    latents: int = Field(32, ge=2, le=256, description="Latent variables (paper: 32).")
    filters: tuple[int, ...] = Field((8, 16, 32, 64), description="Filters of the encoder's convolutions.")
    hidden: int = Field(256, ge=8, le=4096, description="Units of the fully connected layer (paper: 256).")
    epochs: int = Field(
        5, ge=1, le=1000, description="Passes over the crops (paper: 5, of 2.1 million crops)."
    )
    epoch_crops: int = Field(
        1_200_000,
        ge=0,
        description="Crops in an epoch at least: a smaller study is repeated up to this number, each time rotated and "
        "flipped at random. A third of it is enough for a first look.",
    )
    batch_size: int = Field(256, ge=8, le=8192, description="Crops in a batch (paper: 256).")
    learning_rate: float = Field(5e-4, gt=0, le=1, description="Adam's step size (paper: 0.0005).")
    schedule: Literal["warm-up", "constant"] = Field(
        "warm-up",
        description="Learning rate over the training. warm-up: it rises over the first 100 steps and falls to a tenth "
        "over the last fifth; constant: as in the paper, which names no schedule.",
    )
    adam_memory: float = Field(
        0.99,
        gt=0,
        lt=1,
        description="Decay of Adam's mean of squared gradients, beta 2. Adam's own 0.999, which the paper keeps, "
        "remembers a thousand calm steps, after which one steep batch moves all weights too far.",
    )
    first_image: Literal["mean", "random"] = Field(
        "mean",
        description="What a new decoder shows before it has learnt: the mean grey level of the crops, or whatever its "
        "random weights make, as in the paper.",
    )
    alpha: float = Field(1.0, ge=0, description="Weight of the index-code mutual information I(z;n), eq. 7.")
    beta: float = Field(12.0, ge=0, description="Weight of the total correlation TC(z), eq. 7.")
    gamma: float = Field(1.0, ge=0, description="Weight of the dimension-wise KL divergence, eq. 7.")
    reconstruction: float = Field(
        1000.0,
        gt=0,
        description="Weight of the summed squared error: 1 / (2 sigma^2) of the assumed pixel noise.",
    )
    edge_weight: float = Field(
        0.05,
        gt=0,
        le=1,
        description="Weight of the corners of a crop in the error, relative to its centre; 1: all pixels alike.",
    )
    texture: float = Field(
        20.0,
        ge=0,
        description="Weight of the error of the texture, a second decoded image that holds the size of the first one's "
        "residual at each pixel; 0: none, as in the paper.",
    )
    shape_weight: float = Field(
        3000.0,
        ge=0,
        description="Weight of the error of shapes that are measured in each crop, such as axis ratio and contrast, "
        "and that latents have to tell besides decoding it; 0: none, as in the paper.",
    )
    plain_share: float = Field(
        0.75,
        ge=0,
        le=1,
        description="Share of a training from new weights in which latents have only to decode crops as they are, as "
        "in the paper; shapes, swaps, other microscopes and perturbations are asked for after it. Asked for from the "
        "start, they leave several latents for each factor. A training from another encoder asks for them at once.",
    )
    symmetry: bool = Field(
        True,
        description="Latents of one kind of symmetry each, such as unchanged by rotations and flips: transformed "
        "latents decode to the transformed cell; off: as in the paper.",
    )
    task: float = Field(
        0.0,
        ge=0,
        description="Weight of the cross-entropy of the labelled training cells' classes given the latents, a joint "
        "objective (paper, section 8); try the weight of the reconstruction; 0: unsupervised, as in the paper.",
    )
    task_classes: tuple[str, ...] = Field(
        (), description="Classes of the joint objective; empty: all labelled classes."
    )
    task_share: float = Field(
        0.25,
        gt=0,
        le=1,
        description="Share of each batch that the joint objective draws from the labelled training cells.",
    )
    leave_out_test: bool = Field(
        True,
        description="Leave out the crops of the groups that classifiers are tested on, where cells are labelled; off: "
        "all crops, as in the paper.",
    )
    test_fraction: TestFraction = None
    split_seed: SplitSeed = 0
    sampling: Literal["stratified", "weighted"] = Field(
        "stratified", description="Estimate of q(z) from the minibatch (Chen et al. 2018, appendix C)."
    )
    augment: bool = Field(True, description="Random flips and 90 degree rotations (paper, B.1).")
    gain_jitter: float = Field(
        0.0, ge=0, le=1, description="Random brightness gain, as a standard deviation of log gain; 0: none."
    )
    swap: float = Field(
        0.5,
        ge=0,
        le=1,
        description="Share of crops that are shown in the surroundings of another cell, so that surroundings say "
        "nothing about the cell; 0: none, as in the paper.",
    )
    split: bool = Field(
        False,
        description="Latents of two kinds by construction: half of each symmetry follow the cell, the others its "
        "surroundings. The cell's latents of one crop and the others of another must decode to that cell in those "
        "surroundings.",
    )
    microscopes: float = Field(
        0.0,
        ge=0,
        le=3,
        description="Strength of random noise, blur, sharpening, gain, gamma and background that are added to what is "
        "encoded; what is decoded stays as it was. 1: as much as real sources differ; 0: none, as in the paper.",
    )
    perturbation: float = Field(
        0.1,
        ge=0,
        le=0.5,
        description="Largest fast gradient sign perturbation of latents that is added to what is encoded, in "
        "grey levels of 0 to 1, so that small changes of every pixel do not move latents; what is decoded stays as it "
        "was. 0: none, as in the paper.",
    )
    grain_smoothing: bool = Field(
        False,
        description="Measure the texture after a slight blur, which takes off most of the noise of single pixels.",
    )
    start_from: str = Field(
        "auto",
        description="A trained encoder to start from: a folder, 'sample' for the shipped one (simulated cells), or "
        "'none'; auto: the shipped one where it fits and the study is small.",
    )
    precision: Literal["auto", "float32", "bfloat16"] = Field(
        "auto", description="Number format of the convolutions; auto: bfloat16 where the CPU has it."
    )
    threads: int = Field(0, ge=0, le=256, description="CPU threads; 0: the cores that are free.")

    @property
    def plain(self) -> bool:
        """Whether latents never have to do more than to decode crops as they are."""
        return not (self.shape_weight or self.swap or self.microscopes or self.perturbation)
