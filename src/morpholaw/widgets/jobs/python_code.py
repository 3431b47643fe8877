"""Python code that does what a panel does, for a script, a notebook or napari's console."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from morpholaw.jobs import Job

_RESULTS = {
    "crop": "crops",
    "import_crops": "crops",
    "train_encoder": "record",
    "train_classifier": "record",
    "cross_validate": "folds",
    "tune": "record",
    "laws": "laws",
    "discover_law": "law",
    "improve_law": "law",
    "law_stability": "stability",
    "classify": "scores",
    "compare": "agreement",
    "timeline": "timeline",
    "condition_study": "conditions",
    "attack": "accuracy",
    "attack_pairs": "pairs",
    "interventions": "changes",
}
"""Variable names for the return values of methods of a study; methods that return nothing are not listed."""


@dataclass(frozen=True)
class Expression:
    """Python source that is inserted into the code without quotes."""

    text: str


def job_code(job: Job) -> str:
    """Return the code that runs a job."""
    return step_code(job.study, job.step, {**job.arguments, **job.config})


def step_code(study: Path | str, step: str, arguments: Mapping[str, Any], before: str = "") -> str:
    """Return the code that calls a method of a study and stores what it returns.

    Parameters
    ----------
    study : path
        Folder of the study.
    step : str
        Name of the method.
    arguments : mapping
        Keyword arguments: plain values, or :class:`Expression`.
    before : str
        Code that defines the names used in expressions.
    """
    call = ", ".join(f"{name}={literal(value)}" for name, value in arguments.items())
    result = f"{_RESULTS[step]} = " if step in _RESULTS else ""
    return f"import morpholaw as ml\n{before}\nstudy = ml.Study({literal(study)})\n{result}study.{step}({call})\n"


def literal(value: Any) -> str:
    """Return a value as Python source."""
    if isinstance(value, Expression):
        return value.text
    if isinstance(value, float) and not math.isfinite(value):
        return f"float({str(value)!r})"
    if isinstance(value, Path):
        return repr(str(value))
    if isinstance(value, dict):
        return "{" + ", ".join(f"{literal(key)}: {literal(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(literal(item) for item in value) + "]"
    if isinstance(value, tuple):
        return "(" + "".join(f"{literal(item)}, " for item in value) + ")"
    return repr(value)
