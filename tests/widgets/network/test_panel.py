"""The Network panel: what is drawn is the head that was trained, and it answers to the mouse."""

from __future__ import annotations

import shutil
from itertools import combinations

import numpy as np
import pytest
from qtpy.QtCore import QPoint, Qt
from qtpy.QtWidgets import QGraphicsSimpleTextItem

from morpholaw.figures.palette import colours_on
from morpholaw.interpretation.subnetworks import SparseNetwork
from morpholaw.store import classifiers
from morpholaw.store.sparse_networks import sparse_networks
from morpholaw.study import Study
from morpholaw.widgets.network.network_scene import NetworkScene, places, through
from morpholaw.widgets.network.panel import CLICK, HOVER, NetworkWidget
from morpholaw.widgets.study.current_study import NO_STUDY


@pytest.fixture
def sparse_study(trained_study, connect):
    """The trained study with two heads by hand: model 1 reads z0 and z3, model 2 reads z3 alone."""
    from morpholaw.models.classifier import Classifier
    from morpholaw.models.heads import HeadEnsemble

    study = Study.open(trained_study)
    head = HeadEnsemble(2, study.encoder.latents, (4, 3), seeds=[0, 1])
    connections = [
        {(0, 0, 0): 1.5, (0, 3, 1): -2.0, (1, 0, 0): 0.5, (1, 1, 0): 0.25, (1, 1, 2): 1.0, (2, 0, 0): -1.0,
         (2, 2, 0): 3.0},
        {(0, 3, 2): 1.0, (1, 2, 1): 1.0, (2, 1, 0): 1.0},
    ]  # fmt: skip
    connect(head, *connections)
    classifier = Classifier.with_head(study.encoder, head, ("interphase", "metaphase"), sparse=True)
    study.add_classifier(classifier, "scheme3")
    return trained_study


def click(panel, qtbot, neuron) -> None:
    point = panel.view.mapFromScene(panel.scene.neurons[neuron].pos())
    qtbot.mouseClick(panel.view.viewport(), Qt.MouseButton.LeftButton, pos=point)


def lit(panel) -> set:
    return {edge for edge, line in panel.scene.edges.items() if line.pen() == line._lit}


def test_what_is_read_without_torch_is_what_torch_computes(sparse_study):
    import torch

    study = Study.open(sparse_study)
    z = np.random.default_rng(0).normal(size=(20, study.encoder.latents)).astype(np.float32)
    scores = study.classifier(3).score_latents(torch.from_numpy(z)).detach().numpy()
    record = classifiers.record(study, "scheme3")
    for network, expected in zip(sparse_networks(study, record), scores, strict=True):
        np.testing.assert_allclose(network.score(z), expected, rtol=1e-4, atol=1e-5)
    assert record.kept_latents == ((0, 3), (3,))


def test_every_connection_is_drawn_by_sign_and_size(panel, sparse_study):
    panel.current.open(sparse_study)
    edges = panel.scene.edges
    assert len(edges) == 7
    assert edges[(0, 0, 0)].pen().color().name() == "#6bb3e8"
    assert edges[(0, 3, 1)].pen().color().name() == "#ff7a66"
    widths = sorted((abs(line.weight), line.pen().widthF()) for line in edges.values())
    assert [w for _, w in widths] == sorted(w for _, w in widths)
    assert widths[0][1] < widths[-1][1]
    assert "7 weights" in panel.model.currentText()
    assert set(panel.scene.neurons) == {(0, 0), (0, 3), (1, 0), (1, 1), (2, 0), (2, 2), (3, 0)}


