"""Settings for training the encoder."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field

from morpholaw.config.split import SplitSeed, TestFraction
from morpholaw.config.step import InWords, TrainingConfig


class EncoderConfig(TrainingConfig):
    """Settings for training the beta-TCVAE (paper, 5.1 and B.1)."""

    PLAIN: ClassVar[dict[str, Any]] = {"shape_weight": 0.0, "swap": 0.0, "perturbation": 0.0}
    """Settings with which latents only reconstruct unchanged crops, as in the paper."""
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

    latents: int = Field(
        32, ge=2, le=256, title="Number of latents", description="Number of latents (paper: 32)."
    )
    filters: tuple[int, ...] = Field(
        (8, 16, 32, 64),
        title="Filters per layer",
        description="Number of filters in each convolution of the encoder.",
    )
    hidden: int = Field(
        256,
        ge=8,
        le=4096,
        title="Units in dense layer",
        description="Units in the fully connected layer (paper: 256).",
    )
    epochs: int = Field(
        5, ge=1, le=1000, description="Passes over the crops (paper: 5, of 2.1 million crops)."
    )
    epoch_crops: int = Field(
        1_200_000,
        ge=0,
        title="Crops per epoch",
        description="Minimum number of crops per epoch. A smaller study is repeated, with random rotations and flips. "
        "A third of the default is enough for a first look.",
    )
    batch_size: int = Field(
        256, ge=8, le=8192, title="Crops per batch", description="Crops per batch (paper: 256)."
    )
    learning_rate: float = Field(5e-4, gt=0, le=1, description="Adam's step size (paper: 0.0005).")
    schedule: Literal["warm-up", "constant"] = Field(
        "warm-up",
        title="Learning rate schedule",
        description="Learning rate schedule. warm-up: rises over the first 100 steps and falls to a tenth over the "
        "last fifth of the training; constant: as in the paper, which names no schedule.",
    )
    adam_memory: float = Field(
        0.99,
        gt=0,
        lt=1,
        title="Adam's beta 2",
        description="Adam's beta 2, the decay of its mean of squared gradients. With Adam's default 0.999, as in the "
        "paper, one steep batch after many calm ones moves all weights too far.",
    )
    first_image: Annotated[
        Literal["mean", "random"], InWords({"mean": "mean of the crops", "random": "of random weights"})
    ] = Field(
        "mean",
        title="First decoded image",
        description="Output of a new decoder before training. mean: the mean grey level of the crops; random: what "
        "its random weights give, as in the paper.",
    )
    alpha: float = Field(
        1.0,
        ge=0,
        title="Mutual information (α)",
        description="Weight of the index-code mutual information I(z;n), eq. 7.",
    )
    beta: float = Field(
        12.0, ge=0, title="Total correlation (β)", description="Weight of the total correlation TC(z), eq. 7."
    )
    gamma: float = Field(
        1.0, ge=0, title="KL per latent (γ)", description="Weight of the dimension-wise KL divergence, eq. 7."
    )
    reconstruction: float = Field(
        1000.0,
        gt=0,
        title="Reconstruction weight",
        description="Weight of the summed squared reconstruction error: 1 / (2 sigma^2) for pixel noise sigma.",
    )
    edge_weight: float = Field(
        0.05,
        gt=0,
        le=1,
        title="Corner weight",
        description="Weight of a crop's corners in the reconstruction error, relative to its centre; 1: all pixels "
        "alike, as in the paper.",
    )
    texture: float = Field(
        20.0,
        ge=0,
        title="Texture weight",
        description="Weight of the texture error. The texture is a second decoded image, which predicts the size of "
        "the first one's residual at each pixel; 0: none, as in the paper.",
    )
    shape_weight: float = Field(
        3000.0,
        ge=0,
        description="Weight of the shape error: the latents must also predict shapes measured in each crop, such as "
        "axis ratio and contrast; 0: none, as in the paper.",
    )
    plain_share: float = Field(
        0.75,
        ge=0,
        le=1,
        title="Reconstruction-only share",
        description="Share of a training from random weights that only reconstructs crops, as in the paper. Shapes, "
        "swaps, other microscopes and perturbations follow after it; from the start, they would spread each factor "
        "over several latents. A training that starts from another encoder has them from the start.",
    )
    symmetry: bool = Field(
        True,
        title="Symmetric latents",
        description="Give each latent one kind of symmetry, such as invariance to rotations and flips, so transformed "
        "latents decode to the transformed cell; off: as in the paper.",
    )
    task: float = Field(
        0.0,
        ge=0,
        title="Class weight",
        description="Weight of a joint objective (paper, section 8): the cross-entropy of the classes of labelled "
        "training cells, given the latents. Try the weight of the reconstruction; 0: unsupervised, as in the paper.",
    )
    task_classes: tuple[str, ...] = Field(
        (),
        title="Classes to learn",
        description="Classes of the joint objective; empty: all labelled classes.",
    )
    task_share: float = Field(
        0.25,
        gt=0,
        le=1,
        title="Labelled share of batch",
        description="Share of each batch that is drawn from the labelled training cells for the joint objective.",
    )
    leave_out_test: bool = Field(
        True,
        title="Leave out test groups",
        description="Leave out the crops of the test groups of classifiers, if cells are labelled; off: use all "
        "crops, as in the paper.",
    )
    test_fraction: TestFraction = None
    split_seed: SplitSeed = 0
    sampling: Literal["stratified", "weighted"] = Field(
        "stratified",
        title="Estimate of q(z)",
        description="Estimate of q(z) from the minibatch (Chen et al. 2018, appendix C).",
    )
    augment: bool = Field(
        True,
        title="Flips and rotations",
        description="Augment the crops with random flips and rotations by 90 degrees (paper, B.1).",
    )
    gain_jitter: float = Field(
        0.0,
        ge=0,
        le=1,
        title="Brightness jitter",
        description="Standard deviation of the logarithm of a random brightness gain; 0: none.",
    )
    swap: float = Field(
        0.5,
        ge=0,
        le=1,
        title="Swapped surroundings",
        description="Share of crops that are placed in the surroundings of another cell, so surroundings say nothing "
        "about the cell; 0: none, as in the paper.",
    )
    split: bool = Field(
        False,
        title="Separate surroundings",
        description="Divide the latents into two kinds: half of each symmetry describe the cell, the others its "
        "surroundings. The first kind from one crop and the second from another must decode to that cell in those "
        "surroundings.",
    )
    microscopes: float = Field(
        0.0,
        ge=0,
        le=3,
        title="Microscope variation",
        description="Strength of random noise, blur, sharpening, gain, gamma and background in the encoder's input; "
        "the target of the decoder stays unchanged. 1: as much as real sources differ; 0: none, as in the paper.",
    )
    perturbation: float = Field(
        0.1,
        ge=0,
        le=0.5,
        title="Adversarial perturbation",
        description="Largest fast gradient sign perturbation of the encoder's input, in grey levels from 0 to 1; the "
        "target of the decoder stays unchanged. It is to make latents robust to small changes of every pixel. 0: "
        "none, as in the paper.",
    )
    grain_smoothing: bool = Field(
        False,
        title="Smoothed texture",
        description="Measure the texture after a slight blur, which removes most of the noise of single pixels.",
    )
    start_from: str = Field(
        "auto",
        title="Start from encoder",
        description="Trained encoder to start from: a folder, 'sample' for the shipped one (simulated cells), or "
        "'none'; auto: the shipped one if it fits and the study is small.",
    )
    precision: Annotated[Literal["auto", "float32", "bfloat16"], InWords({"auto": "automatic"})] = Field(
        "auto",
        title="Number format",
        description="Number format of the convolutions; auto: bfloat16 if the CPU supports it.",
    )
    threads: int = Field(0, ge=0, le=256, title="CPU threads", description="CPU threads; 0: all free cores.")

    @property
    def plain(self) -> bool:
        """Whether the latents only ever reconstruct unchanged crops."""
        return not (self.shape_weight or self.swap or self.microscopes or self.perturbation)
