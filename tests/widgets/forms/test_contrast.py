"""What the panels say can be read in both of napari's themes (WCAG 2.1 AA: 4.5 to 1)."""

from __future__ import annotations

import numpy as np
import pytest
from qtpy.QtWidgets import QVBoxLayout, QWidget

from morpholaw.config import CropConfig
from morpholaw.widgets.forms.config_form import ConfigForm
from morpholaw.widgets.forms.error_line import ErrorLine, FieldError
from morpholaw.widgets.forms.section import Section


def luminance(colours: np.ndarray) -> np.ndarray:
    """Relative luminance of colours, uint8 (n, 3)."""
    share = colours / 255
    linear = np.where(share <= 0.04045, share / 12.92, ((share + 0.055) / 1.055) ** 2.4)
    return linear @ [0.2126, 0.7152, 0.0722]


def contrast(widget: QWidget) -> float:
    """Contrast of a widget's text: the most frequent colour against the one farthest from it."""
    image = widget.grab().toImage()
    colours = [image.pixelColor(x, y) for x in range(image.width()) for y in range(image.height())]
    pixels = np.array([(c.red(), c.green(), c.blue()) for c in colours], np.uint8)
    values, counts = np.unique(pixels, axis=0, return_counts=True)
    ground, all_light = luminance(values[[counts.argmax()]])[0], luminance(values)
    ratios = (np.maximum(all_light, ground) + 0.05) / (np.minimum(all_light, ground) + 0.05)
    return float(ratios.max())


@pytest.mark.parametrize("theme", ["dark", "light"])
def test_errors_and_titles_of_sections_stand_out(make_napari_viewer, qtbot, theme):
    viewer = make_napari_viewer()
    viewer.theme = theme
    panel = QWidget()
    layout = QVBoxLayout(panel)
    texts = {
        "error": ErrorLine(),
        "field": FieldError(),
        "closed": Section("Advanced"),
        "open": Section("More"),
    }
    form = ConfigForm(CropConfig)
    for part in (*texts.values(), form):
        layout.addWidget(part)
    viewer.window.add_dock_widget(panel)
    texts["error"].say("No study is open.", notify=False)
    texts["field"].say("The size must be a multiple of 16.")
    texts["open"].expand()
    qtbot.wait(100)
    shown = {name: part.button if isinstance(part, Section) else part for name, part in texts.items()}
    shown["label"] = form.layout().itemAt(0).widget().layout().itemAt(0).widget()
    ratios = {name: round(contrast(widget), 1) for name, widget in shown.items()}
    assert min(ratios.values()) >= 4.5, ratios
