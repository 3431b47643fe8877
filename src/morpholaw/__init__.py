"""Morpholaw finds readable laws that classify cells in tracked live-cell movies.

Names are imported on first use, so that ``import morpholaw`` loads neither torch nor Qt.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

__version__ = "0.1.0"

_HOME = {
    "Study": "morpholaw.study",
    "Law": "morpholaw.models.law",
    "InputError": "morpholaw.errors",
    "CropConfig": "morpholaw.config",
    "ImportConfig": "morpholaw.config",
    "SimulateConfig": "morpholaw.config",
    "EncoderConfig": "morpholaw.config",
    "ClassifierConfig": "morpholaw.config",
    "TuneConfig": "morpholaw.config",
    "LawConfig": "morpholaw.config",
    "AttackConfig": "morpholaw.config",
    "TimelineConfig": "morpholaw.config",
    "inspect_inputs": "morpholaw.cells.inspection",
    "open_movie": "morpholaw.cells.movies",
    "read_tracks": "morpholaw.cells.tracks",
}

__all__ = ["__version__", *_HOME]


def __getattr__(name: str) -> Any:
    if name in _HOME:
        return getattr(import_module(_HOME[name]), name)
    raise AttributeError(f"module 'morpholaw' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
