"""``encoder/model.json``: settings, losses and training data of a study's encoder."""

from __future__ import annotations

from typing import Annotated, ClassVar

from pydantic import Field

from morpholaw.config import EncoderConfig
from morpholaw.store.bundle_record import BundleRecord, EncoderLayout
from morpholaw.store.record import Number, Part, known_settings

History = dict[str, tuple[Number, ...]]
"""Recorded steps ("step"), and the values of each term of the loss at these steps."""


class TaskRecord(Part):
    """Labels that were used to train an encoder with the joint objective (paper, section 8).

    Attributes
    ----------
    weight : float
        Weight of the cross-entropy; 0 if only the initial encoder was trained with labels.
    classes : tuple of str
        Classes of the joint objective.
    training_cells : dict
        Number of training cells of each class.
    crops : dict
        Numbers of the crops that were used, by the name of their crop set.
    train_groups, test_groups : tuple of str
        Groups whose labels were used, and groups that were held out.
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
    """Record of a trained beta-TCVAE.

    Attributes
    ----------
    settings : EncoderLayout
        Layout of the network.
    config : EncoderConfig, optional
        Settings of the training.
    history : dict
        Recorded losses; empty if they were not stored.
    complete : bool
        Whether the training was completed.
    crops : int, optional
        Number of crops in the training set.
    test_split : str
        Fingerprint of the test groups whose crops were left out; "" if none were.
    task : TaskRecord, optional
        Labels that were used in the training.
    pixel_size : float, optional
        Micrometres per pixel of the training crops.
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
        """Whether each latent was constrained to one kind of symmetry under rotations and flips."""
        return self.config is not None and self.config.symmetry

    @property
    def last_step(self) -> int | None:
        """Last recorded step; None without recorded losses."""
        steps = self.history.get("step")
        return int(steps[-1]) if steps else None


class EncoderCheckpointRecord(BundleRecord):
    """``encoder/checkpoint/model.json``: checkpoint from which a training can be resumed.

    Attributes
    ----------
    step : int
        Number of completed steps.
    config : EncoderConfig
        Settings of the training.
    """

    WHAT: ClassVar[str] = "checkpoint"
    KIND: ClassVar[str] = "encoder checkpoint"
    REMEDY: ClassVar[str] = "train without resuming"

    step: int
    config: Annotated[EncoderConfig, known_settings(EncoderConfig)]
