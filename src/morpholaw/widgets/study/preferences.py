"""The settings on the plugin's page in napari's preferences."""

from __future__ import annotations

from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Preferences:
    """Where to compute, and where studies are kept.

    Attributes
    ----------
    device : str
        "auto", "cpu", "cuda" or "mps": what the forms begin with.
    study_folder : str
        The folder that the file dialogs start in.
    cache_folder : str
        Where sample studies are copied to.
    """

    device: str = "auto"
    study_folder: str = str(Path.home())
    cache_folder: str = str(Path.home() / ".cache" / "morpholaw")


def preferences() -> Preferences:
    """Return the user's preferences; the defaults where none are set or napari is too old to ask."""
    try:
        from napari.settings import get_plugin_settings

        page: Any = get_plugin_settings("napari-morpholaw").morpholaw
    except (ImportError, KeyError, AttributeError):
        return Preferences()
    chosen = {field.name: getattr(page, field.name, "") for field in fields(Preferences)}
    return Preferences(**{name: str(value) for name, value in chosen.items() if value})
