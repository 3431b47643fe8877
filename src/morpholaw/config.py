"""One validated settings model per step: it drives the form, its tooltips, the JSON in the study and the flags.

Nothing is stated twice: ranges, units and the paper's section stand in each field's description, from which the
docstrings' *Parameters* are made. "Paper" is Soelistyo & Lowe, "Discovering interpretable models of scientific image
data with deep learning".
"""

from __future__ import annotations

import textwrap
from types import NoneType, UnionType
from typing import Annotated, Any, ClassVar, Literal, Self, Union, get_args, get_origin

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    ValidationError,
    ValidationInfo,
    field_validator,
    model_validator,
)

from morpholaw.errors import SettingError

Device = Literal["auto", "cpu", "cuda", "mps"]
TestFraction = Annotated[
    float | None,
    Field(
        gt=0,
        lt=1,
        description="Share of labelled crops kept for testing, whole groups at a time; empty: the paper's 10 %, "
        "or 25 % of fewer than 2000 cells.",
    ),
]
SplitSeed = Annotated[int, Field(ge=0, description="Seed of the split; the same for all schemes of a study.")]

ALL_CLASSES = ("all",)
"""In place of the names of classes: every labelled class."""


def _different(classes: tuple[str, ...]) -> tuple[str, ...]:
    if len(set(classes)) < len(classes):
        raise ValueError("the classes must differ")
    if len(classes) == 1 and classes != ALL_CLASSES:
        raise ValueError("it takes two classes or more to tell apart")
    return classes


Classes = Annotated[
    tuple[str, ...],
    AfterValidator(_different),
    Field(
        description="Classes to tell apart, two or more, or 'all' for every labelled class. Of two, scores f(x) < 0 "
        "are the first and f(x) >= 0 the second (eq. 2). Empty: interphase and metaphase where both are labelled, else "
        "every labelled class.",
    ),
]
SparseMethod = Annotated[
    Literal["measured", "paper"],
    Field(
        description="Scheme 3 by the paper's algorithm 1, or with changes that were measured to be better: connections "
        "grow by gradients over many batches, and weights without effect are removed at the end."
    ),
]


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


class StepConfig(BaseModel):
    """Base of all settings: unknown names are refused, values are checked on assignment."""

    PAPER: ClassVar[dict[str, Any]] = {}
    """The preset "paper": the paper's own settings, where the defaults are others."""

    model_config = ConfigDict(extra="forbid", validate_assignment=True, frozen=False)

    @classmethod
    def __pydantic_init_subclass__(cls, **keywords: Any) -> None:
        """Write the settings into the docstring, so that ``help`` shows them."""
        super().__pydantic_init_subclass__(**keywords)
        lines = [(cls.__doc__ or "").rstrip(), "", "Parameters", "----------"]
        for name, field in cls.model_fields.items():
            lines += [
                f"{name} : {_type_name(field.annotation)}, default {field.get_default(call_default_factory=True)!r}"
            ]
            lines += textwrap.wrap(
                field.description or "", 112, initial_indent="    ", subsequent_indent="    "
            )
        cls.__doc__ = "\n".join(lines)

    @field_validator("*", mode="before")
    @classmethod
    def _listed(cls, value: Any, info: ValidationInfo) -> Any:
        """Take several values that are written as one text, "1, 3, 17", as a list."""
        annotation = cls.model_fields[info.field_name or ""].annotation
        union = get_origin(annotation) in (Union, UnionType)
        kinds = get_args(annotation) if union else (annotation,)
        if isinstance(value, str) and any(get_origin(kind) is tuple for kind in kinds) and str not in kinds:
            return [part.strip() for part in value.split(",") if part.strip()]
        return value

    @classmethod
    def from_values(cls, values: dict[str, Any]) -> Self:
        """Validate plain values, e.g. from ``--set KEY=VALUE``.

        Parameters
        ----------
        values : dict
            Settings by name; those that are left out have their defaults. With ``preset`` "paper", those that are left
            out are the paper's.

        Returns
        -------
        StepConfig
            The settings.

        Raises
        ------
        SettingError
            One sentence that names the first setting that is wrong and says what it should be.
        """
        others = {name: value for name, value in values.items() if name != "preset"}
        preset = values.get("preset") or ""
        if preset not in ("", "paper"):
            raise SettingError(f"There is no preset {preset!r}; there is 'paper'.", "preset")
        try:
            return cls.model_validate({**(cls.PAPER if preset else {}), **others})
        except ValidationError as error:
            raise _setting_error(cls, error) from None


