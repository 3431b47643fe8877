"""The Network panel with heads that read measured shapes, alone or with latents: each input is what the head reads."""

from __future__ import annotations

import numpy as np
import pytest
from qtpy.QtCore import Qt

from morpholaw.cells.shape_features import choose_features
from morpholaw.models.features import ModelColumns
from morpholaw.study import Study

SHAPES = ("width", "axis_ratio")
PAIR = ("interphase", "metaphase")
EDGES = {(0, 1, 0): 1.5, (0, 2, 0): -2.0, (0, 3, 1): 0.5, (1, 0, 0): 1.0, (1, 1, 0): -0.5}


@pytest.fixture
def keep_head(connect):
    """Keeps a head by hand with one hidden layer of two neurons over some latents, then shapes."""

    def keep(study: Study, latents: tuple[int, ...], classes: tuple[str, ...], edges: dict) -> ModelColumns:
        from morpholaw.models.classifier import Classifier
        from morpholaw.models.heads import HeadEnsemble

        columns = ModelColumns.fitted(choose_features(SHAPES), study.shapes(), latents)
        outputs = 1 if len(classes) == 2 else len(classes)
        head = HeadEnsemble(1, len(columns.names), (2,), outputs, seeds=[0])
        connect(head, edges)
        encoder = study.encoder if latents else None
        classifier = Classifier.with_head(encoder, head, classes, sparse=True, columns=columns)
        study.add_classifier(classifier, "scheme3")
        return columns

    return keep


def response_of(panel, qtbot, neuron):
    """Click a neuron and return the slice that is drawn."""
    before = panel.response.shown
    point = panel.view.mapFromScene(panel.scene.neurons[neuron].pos())
    qtbot.mouseClick(panel.view.viewport(), Qt.MouseButton.LeftButton, pos=point)
    qtbot.waitUntil(
        lambda: panel.response.shown is not None and panel.response.shown is not before, timeout=60_000
    )
    qtbot.waitUntil(lambda: panel.response.figure.canvas is not None, timeout=60_000)
    return panel.response.shown


def test_latents_and_shapes_are_called_and_drawn_as_what_they_are(panel, qtbot, trained_study, keep_head):
    study = Study.open(trained_study)
    columns = keep_head(study, (2, 5), PAIR, EDGES)  # inputs: z2, z5, width, axis_ratio
    study.name_latent(5, "size")
    study.name_latent(1, "nothing that is read")
    panel.current.open(trained_study)
    assert panel.scene.edges[(0, 1, 0)].toolTip().startswith("From size to neuron 1.1")
    assert panel.scene.edges[(0, 2, 0)].toolTip().startswith("From width to neuron 1.1")
    assert panel.survival.text().endswith("Of 1 model, 1 reads size (z5), width, axis_ratio.")

    shown = response_of(panel, qtbot, (1, 0))
    assert (panel.response.x_box.currentText(), panel.response.y_box.currentText()) == (
        "size (z5)",
        "width (px)",
    )
    z = np.zeros((1, 4))
    z[0, [1, 2]] = shown.axis[[10, 30]]
    hidden = z @ panel.network.weights[0][:, 0] + panel.network.biases[0][0]
    assert shown.values[30, 10] == pytest.approx((hidden * np.tanh(np.logaddexp(0, hidden)))[0])
    assert shown.pictures_x.shape == (5, 64, 64)  # cells along the latent
    assert shown.pictures_y is None  # a width alone is no cell
    axes = panel.response.figure.canvas.figure.axes[0]
    assert axes.get_xlim() == pytest.approx((-3, 3), abs=0.1)
    mean, deviation = columns.centre[2], columns.scale[2]
    limits = (max(mean - 3 * deviation, 0), mean + 3 * deviation)  # no cell has a width below 0
    assert axes.get_ylim() == pytest.approx(limits, abs=0.1 * deviation)


def test_an_input_that_is_held_is_set_in_its_unit(panel, qtbot, trained_study, keep_head):
    columns = keep_head(Study.open(trained_study), (2, 5), PAIR, EDGES)
    panel.current.open(trained_study)
    response_of(panel, qtbot, (2, 0))
    slider = panel.response.sliders[3]
    assert slider.value() == pytest.approx(columns.centre[3], abs=0.01)
    slider.setValue(columns.centre[3] + columns.scale[3])
    assert panel.response.base[3] == pytest.approx(1, abs=0.01 / columns.scale[3])
    qtbot.mouseClick(panel.response.centre, Qt.MouseButton.LeftButton)
    assert slider.value() == pytest.approx(columns.centre[3], abs=0.01)
    assert panel.response.base[3] == 0


@pytest.mark.parametrize("classes", [PAIR, (*PAIR, "anaphase")])
def test_shapes_alone_need_no_encoder(panel, qtbot, labelled_study, classes, keep_head):
    study = Study.open(labelled_study)
    interphase = np.flatnonzero(study.labels == "interphase")[::2]
    if len(classes) > 2:
        study.annotations.set_labels({("simulated", int(cell)): "anaphase" for cell in interphase})
    last = len(classes) - 2 if len(classes) > 2 else 0
    keep_head(study, (), classes, {(0, 0, 0): 1.5, (0, 1, 1): -2.0, (1, 0, 0): 1.0, (1, 1, last): -0.5})
    panel.current.open(labelled_study)
    assert panel.scene.edges[(0, 1, 1)].toolTip().startswith("From axis_ratio to neuron 1.2")
    shown = response_of(panel, qtbot, (1, 0))
    assert (shown.x, shown.y, shown.pictures_x) == (0, None, None)
    assert panel.response.x_box.currentText() == "width (px)"
    shown = response_of(panel, qtbot, (2, last))
    middle = np.zeros((1, 2))
    if len(classes) > 2:
        assert panel.response.x_box.currentText() == "axis_ratio"
        assert shown.values[24] == pytest.approx(panel.network.score(middle)[0, last])
    else:
        assert shown.values[24, 24] == pytest.approx(panel.network.score(middle)[0])


def test_weights_for_other_inputs_than_the_record_names_are_refused(panel, trained_study, keep_head):
    from morpholaw.store import classifiers

    study = Study.open(trained_study)
    keep_head(study, (2, 5), PAIR, EDGES)
    record = classifiers.record(study, "scheme3")
    fewer = ModelColumns.fitted(choose_features(SHAPES), study.shapes(), (2,))
    record.model_copy(update={"columns": fewer}).write(
        trained_study / "classifiers" / "scheme3" / "model.json"
    )
    panel.current.open(trained_study)
    assert "train scheme 3 again" in panel.error_line.text()
