"""What the panels say can be read in both of napari's themes (WCAG 2.1 AA: 4.5 to 1)."""

from __future__ import annotations

from importlib import import_module

import numpy as np
import pytest
from qtpy.QtGui import QImage
from qtpy.QtWidgets import QAbstractButton, QComboBox, QLabel, QLineEdit, QVBoxLayout, QWidget

from morpholaw.config import CropConfig
from morpholaw.widgets.classify.panel import ClassifyWidget
from morpholaw.widgets.forms.config_form import ConfigForm
from morpholaw.widgets.forms.error_line import ErrorLine, FieldError
from morpholaw.widgets.forms.tabs_and_sections import Section
from morpholaw.widgets.study.current_study import CurrentStudy
from morpholaw.widgets.window_latency import PANELS


def luminance(colours: np.ndarray) -> np.ndarray:
    """Relative luminance of colours, uint8 (n, 3)."""
    share = colours / 255
    linear = np.where(share <= 0.04045, share / 12.92, ((share + 0.055) / 1.055) ** 2.4)
    return linear @ [0.2126, 0.7152, 0.0722]


def contrast(widget: QWidget) -> float:
    """Contrast of a widget's text: the most frequent colour against the one farthest from it."""
    image = widget.grab().toImage().convertToFormat(QImage.Format.Format_RGBA8888)
    bits = image.constBits()
    if hasattr(bits, "setsize"):  # PyQt's pointer does not know how far it reaches
        bits.setsize(image.sizeInBytes())
    lines = np.frombuffer(bits, np.uint8).reshape(image.height(), image.bytesPerLine())
    pixels, counts = np.unique(lines[:, : 4 * image.width()].copy().view(np.uint32), return_counts=True)
    values = pixels.view(np.uint8).reshape(-1, 4)[:, :3]
    background, all_light = luminance(values[[counts.argmax()]])[0], luminance(values)
    ratios = (np.maximum(all_light, background) + 0.05) / (np.minimum(all_light, background) + 0.05)
    return float(ratios.max())


def texts(panel: QWidget) -> dict[str, QWidget]:
    """The parts of a panel that show text now; what is switched off is exempt (WCAG 1.4.3)."""
    shown = {}
    for widget in panel.findChildren(QWidget):
        text = ""
        if isinstance(widget, (QLabel, QAbstractButton)):
            text = widget.text()
        elif isinstance(widget, QLineEdit):
            text = widget.text() or widget.placeholderText()
        elif isinstance(widget, QComboBox):
            text = widget.currentText()
        if text.strip() and widget.isVisible() and widget.isEnabled() and widget.width() > 8:
            shown[f"{type(widget).__name__} {text[:40]!r}"] = widget
    return shown


@pytest.mark.parametrize("theme", ["dark", "light"])
@pytest.mark.parametrize("full", [False, True], ids=["empty", "full"])
def test_all_that_a_panel_says_can_be_read(make_napari_viewer, qtbot, theme, full, trained_study_folder):
    viewer = make_napari_viewer(show=True)
    viewer.theme = theme
    if full:
        CurrentStudy.of(viewer).open(trained_study_folder)
    faint = {}
    for name in PANELS:
        kind = getattr(import_module(f"morpholaw.widgets.{name.lower()}.panel"), f"{name}Widget")
        panel = kind(viewer)
        dock = viewer.window.add_dock_widget(panel, name=name)
        qtbot.wait(50)
        found = {what: round(contrast(widget), 1) for what, widget in texts(panel).items()}
        assert found, name
        faint |= {f"{name}: {what}": ratio for what, ratio in found.items() if ratio < 4.5}
        viewer.window.remove_dock_widget(dock)
        panel.deleteLater()
    assert faint == {}


def test_a_hint_that_comes_after_the_panel_can_be_read_in_either_theme(make_napari_viewer, qtbot):
    viewer = make_napari_viewer(show=True)
    panel = ClassifyWidget(viewer)
    viewer.window.add_dock_widget(panel)
    line = panel.form.editors["classes"].native
    for theme in ("dark", "light"):
        viewer.theme = theme
        line.setPlaceholderText("interphase, metaphase (all: 4 classes)")  # as when a study is opened
        qtbot.wait(100)
        assert contrast(line) >= 4.5, theme


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
