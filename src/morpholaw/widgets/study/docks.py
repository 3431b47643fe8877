"""Docks of the panels, and a function that opens a panel without napari's menu."""

from __future__ import annotations

from typing import TYPE_CHECKING

from npe2 import PluginManager
from qtpy.QtCore import QObject
from qtpy.QtWidgets import QDockWidget, QWidget

if TYPE_CHECKING:
    from napari import Viewer

PLUGIN = "napari-morpholaw"
SUFFIX = " (Morpholaw)"
"""Suffix that napari's menu adds to the name of a panel in the name of its dock."""


def dock_of(widget: QWidget) -> QDockWidget | None:
    """Return the dock that contains a widget; None if there is none."""
    place: QObject | None = widget.parent()
    while place is not None and not isinstance(place, QDockWidget):
        place = place.parent()
    return place


def open_panel(viewer: Viewer, name: str) -> None:
    """Open a panel as napari's menu does, or bring it to the front if it is already open.

    Parameters
    ----------
    viewer : napari.Viewer
        The viewer.
    name : str
        Name of the panel in the menu, such as "Laws".
    """
    panel = viewer.window.dock_widgets.get(f"{name}{SUFFIX}")
    if panel is None:
        offered = PluginManager.instance().get_manifest(PLUGIN).contributions.widgets or []
        contribution = next(widget for widget in offered if widget.display_name == name)
        panel = contribution.get_callable()(napari_viewer=viewer)
        viewer.window.add_dock_widget(panel, name=f"{name}{SUFFIX}", tabify=True)
    dock = dock_of(panel)
    if dock is not None:
        dock.show()
        dock.raise_()
