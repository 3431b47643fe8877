"""``search/best.json``: the best settings of scheme 3 from its tuning."""

from __future__ import annotations

from typing import Annotated, ClassVar

from pydantic import Field

from morpholaw.config import TuneConfig
from morpholaw.store.provenance import ResultRecord
from morpholaw.store.record import known_settings


class TunedRecord(ResultRecord):
    """The best trial of the tuning of scheme 3.

    Attributes
    ----------
    objective : float
        Validation accuracy of the trial, in [0, 1].
    sparsity, update_every, update_fraction
        The settings, as in :class:`morpholaw.ClassifierConfig`.
    split : str
        Fingerprint of the test groups, which were not used.
    config : TuneConfig, optional
        Settings of the tuning.
    """

    WHAT: ClassVar[str] = "search for settings"
    REMEDY: ClassVar[str] = "tune again"

    objective: float
    sparsity: float = Field(ge=0, lt=1)
    update_every: int = Field(ge=1)
    update_fraction: float = Field(ge=0, le=1)
    split: str = ""
    config: Annotated[TuneConfig | None, known_settings(TuneConfig)] = None

    @property
    def settings(self) -> dict[str, float]:
        """The settings with which scheme 3 is trained, by name."""
        return {
            "sparsity": self.sparsity,
            "update_every": self.update_every,
            "update_fraction": self.update_fraction,
        }