def _setting_error(kind: type[StepConfig], error: ValidationError) -> SettingError:
    """Return the first error of a validation as a sentence."""
    first = error.errors()[0]
    name = ".".join(str(part) for part in first["loc"])
    setting = str(first["loc"][0]) if first["loc"] else ""
    message = first["msg"].removeprefix("Value error, ")
    if first["type"] == "extra_forbidden":
        known = ", ".join(kind.model_fields)
        sentence = f"There is no setting {name!r} here; the settings are {known}."
    elif not name:  # the settings do not fit each other
        sentence = message[:1].upper() + message[1:].rstrip(".") + "."
    else:
        verb = "be" if len(first["loc"]) == 1 else "contain"
        sentence = f"The setting {setting!r} cannot {verb} {first['input']!r}: {message.lower()}."
    return SettingError(sentence, setting)


def _type_name(annotation: Any) -> str:
    """Return a type as a docstring shows it: "int", "float or None", "{'cell', 'source'}"."""
    if get_origin(annotation) is Literal:
        return "{" + ", ".join(map(repr, get_args(annotation))) + "}"
    if get_origin(annotation) in (Union, UnionType):
        return " or ".join(map(_type_name, get_args(annotation)))
    if annotation is NoneType:
        return "None"
    return (
        annotation.__name__ if isinstance(annotation, type) and not get_args(annotation) else str(annotation)
    )


CropSize = Annotated[
    int,
    Field(
        ge=16, le=256, multiple_of=16, title="Crop size (pixels)", description="Side of a crop, in pixels."
    ),
]
Brightness = Annotated[
    Literal["cell", "source"],
    Field(
        description="Grey scale: each cell over its own brightest chromatin, so that shape and texture count and "
        "expression does not; or one scale for the whole source."
    ),
]


class CropConfig(StepConfig):
    """How cells are cut from a movie (paper, 5.1: 64 x 64 pixels, 21.3 um a side)."""

    size: CropSize = 64
    edge: Literal["background", "reflect", "drop"] = Field(
        "background",
        description="Cells near the border: pad with the frame's background level, mirror the frame, or drop the cell.",
    )
    brightness: Brightness = "cell"
    pixel_size: float | None = Field(
        None,
        gt=0,
        title="Pixel size (µm)",
        description="Micrometres per pixel of the movie; read from the file where it says so.",
    )
    model_pixel_size: float | None = Field(
        None,
        gt=0,
        title="Resample to (µm per pixel)",
        description="Micrometres per pixel that crops are resampled to; empty: the study's, where it has one.",
    )
    channel: str | int | None = Field(
        None, description="Channel to read where the movie has several: its name, or its number from 0."
    )
    position: str | int | None = Field(
        None,
        description="Position (field, scene) to read where there are several: its name, or its number from 0.",
    )
    z: str | int | None = Field(
        None, description="What to read of a z-stack: max, mean, or the number of a slice from 0."
    )
    axes: str | None = Field(
        None,
        description="One letter per axis (tyx, yxt, tcyx), where the file does not name its axes or is wrong.",
    )
    frame_offset: int | None = Field(
        None, description="Added to the tracks' frame numbers to get the movie's, which count from 0."
    )
    ids: Literal["auto", "tracks", "per-frame", "linked", "laptrack"] = Field(
        "auto",
        description="What the numbers in masks mean: tracks; cells of one frame only (per-frame); cells to be linked "
        "over time, by overlap (linked) or with LapTrack (laptrack); auto: told by the content.",
    )
    frame_interval: float | None = Field(
        None,
        gt=0,
        description="Seconds from one frame to the next, for tracks that hold times; empty: found out from the times.",
    )
    swap_xy: bool = Field(False, description="The tracks have x where y is expected: exchange the two.")
    force: bool = Field(
        False,
        description="Go on where inputs contradict each other or no cells are seen at the tracked places.",
    )

    @model_validator(mode="before")
    @classmethod
    def _ids_per_frame(cls, values: Any) -> Any:
        """Take ``ids_per_frame=True``, as :func:`morpholaw.read_tracks` calls it, for ``ids="per-frame"``."""
        if not isinstance(values, dict) or "ids_per_frame" not in values:
            return values
        others = {name: value for name, value in values.items() if name != "ids_per_frame"}
        return {**others, "ids": "per-frame"} if values["ids_per_frame"] else others


