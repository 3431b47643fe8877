"""The Network panel: the sparse network of scheme 3, the paths through its neurons and their responses (paper, 6.3)."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
from qtpy.QtCore import Qt, QTimer
from qtpy.QtWidgets import QHBoxLayout, QLabel, QPushButton

from morpholaw.display import percent
from morpholaw.interpretation.subnetworks import (
    Neuron,
    SparseNetwork,
    SubNetwork,
    activations,
    input_survival,
    sub_network,
)
from morpholaw.store import classifiers
from morpholaw.store.classifier_record import ClassifierRecord
from morpholaw.store.sparse_networks import sparse_networks
from morpholaw.widgets.forms.narrow_inputs import narrow_combo
from morpholaw.widgets.network.network_scene import NetworkScene, NetworkView
from morpholaw.widgets.pictures.background import is_dark
from morpholaw.widgets.pictures.slice import Response
from morpholaw.widgets.pictures.slice_panel import SlicePanel
from morpholaw.widgets.study.study_widget import StudyWidget

NO_NETWORK = "There is no sparse network yet; train scheme 3 in the Classify panel."
CLICK = "Click a neuron to see the paths through it and its response."
HOVER = (
    "Blue weights are positive, red ones negative; the number beside a neuron is its bias. Point at a connection to "
    "read its weight."
)


class NetworkWidget(StudyWidget):
    """Panel that draws a model of scheme 3 and the response of the clicked neuron.

    Parameters
    ----------
    napari_viewer : napari.Viewer
        The viewer, or napari's proxy of it.
    """

    def __init__(self, napari_viewer: Any) -> None:
        super().__init__(napari_viewer)
        self.record: ClassifierRecord | None = None
        self.networks: tuple[SparseNetwork, ...] = ()
        self.neuron: Neuron | None = None
        self.model = narrow_combo("model")
        self.model.setToolTip("Choose one of the models of scheme 3.")
        self.whole_button = QPushButton("Show all")
        self.whole_button.setToolTip("Show all neurons and connections again.")
        row = QHBoxLayout()
        model_title = QLabel("Model")
        row.addWidget(model_title)
        row.addWidget(self.model, 1)
        row.addWidget(self.whole_button)
        self.nothing = QLabel()
        self.nothing.setWordWrap(True)
        self.nothing.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.scene = NetworkScene(self)
        self.view = NetworkView(self.scene)
        self.hovered = QLabel(HOVER)
        self.hovered.setWordWrap(True)
        self.survival = QLabel()
        self.survival.setWordWrap(True)
        self.response = SlicePanel(self.viewer, self.current, CLICK)
        # always visible, because it would otherwise come and go with a figure that just fits
        self.scroll_area.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOn)
        self.body.addLayout(row)
        for part in (self.nothing, self.view, self.hovered, self.survival, self.response):
            self.body.addWidget(part)
        self.body.addStretch(1)
        self._parts = (
            model_title, self.model, self.whole_button, self.view, self.hovered, self.survival, self.response
        )  # fmt: skip
        self.model.currentIndexChanged.connect(self._model_chosen)
        self.whole_button.clicked.connect(self.show_whole)
        self.scene.clicked.connect(self.show_neuron)
        self.scene.hovered.connect(self._show_hovered)
        self.listen(self.current.classifiers_changed, self.reload)
        self.listen(self.current.encoder_changed, self._new_encoder)
        self.listen(self.current.names_changed, self._redraw)
        self.listen(self.viewer.events.theme, self._rethemed)
        self._show_study()

    def _show_study(self) -> None:
        super()._show_study()
        self.nothing.setText(self.current.or_no_study(NO_NETWORK))
        self._new_encoder()
        self.reload()

    def _new_encoder(self) -> None:
        self.response.clear()

    def reload(self) -> None:
        """Read the networks of the study again."""
        self.record, self.networks = None, ()
        study = self.current.study
        if study is not None and "scheme3" in classifiers.names(study):
            with self.error_line.catch():
                record = classifiers.record(study, "scheme3")
                self.networks = sparse_networks(study, record)
                self.record = record
        for part in self._parts:
            part.setVisible(self.record is not None)
        self.nothing.setVisible(self.record is None)
        before = self.model.currentIndex()
        self.model.blockSignals(True)
        self.model.clear()
        if self.record is not None:
            for k, (network, accuracy) in enumerate(
                zip(self.networks, self.record.evaluation.accuracy, strict=True)
            ):
                weights = sum(int(mask.sum()) for mask in network.masks)
                self.model.addItem(f"{k + 1}: {percent(accuracy)}, {weights} weights")
            self.model.setCurrentIndex(before if 0 <= before < self.model.count() else 0)
        self.model.blockSignals(False)
        self._draw()

    def _model_chosen(self, *_: Any) -> None:
        self._draw()

    @property
    def network(self) -> SparseNetwork | None:
        """The network on display; None if there is none."""
        place = self.model.currentIndex()
        return self.networks[place] if 0 <= place < len(self.networks) else None

    @property
    def words(self) -> dict[int, str]:
        """Names of the latents in the study, by the number of the input that is the latent."""
        names: dict[int, str] = {}
        if self.current.study is not None:
            with self.error_line.catch():
                names = self.current.study.latent_names
        places = self.record.columns_read.latent_places if self.record is not None else {}
        return {place: names[latent] for place, latent in places.items() if latent in names}

    def _draw(self, *_: Any) -> None:
        network = self.network
        self.neuron = None
        if network is None or self.record is None:
            self.scene.network = None
            self.scene.clear()
            self.response.clear()
            return
        words, names = self.words, self.record.columns_read.names
        dark = is_dark(self.viewer)
        called = [words.get(place, name) for place, name in enumerate(names)]
        self.scene.show_network(network, called, dark, self._outputs(self.record))
        self.view.fit()
        counts = input_survival([model.kept_inputs for model in self.networks])
        models = len(self.networks)
        readers: dict[int, list[str]] = {}
        for place, count in counts.items():
            name = f"{words[place]} ({names[place]})" if place in words else names[place]
            readers.setdefault(count, []).append(name)
        text = "; ".join(
            f"{count} read{'s' * (count == 1)} {', '.join(inputs)}" for count, inputs in readers.items()
        )
        size = self.record.expression_sizes[self.model.currentIndex()]
        self.survival.setText(
            f"Expression size: {size} nodes. Of {models} model{'s' * (models != 1)}, {text or 'none reads an input'}."
        )
        self.show_neuron(None)

    def _outputs(self, record: ClassifierRecord) -> dict[str, str]:
        """Return the colours of the classes if each has an output of its own; two classes share one output."""
        study = self.current.study
        if record.two_classes or study is None:
            return {}
        shown = self.current.class_colours()
        return {name: shown[name] for name in record.classes}

    def _rethemed(self, *_: Any) -> None:
        QTimer.singleShot(0, self._redraw)

    def _redraw(self, *_: Any) -> None:
        """Draw the same network with the same neuron again."""
        neuron = self.neuron
        self._draw()
        if neuron is not None:
            self.show_neuron(neuron)

    def _show_hovered(self, sentence: str) -> None:
        self.hovered.setText(sentence or HOVER)

    def show_whole(self) -> None:
        """Show the whole network and no response."""
        self.show_neuron(None)

    def show_neuron(self, neuron: Neuron | None) -> None:
        """Show the paths through a neuron (layer, unit) and its response; None shows the whole network."""
        network = self.network
        if network is None or self.record is None:
            return
        self.neuron = neuron
        self.scene.highlight(neuron)
        self.whole_button.setEnabled(neuron is not None)
        if neuron is None:
            self.response.clear()
            return
        called = self.scene.called(neuron)
        if neuron[0] == 0:
            self.response.clear(f"{called} is an input; click a neuron below it to see a response.")
            return
        part = sub_network(network, [neuron])
        if not part.inputs:
            self.response.clear(f"{called.capitalize()} reads no input, so its response is constant.")
            return
        response, columns = partial(neuron_response, network, part), self.record.columns_read
        self.response.show_response(
            Response(response, part.inputs, columns, "response", f"Response of {called}"), self.words
        )


def neuron_response(network: SparseNetwork, part: SubNetwork, inputs: np.ndarray) -> np.ndarray:
    """Return the activation, (n,), of the target neuron of a sub-network for inputs of the network, (n, inputs)."""
    return activations(network, part, inputs[:, [unit for _, unit in part.sources]])[:, 0]
