"""Before a study is open, each panel says so and what to do, and never that the study lacks something."""

from __future__ import annotations

from importlib import import_module

import pytest
from napari.components import ViewerModel
from qtpy.QtWidgets import QComboBox, QLabel, QWidget

from morpholaw.widgets.study.cell_scorer import TRAIN_FIRST
from morpholaw.widgets.study.current_study import NO_STUDY
from morpholaw.widgets.window_latency import PANELS


@pytest.fixture(params=PANELS)
def panel(request, qtbot) -> QWidget:
    module = import_module(f"morpholaw.widgets.{request.param.lower()}.panel")
    panel = getattr(module, f"{request.param}Widget")(ViewerModel())
    qtbot.addWidget(panel)
    panel.show()
    return panel


def said(panel: QWidget) -> list[str]:
    """The sentences of a panel's labels, and those that are painted where nothing is drawn yet."""
    parts = panel.findChildren(QWidget)
    labels = [label.text() for label in parts if isinstance(label, QLabel) and label.isVisible()]
    return labels + [part.sentence for part in parts if isinstance(getattr(part, "sentence", None), str)]


def test_a_panel_says_that_no_study_is_open(panel):
    assert NO_STUDY in said(panel)
    assert not any("study has no" in sentence for sentence in said(panel))


def test_no_choice_is_blank(panel):
    boxes = [box for box in panel.findChildren(QComboBox) if box.isVisible() and box.isEnabled()]
    assert [box.toolTip() for box in boxes if not box.currentText()] == []


@pytest.mark.parametrize("name", ["Timeline", "Perturb"])
def test_without_a_classifier_a_panel_that_needs_one_says_so(name, qtbot, labelled_study_folder):
    module = import_module(f"morpholaw.widgets.{name.lower()}.panel")
    panel = getattr(module, f"{name}Widget")(ViewerModel())
    qtbot.addWidget(panel)
    panel.show()
    panel.current.open(labelled_study_folder)
    assert TRAIN_FIRST in said(panel)
    assert not any(sentence.startswith(("Press Make", "The accuracy of each")) for sentence in said(panel))