def test_hovering_says_the_weight(panel, qtbot, sparse_study):
    panel.current.open(sparse_study).name_latent(3, "elongation")
    panel.current.names_changed.emit()
    line = panel.scene.edges[(0, 3, 1)]
    assert line.toolTip() == "From elongation to neuron 1.2: weight −2.000."
    line = panel.scene.edges[(0, 0, 0)]
    middle = panel.view.mapFromScene(line.line().pointAt(0.5))
    qtbot.mouseMove(panel.view.viewport(), middle + QPoint(3, 0))
    qtbot.mouseMove(panel.view.viewport(), middle)
    qtbot.waitUntil(lambda: panel.hovered.text() == "From z0 to neuron 1.1: weight +1.500.", timeout=3000)
    qtbot.mouseMove(panel.view.viewport(), QPoint(2, 2))
    qtbot.waitUntil(lambda: panel.hovered.text() == HOVER, timeout=3000)


def test_clicking_a_neuron_greys_all_but_its_stream_and_shows_its_response(panel, qtbot, sparse_study):
    panel.current.open(sparse_study)
    assert lit(panel) == set(panel.scene.edges)
    click(panel, qtbot, (2, 2))
    assert panel.neuron == (2, 2)
    assert lit(panel) == {(0, 3, 1), (1, 1, 2), (2, 2, 0)}
    qtbot.waitUntil(lambda: panel.response.figure.canvas is not None, timeout=60_000)
    shown = panel.response.shown
    assert (shown.x, shown.y) == (3, None)
    hidden = shown.axis * -2 + panel.network.biases[0][1]
    hidden = hidden * np.tanh(np.logaddexp(0, hidden)) + panel.network.biases[1][2]
    np.testing.assert_allclose(shown.values, hidden * np.tanh(np.logaddexp(0, hidden)))
    assert shown.pictures_x.shape == (5, 64, 64)
    panel.whole_button.click()
    assert lit(panel) == set(panel.scene.edges)
    assert panel.response.figure.sentence.text() == CLICK


def test_the_arrow_keys_go_from_neuron_to_neuron(panel, qtbot, sparse_study):
    panel.current.open(sparse_study)
    scene = panel.scene
    qtbot.keyClick(panel.view, Qt.Key.Key_Down)
    first = scene.chosen
    assert first is not None
    qtbot.keyClick(panel.view, Qt.Key.Key_Down)
    assert scene.chosen[0] > first[0]
    qtbot.keyClick(panel.view, Qt.Key.Key_Escape)
    assert scene.chosen is None


def test_the_response_of_two_latents_is_a_map(panel, qtbot, sparse_study):
    panel.current.open(sparse_study)
    click(panel, qtbot, (3, 0))
    qtbot.waitUntil(lambda: panel.response.shown is not None, timeout=60_000)
    assert (panel.response.shown.x, panel.response.shown.y) == (0, 3)
    z = np.zeros((1, 6))
    z[0, [0, 3]] = panel.response.shown.axis[[10, 30]]
    assert panel.response.shown.values[30, 10] == pytest.approx(panel.network.score(z)[0])


def test_an_input_has_a_stream_but_no_response(panel, qtbot, sparse_study):
    panel.current.open(sparse_study)
    click(panel, qtbot, (0, 0))
    assert lit(panel) == {(0, 0, 0), (1, 0, 0), (2, 0, 0)}
    assert "is an input" in panel.response.figure.sentence.text()


def test_another_model_is_drawn(panel, sparse_study):
    panel.current.open(sparse_study)
    panel.model.setCurrentIndex(1)
    assert set(panel.scene.edges) == {(0, 3, 2), (1, 2, 1), (2, 1, 0)}


def test_how_often_inputs_survive_is_said_with_their_names(panel, sparse_study):
    panel.current.open(sparse_study).name_latent(3, "elongation")
    panel.current.names_changed.emit()
    assert panel.survival.text().endswith("Of 2 models, 2 read elongation (z3); 1 reads z0.")


def test_without_scheme_3_the_panel_says_so(panel, labelled_study):
    assert panel.nothing.text() == NO_STUDY
    panel.current.open(labelled_study)
    assert "train scheme 3" in panel.nothing.text()
    assert not panel.view.isVisible()


