"""The background of the panels, which depends on napari's theme."""

from __future__ import annotations

from typing import TYPE_CHECKING

from napari.utils.theme import get_theme

if TYPE_CHECKING:
    from napari.components import ViewerModel


def is_dark(viewer: ViewerModel) -> bool:
    """Return whether the theme of a viewer is dark; the theme "system" is resolved."""
    return bool(get_theme(str(viewer.theme)).type == "dark")


def background_colour(viewer: ViewerModel) -> str:
    """Return the background colour of the panels of a viewer, "#rrggbb"."""
    red, green, blue = get_theme(str(viewer.theme)).background.as_rgb_tuple(alpha=False)
    return f"#{red:02x}{green:02x}{blue:02x}"
