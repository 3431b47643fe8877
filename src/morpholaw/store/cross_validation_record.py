"""The settings of a cross-validation, which tell the results that a study keeps apart."""

from __future__ import annotations

import json
from hashlib import sha256
from typing import Any, ClassVar

from pydantic import Field

from morpholaw.config import ClassifierConfig, LawConfig
from morpholaw.config.step import StepConfig
from morpholaw.display import counted, scheme_title
from morpholaw.store.record import Record

ELSEWHERE = {"classes", "inputs", "keep", "loss"}
"""Settings that the record has as values of its own."""
NO_INFLUENCE = {"device", "threads", "processes", "test_fraction"}
"""Settings on which the results of a cross-validation do not depend."""


class CrossValidationRecord(Record):
    """What was cross-validated, and how.

    Attributes
    ----------
    scheme : int
        1 to 4.
    loss : str
        Loss of the laws; "" for schemes 1 to 3.
    inputs, keep : str
        Inputs of the scheme, and the latents that it may use, as in :class:`morpholaw.ClassifierConfig`.
    classes : tuple of str
        The classes that are told apart.
    folds, repeats, trials, shuffled, prevalence
        As in :class:`morpholaw.evaluation.cross_validation.Design`.
    settings, law : dict
        Settings of the networks and of the search for laws that differ from the defaults, by name.
    """

    WHAT: ClassVar[str] = "cross-validation"
    REMEDY: ClassVar[str] = "cross-validate again"

    scheme: int = Field(ge=1, le=4)
    loss: str = ""
    inputs: str = "latents"
    keep: str = "all"
    classes: tuple[str, ...]
    folds: int
    repeats: int = 1
    trials: int = 0
    shuffled: bool = False
    prevalence: float
    settings: dict[str, Any] = Field(default_factory=dict)
    law: dict[str, Any] = Field(default_factory=dict)

    @property
    def digest(self) -> str:
        """Twelve hexadecimal digits that differ between cross-validations with different settings."""
        return sha256(json.dumps(self.to_json(), sort_keys=True).encode()).hexdigest()[:12]

    @property
    def stem(self) -> str:
        """Start of the name of the results, such as "scheme3-shapes-tuned"."""
        parts = (
            f"scheme{self.scheme}",
            self.loss,
            "" if self.inputs == "latents" else self.inputs,
            "" if self.keep == "all" else self.keep,
            "tuned" if self.trials else "",
            "shuffled" if self.shuffled else "",
        )
        return "-".join(part for part in parts if part)

    @property
    def title(self) -> str:
        """The scheme and its inputs, such as "scheme 3: sparse head, shapes"."""
        inputs = {"latents": "", "both": "latents and shapes"}.get(self.inputs, self.inputs)
        keep = "" if self.keep == "all" else self.keep
        return ", ".join(part for part in (scheme_title(self.scheme, self.loss), inputs, keep) if part)

    @property
    def design_in_words(self) -> str:
        """The folds and the settings that differ from the defaults, separated by commas."""
        parts = [
            counted(self.folds, "fold"),
            counted(self.repeats, "repeat") if self.repeats > 1 else "",
            f"tuned in {counted(self.trials, 'trial')}" if self.trials else "",
            "shuffled labels" if self.shuffled else "",
            *_in_words(ClassifierConfig, self.settings),
            *_in_words(LawConfig, self.law),
        ]
        return ", ".join(part for part in parts if part)


def changed_settings(config: StepConfig, usual: StepConfig, names: frozenset[str]) -> dict[str, Any]:
    """Return the settings of a step, among ``names``, that change a cross-validation and differ from the ``usual``."""
    values, defaults = (one.model_dump(mode="json") for one in (config, usual))
    relevant = names - ELSEWHERE - NO_INFLUENCE
    return {name: value for name, value in values.items() if name in relevant and value != defaults[name]}


def _in_words(kind: type[StepConfig], settings: dict[str, Any]) -> list[str]:
    """Return each setting with its label and value: "share of zero weights 0.8"."""
    words = []
    for name, value in settings.items():
        field = kind.model_fields.get(name)
        label = (field.title if field is not None else None) or name.replace("_", " ")
        label = label if label[:2].isupper() else label[:1].lower() + label[1:]
        if isinstance(value, bool):
            value = "on" if value else "off"
        elif isinstance(value, list):
            value = " ".join(map(str, value))
        words.append(f"{label} {value}")
    return words
