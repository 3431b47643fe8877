"""``python tour_without_torch.py STUDY``: open what computes, and all its tabs, in a window that lacks torch."""

from __future__ import annotations

import os
import sys
import time
from importlib import import_module

import napari
import numpy as np
from qtpy.QtWidgets import QApplication, QLabel, QTabWidget

from morpholaw.widgets.jobs.latest_call import LatestCall
from morpholaw.widgets.pictures.figure_panel import FigurePanel
from morpholaw.widgets.study.current_study import CurrentStudy

PANELS = ("Laws", "Latents", "Perturb", "Network", "Map", "Classify")
FAILED = ("could not be computed", "torch")


def settle(widget, seconds: float = 120) -> None:
    """Wait until all that the panel computes is there."""
    begun, quiet = time.monotonic(), 0
    while quiet < 20:
        QApplication.processEvents()
        time.sleep(0.01)
        busy = any(call.running for call in widget.findChildren(LatestCall))
        busy = busy or any(
            picture.pending for picture in widget.findChildren(FigurePanel) if picture.isVisible()
        )
        quiet = 0 if busy else quiet + 1
        if time.monotonic() - begun > seconds:
            sys.exit("The panel is still busy.")


def main(study: str) -> None:
    """Select two cells, open each panel, and go through its tabs."""
    sys.modules["torch"] = None  # type: ignore[assignment]  # whatever imports it from now on fails
    viewer = napari.Viewer()
    current = CurrentStudy.of(viewer)
    opened = current.open(study)
    current.select([int(np.flatnonzero(opened.labels == one)[0]) for one in opened.classes])
    for name in PANELS:
        panel = getattr(import_module(f"morpholaw.widgets.{name.lower()}.panel"), f"{name}Widget")(viewer)
        dock = viewer.window.add_dock_widget(panel, area="right")
        settle(panel)
        for tabs in panel.findChildren(QTabWidget):
            for place in range(tabs.count()):
                tabs.setCurrentIndex(place)
                settle(panel)
                said = [label.text() for label in tabs.findChildren(QLabel) if label.isVisible()]
                if wrong := [text for text in said if any(word in text for word in FAILED)]:
                    sys.exit(f"{name} > {tabs.tabText(place)}: {wrong}")
        viewer.window.remove_dock_widget(dock)
    current.steps.end_all()
    current.live.close()
    os._exit(0)


if __name__ == "__main__":
    main(sys.argv[1])
