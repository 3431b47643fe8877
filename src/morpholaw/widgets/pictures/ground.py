"""What pictures and colours lie on: the background that napari's theme gives to panels."""

from __future__ import annotations

from typing import TYPE_CHECKING

from napari.utils.theme import get_theme

if TYPE_CHECKING:
    from napari.components import ViewerModel


def is_dark(viewer: ViewerModel) -> bool:
    """Return whether a viewer's theme is a dark one; that of the system is looked up."""
    return bool(get_theme(str(viewer.theme)).type == "dark")


def ground(viewer: ViewerModel) -> str:
    """Return the colour "#rrggbb" behind the panels of a viewer."""
    red, green, blue = get_theme(str(viewer.theme)).background.as_rgb_tuple(alpha=False)
    return f"#{red:02x}{green:02x}{blue:02x}"
