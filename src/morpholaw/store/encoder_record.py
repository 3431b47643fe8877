"""``encoder/model.json``: how a study's encoder was trained, and whose labels it has seen."""

from __future__ import annotations

from typing import Annotated, ClassVar

from pydantic import Field

from morpholaw.config import EncoderConfig
from morpholaw.store.bundle_record import BundleRecord, EncoderLayout
from morpholaw.store.record import Number, Part, known_settings

History = dict[str, tuple[Number, ...]]
"""Step numbers under "step", and each term of the loss at these steps under its name."""


class TaskRecord(Part):
    """The labels that an encoder learnt from under the joint objective (paper, section 8).

    Attributes
    ----------
    weight : float
        Weight of the cross-entropy; 0 where the labels were seen by the encoder that training started from.
    classes : tuple of str
        Classes that it told apart.
    training_cells : dict
        Class to the number of its cells.
    crops : dict
        Name of a crop set to the numbers of its crops that were used.
    train_groups, test_groups : tuple of str
        Groups whose labels were seen, and those held out.
    split : str
        Fingerprint of the test groups.
    """

    weight: float = 0.0
    classes: tuple[str, ...] = ()
    training_cells: dict[str, int] = Field(default_factory=dict)
    crops: dict[str, tuple[int, ...]] = Field(default_factory=dict)
    train_groups: tuple[str, ...]
    test_groups: tuple[str, ...]
    split: str = ""


class EncoderRecord(BundleRecord):
    """A trained beta-TCVAE.

    Attributes
    ----------
    settings : EncoderLayout
        Shape of the network.
    config : EncoderConfig, optional
        Settings of the training.
    history : dict
        The course of the losses; empty where it was left out.
    complete : bool
        Whether the training reached its end.
    crops : int, optional
        Crops that it was trained on.
    test_split : str
        Fingerprint of the test groups whose crops were left out; "" where it has learnt from all.
    task : TaskRecord, optional
        Labels that it has seen.
    pixel_size : float, optional
        Micrometres per pixel of the crops that it was trained on.
    """

    WHAT: ClassVar[str] = "encoder"
    KIND: ClassVar[str] = "encoder"
    REMEDY: ClassVar[str] = "train or load the encoder again"

    settings: EncoderLayout
    config: Annotated[EncoderConfig | None, known_settings(EncoderConfig)] = None
    history: History = Field(default_factory=dict)
    complete: bool = True
    crops: int | None = None
    test_split: str = ""
    task: TaskRecord | None = None
    pixel_size: float | None = None

    @property
    def symmetric(self) -> bool:
        """Whether each latent was trained to keep to one kind of symmetry under rotations and flips."""
        return self.config is not None and self.config.symmetry

    @property
    def last_step(self) -> int | None:
        """The last step in the history; None where there is no history."""
        steps = self.history.get("step")
        return int(steps[-1]) if steps else None


class EncoderCheckpointRecord(BundleRecord):
    """``encoder/checkpoint/model.json``: where a training can be resumed.

    Attributes
    ----------
    step : int
        Steps that were made.
    config : EncoderConfig
        Settings of the training.
    """

    WHAT: ClassVar[str] = "checkpoint"
    KIND: ClassVar[str] = "encoder checkpoint"
    REMEDY: ClassVar[str] = "train without resuming"

    step: int
    config: Annotated[EncoderConfig, known_settings(EncoderConfig)]