class ImportConfig(StepConfig):
    """How a folder of labelled crops becomes a crop set."""

    size: CropSize = 64
    classes: dict[str, list[str]] = Field(
        default_factory=dict,
        description="Class name to the subfolders that hold it; other subfolders are imported unlabelled.",
    )
    group_regex: str | None = Field(
        None,
        description="Regular expression for the part of a file's path that says which crops belong together (a "
        "movie, a track).",
    )
    brightness: Brightness = "cell"
    pixel_size: float | None = Field(
        None, gt=0, title="Pixel size (µm)", description="Micrometres per pixel of the crops."
    )
    channel: str | int | None = Field(
        None, description="Channel to read of images of several: a number from 0, or red, green or blue."
    )


class SimulateConfig(StepConfig):
    """A tracked H2B movie with known factors."""

    frames: int = Field(60, ge=1, le=10_000, description="Frames in the movie.")
    cells: int = Field(60, ge=1, le=5_000, description="Cells in the first frame.")
    height: int = Field(512, ge=64, le=8_192, description="Height of a frame, in pixels.")
    width: int = Field(512, ge=64, le=8_192, description="Width of a frame, in pixels.")
    pixel_size: float = Field(
        0.333,
        gt=0,
        title="Pixel size (µm)",
        description="Micrometres per pixel (paper: 21.3 um / 64 pixels).",
    )
    metaphase: float | None = Field(
        None,
        ge=1,
        le=1000,
        title="Metaphase (frames)",
        description="Median duration of metaphase, in frames; empty: 3 to 6, each as often.",
    )
    metaphase_spread: float = Field(
        0.25, ge=0, le=2, description="Standard deviation of the logarithm of that duration."
    )
    frame_interval: float | None = Field(
        None,
        gt=0,
        title="Frame interval (s)",
        description="Seconds from one frame to the next, written into the movie's file; it changes nothing else.",
    )
    seed: int = Field(0, ge=0, description="Seed: the same seed makes the same movie.")


class TrainingConfig(StepConfig):
    """Settings that all trained steps share."""

    seed: int = Field(0, ge=0, description="Seed of every random choice in this step.")
    device: Device = Field("auto", description="Where to compute: CUDA, else Apple's MPS, else the CPU.")