@pytest.mark.parametrize("damage", ["weights", "description"])
def test_damaged_files_are_one_sentence(panel, sparse_study, damage):
    folder = sparse_study / "classifiers" / "scheme3"
    if damage == "weights":
        next(folder.glob("*.safetensors")).write_bytes(b"nonsense")
    else:
        record = classifiers.record(Study.open(sparse_study), "scheme3")
        record.model_copy(update={"head": None}).write(folder / "model.json")
    panel.current.open(sparse_study)
    assert "train scheme 3 again" in panel.error_line.text()
    assert not panel.view.isVisible()


def test_a_neuron_of_a_bias_alone_has_no_stream_before_it():
    masks = [np.array([[1, 0]]), np.array([[1], [1]])]
    network = SparseNetwork.from_arrays(masks, masks, [np.zeros(2), np.zeros(1)])
    assert through(network, (1, 1)) == {(1, 1, 0)}
    assert places(network)[(1, 1)] == (0.75, 1.0)


def test_a_study_deleted_meanwhile_still_shows_what_was_read(panel, qtbot, sparse_study, settle):
    panel.current.open(sparse_study)
    panel.current._study_watch.stop()  # it empties the panel when it notices, on a busy machine before the click
    shutil.rmtree(sparse_study)
    click(panel, qtbot, (1, 0))
    settle(panel)
    assert panel.response.shown is not None  # the values, without cells decoded along the axes
    assert panel.response.shown.pictures_x is None
    panel.reload()
    assert not panel.view.isVisible()


def test_each_class_of_several_has_its_output_in_its_colour(make_napari_viewer, phases_study):
    widget = NetworkWidget(make_napari_viewer())
    widget.current.open(phases_study.path)
    classes = widget.record.classes
    assert widget.scene.output_names == classes
    assert list(widget.scene.output_colours) == list(
        colours_on(widget.current.background, classes, phases_study.class_colours()).values()
    )
    depth = widget.network.depth
    outputs = [neuron for neuron in widget.scene.neurons if neuron[0] == depth]
    assert len(outputs) == len(classes) == 4
    widget.show_neuron((depth, 2))
    assert widget.scene.called((depth, 2)) == f"the output of {classes[2]}"


def test_sixteen_outputs_have_their_names_upright_and_no_bias_over_a_neuron(qtbot):
    rng = np.random.default_rng(0)
    shapes = ((4, 3), (3, 16))
    weights = tuple(rng.normal(size=shape) for shape in shapes)
    network = SparseNetwork(
        weights, tuple(np.ones(shape, bool) for shape in shapes), (np.full(3, 0.5), np.full(16, -0.25))
    )
    scene = NetworkScene()
    names = {f"metaphase of kind {place}": "#0072b2" for place in range(16)}
    scene.show_network(network, ["z0", "z1", "z2", "z3"], outputs=names)
    texts = [item for item in scene.items() if isinstance(item, QGraphicsSimpleTextItem)]
    assert {text.text() for text in texts} >= {*names, "+0.50"}
    assert "−0.25" not in {text.text() for text in texts}
    places = [text.sceneBoundingRect() for text in texts if text.text() in names]
    assert not any(one.intersects(other) for one, other in combinations(places, 2))
    assert all(scene.sceneRect().contains(place) for place in places)


def test_the_theme_and_names_of_latents_leave_the_chosen_neuron(panel, qtbot, sparse_study):
    study = panel.current.open(sparse_study)
    panel.show_neuron((1, 0))
    before, colour = lit(panel), panel.scene.edges[(0, 0, 0)].pen().color()
    panel.viewer.theme = "light"
    qtbot.waitUntil(lambda: panel.scene.edges[(0, 0, 0)].pen().color() != colour)
    assert (panel.neuron, lit(panel)) == ((1, 0), before)
    study.name_latent(0, "size")
    panel.current.names_changed.emit()
    assert (panel.neuron, lit(panel)) == ((1, 0), before)
