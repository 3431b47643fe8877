"""The settings of the plugin in napari's preferences."""

from __future__ import annotations

from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Preferences:
    """The user's preferences.

    Attributes
    ----------
    device : {"auto", "cpu", "cuda", "mps"}
        Initial device in the forms.
    study_folder : str
        Folder in which the dialogs for studies start.
    cache_folder : str
        Folder for copies of the sample studies.
    """

    device: str = "auto"
    study_folder: str = str(Path.home())
    cache_folder: str = str(Path.home() / ".cache" / "morpholaw")


def preferences() -> Preferences:
    """Return the user's preferences; defaults if none are set or napari has no plugin settings."""
    try:
        from napari.settings import get_plugin_settings

        page: Any = get_plugin_settings("napari-morpholaw").morpholaw
    except (ImportError, KeyError, AttributeError):
        return Preferences()
    chosen = {field.name: getattr(page, field.name, "") for field in fields(Preferences)}
    return Preferences(**{name: str(value) for name, value in chosen.items() if value})