class EncoderConfig(TrainingConfig):
    """Training of the beta-TCVAE (paper, 5.1 and B.1)."""

    PAPER: ClassVar[dict[str, Any]] = {
        "epoch_crops": 0,
        "edge_weight": 1.0,
        "texture": 0.0,
        "symmetry": False,
        "start_from": "none",
        "precision": "float32",
        "adam_memory": 0.999,
        "schedule": "constant",
        "first_image": "random",
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
        0.0,
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
        0.0,
        ge=0,
        le=0.5,
        description="Largest fast gradient sign perturbation of latents that is added to what is encoded, in grey "
        "levels of 0 to 1; what is decoded stays as it was. 0: none, as in the paper.",
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


class SplitConfig(TrainingConfig):
    """Classes, and how their labelled cells are split into training and test cells."""

    classes: Classes = ()
    test_fraction: TestFraction = None
    split_seed: SplitSeed = 0

    @model_validator(mode="before")
    @classmethod
    def _named_by_sign(cls, values: Any) -> Any:
        """Take ``negative`` and ``positive``, the settings of two classes in version 0.1, for ``classes``."""
        if not isinstance(values, dict) or not {"negative", "positive"} & values.keys():
            return values
        others = {name: value for name, value in values.items() if name not in ("negative", "positive")}
        pair = (values.get("negative", "interphase"), values.get("positive", "metaphase"))
        return {"classes": pair, **others}


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
    }

    inputs: Inputs = "latents"
    shapes: Shapes = None
    models: int = Field(10, ge=1, le=1000, description="Models, trained together (paper: 10).")
    epochs: int = Field(
        100,
        ge=1,
        le=10_000,
        description="Passes over the training crops (paper: 100). Of scheme 1: 8 if not given.",
    )
    patience: int = Field(
        3,
        ge=0,
        description="Scheme 1: passes that predict held-out groups of the training cells worse than an earlier one, "
        "after which the training ends with the networks from before those; 0: all passes and nothing held out, as in "
        "the paper.",
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


class TuneConfig(SplitConfig):
    """Search of RigL's settings with Optuna (paper, B.3.1)."""

    PAPER: ClassVar[dict[str, Any]] = {"test_fraction": 0.1, "sparse_method": "paper"}

    trials: int = Field(200, ge=1, description="Trials (paper: 200).")
    runs: int = Field(5, ge=1, description="Models per trial (paper: 5).")
    epochs: int = Field(40, ge=2, description="Epochs per model (paper: 40).")
    batch_trials: int = Field(20, ge=1, description="Trials that are trained at the same time.")
    sparsity: tuple[float, float] = Field((0.95, 0.97), description="Range of S.")
    update_every: tuple[int, int] = Field((100, 200), description="Range of delta T, in steps.")
    update_fraction: tuple[float, float] = Field((0.7, 0.9), description="Range of alpha.")
    storage: str | None = Field(None, description="Optuna storage URL to share; empty: a file in the study.")
    pruning: bool = Field(False, description="Stop trials early that are clearly worse (median pruner).")
    sparse_method: SparseMethod = "measured"


class LawConfig(TrainingConfig):
    """Symbolic regression of the decision boundary (paper, 5.3, 6.4, B.4)."""

    PAPER: ClassVar[dict[str, Any]] = {"distillation": "raw", "teacher": "first", "rows": "all"}

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
    max_complexity: int = Field(
        20, ge=3, le=60, description="Hard cap on the weighted complexity (paper: 20)."
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


class TimelineConfig(StepConfig):
    """Phases, events and durations from classes along tracks."""

    frame_interval: float | None = Field(
        None,
        gt=0,
        title="Frame interval (s)",
        description="Seconds from one frame to the next; empty: what the movie's file says, else times are in frames.",
    )
    mitotic: tuple[str, ...] = Field(
        (),
        description="Classes that are stages of mitosis; empty: those with such a name, else those in which cells "
        "divide.",
    )
    arrest: float | None = Field(
        None,
        gt=0,
        title="Arrest (min)",
        description="Minutes (frames, where the interval is not known) from which mitosis counts as arrested; empty: "
        "three times the median duration.",
    )
    min_frames: int = Field(
        1, ge=1, le=1000, description="Shorter phases between two of one class are taken for mistakes."
    )
    infer_divisions: bool = Field(
        True,
        description="Find divisions that the tracker did not link: two tracks begin where another one has just ended.",
    )
    resamples: int = Field(500, ge=50, le=100_000, description="Resamples for the bands.")
    seed: int = Field(0, ge=0, description="Seed of the resampling.")
