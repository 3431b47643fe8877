"""Perturb: what must change in a cell for a classifier to call it otherwise (paper, 5.4 and 6.5)."""

from __future__ import annotations

from typing import Any

import numpy as np
from qtpy.QtCore import Qt, QTimer
from qtpy.QtWidgets import (
    QApplication,
    QCheckBox,
    QComboBox,
    QFormLayout,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QPushButton,
    QTabWidget,
    QVBoxLayout,
    QWidget,
)
from superqt import QLabeledDoubleSlider

from morpholaw.errors import InputError
from morpholaw.study import Study
from morpholaw.widgets.attack_panel import AttackPanel
from morpholaw.widgets.latest_call import LatestCall
from morpholaw.widgets.movie_clicks import MovieClicks
from morpholaw.widgets.movie_place import MoviePlace, crop_at, place_of
from morpholaw.widgets.overlay_layers import KINDS, OverlayLayers
from morpholaw.widgets.picture_grid import PictureGrid, grey_tiles, signed_tiles, white_of
from morpholaw.widgets.saved_classifiers import SavedClassifier, saved_classifiers
from morpholaw.widgets.study_widget import StudyWidget

SPACES = {
    "image": ("image", False),
    "latent": ("latent", False),
    "latent, some held": ("latent", True),
}
"""Where the perturbation is added, and whether latents are held."""
REACH = {"image": 0.5, "latent": 6.0}
"""Largest eps of the slider, in units of the space: half of all grey levels, six standard deviations."""
SHOWN = 5
"""Cells side by side, at the most."""
_NO_CELLS = "Select cells in the gallery of the Cells panel, or press Pick and click one in the movie."


class PerturbWidget(StudyWidget):
    """Attacks on the selected cells, live, and on the study's test cells.

    Parameters
    ----------
    napari_viewer : napari.Viewer
        The viewer, or napari's proxy of it.

    Attributes
    ----------
    result : Counterfactuals or None
        What is shown.
    flips : ndarray or None
        Smallest eps that flips each of the shown cells, where it was asked for.
    """

    def __init__(self, napari_viewer: Any) -> None:
        super().__init__(napari_viewer)
        self.schemes: list[SavedClassifier] = []
        self.attack: _Attack | None = None
        self.result: Any = None
        self.flips: np.ndarray | None = None
        self.overlay = OverlayLayers(self.viewer)
        self._clicks: MovieClicks | None = None
        self._picked = -1  # a cell that was clicked is in view already
        self._soon = QTimer(self)  # many movements of the slider make one picture
        self._soon.setSingleShot(True)
        self._soon.setInterval(0)
        self._soon.timeout.connect(self.perturb)
        self.load_call, self.flip_call = LatestCall(self), LatestCall(self)
        self._build()
        self._connect()
        self._show_study()

    def _build(self) -> None:
        self.scheme_box, self.model_box, self.space_box = QComboBox(), QComboBox(), QComboBox()
        self.space_box.addItems(list(SPACES))
        self.space_box.setToolTip("Add eps times the gradient's sign to the image, or to its latents.")
        self.held_line = QLineEdit("morphology")
        self.held_line.setToolTip(
            "Latents that stay as they are: morphology (those scheme 3 kept), or z3, z17."
        )
        self.held_label = QLabel("held")
        form = QFormLayout()
        form.setContentsMargins(0, 0, 0, 0)
        form.addRow("scheme", self.scheme_box)
        form.addRow("model", self.model_box)
        form.addRow("space", self.space_box)
        form.addRow(self.held_label, self.held_line)
        self.slider = QLabeledDoubleSlider(Qt.Orientation.Horizontal)
        self.slider.setDecimals(3)
        self.slider.setToolTip("eps: how far every pixel, or every latent, is moved.")
        self.flip_button = QPushButton("Smallest ε that flips it")
        self.flip_button.setToolTip("Search along the gradient's sign for the first change of the call.")
        self.pick_button = QPushButton("Pick")
        self.pick_button.setCheckable(True)
        self.pick_button.setToolTip("Select the cell that is clicked in the movie; with Shift, add it.")
        self.pictures = PictureGrid(_NO_CELLS, largest=96)
        self.verdict = QLabel()
        self.verdict.setWordWrap(True)
        self.overlay_button = QCheckBox("show in the viewer")
        self.overlay_button.setToolTip("Lay the first cell's pictures over its place in the movie, live.")
        self.seen_box = QComboBox()
        self.seen_box.addItems(list(KINDS))
        self.seen_box.setCurrentText("perturbed")
        self.seen_box.setToolTip("Which of the pictures is seen over the movie.")
        self.cells_tab, self.study_tab = (
            QWidget(),
            AttackPanel(self.viewer, self.current, self.error_line, self._choice),
        )
        inside = QVBoxLayout(self.cells_tab)
        inside.setContentsMargins(0, 4, 0, 0)
        inside.addLayout(_row(QLabel("ε"), self.slider))
        inside.addLayout(_row(self.flip_button, self.pick_button, None))
        inside.addWidget(self.pictures)
        inside.addWidget(self.verdict)
        inside.addLayout(_row(self.overlay_button, self.seen_box, None))
        inside.addStretch(1)
        self.tabs = QTabWidget()
        self.tabs.addTab(self.cells_tab, "Selected cells")
        self.tabs.addTab(self.study_tab, "Whole study")
        self.body.addLayout(form)
        self.body.addWidget(self.tabs)

    def _connect(self) -> None:
        self.scheme_box.currentIndexChanged.connect(self._scheme_chosen)
        self.model_box.currentIndexChanged.connect(self._prepare)
        self.space_box.currentIndexChanged.connect(self._space_chosen)
        self.held_line.editingFinished.connect(self._prepare)
        self.slider.valueChanged.connect(lambda _: self._soon.start())
        self.flip_button.clicked.connect(self.find_flips)
        self.pick_button.toggled.connect(self._toggle_picking)
        self.overlay_button.toggled.connect(self._toggle_overlay)
        self.seen_box.currentTextChanged.connect(self.overlay.see)
        self.load_call.returned.connect(self._prepared)
        self.load_call.failed.connect(self._not_prepared)
        self.flip_call.returned.connect(self._flipped)
        self.flip_call.failed.connect(self._not_flipped)
        self.listen(self.current.selection_changed, self._selection_changed)
        self.listen(self.current.classifiers_changed, self._classifiers_changed)
        self.listen(self.current.laws_changed, self._classifiers_changed)
        self.listen(self.current.encoder_changed, self._classifiers_changed)

    # ---- what is chosen

    def _show_study(self) -> None:
        super()._show_study()
        self._classifiers_changed()

    def _classifiers_changed(self) -> None:
        before = self.scheme_box.currentData()
        self.schemes = []
        if self.current.study is not None:
            self.schemes = saved_classifiers(self.current.study, self.error_line.say)
        blocked = self.scheme_box.blockSignals(True)
        self.scheme_box.clear()
        for entry in self.schemes:
            self.scheme_box.addItem(entry.title, entry.name)
        self.scheme_box.setCurrentIndex(max(0, self.scheme_box.findData(before)))
        self.scheme_box.blockSignals(blocked)
        self.study_tab.clear()
        self._space_chosen(prepare=False)
        self._scheme_chosen()

    def _scheme_chosen(self, *_: Any) -> None:
        scheme = self._scheme()
        blocked = self.model_box.blockSignals(True)
        self.model_box.clear()
        if scheme is not None:
            self.model_box.addItems([f"{k + 1} of {scheme.models}" for k in range(scheme.models)])
        self.model_box.blockSignals(blocked)
        self._prepare()

    def _space_chosen(self, *_: Any, prepare: bool = True) -> None:
        space, holds = SPACES[self.space_box.currentText()]
        self.held_line.setVisible(holds)
        self.held_label.setVisible(holds)
        blocked = self.slider.blockSignals(True)
        self.slider.setRange(0.0, REACH[space])
        self.slider.setSingleStep(REACH[space] / 500)
        self.slider.setValue(0.0)
        self.slider.blockSignals(blocked)
        if prepare:
            self._prepare()

    def _scheme(self) -> SavedClassifier | None:
        name = self.scheme_box.currentData()
        return next((entry for entry in self.schemes if entry.name == name), None)

    def _choice(self) -> tuple[SavedClassifier | None, str, str]:
        space, holds = SPACES[self.space_box.currentText()]
        return self._scheme(), space, self.held_line.text().strip() if holds else ""

    # ---- loading the classifier

    def _selection_changed(self, _: list[int]) -> None:
        self._prepare()

    def _prepare(self, *_: Any) -> None:
        """Read the classifier in a thread, as soon as there are cells to attack: that is when torch is loaded."""
        self.error_line.clear()
        scheme, space, keep = self._choice()
        crops, selection = self.current.crops, self.current.selection
        if scheme is None or crops is None or not selection:
            why = "Open a study first." if self.current.study is None else _NO_CELLS
            self._clear(why if scheme or self.current.study is None else "Train a classifier first.")
            return
        cells = selection[:SHOWN]
        member = max(0, self.model_box.currentIndex())
        if self.attack is None:
            self.pictures.clear("Reading the classifier...")
        self.load_call.start(
            _read_attack, self.current.study, scheme, member, space, keep, crops, cells, self.attack
        )

    def _clear(self, sentence: str) -> None:
        self.load_call.forget()
        self.flip_call.forget()
        self.attack = self.result = self.flips = None
        self.pictures.clear(sentence)
        self.verdict.clear()
        self._enable(False)
        self.overlay.hide()

    def _enable(self, on: bool) -> None:
        for widget in (self.slider, self.flip_button, self.overlay_button, self.seen_box):
            widget.setEnabled(on)

    def _not_prepared(self, sentence: str) -> None:
        self._clear("These cells cannot be attacked so.")
        self.error_line.say(sentence)

    def _prepared(self, attack: _Attack) -> None:
        self.flip_call.forget()
        another = self.attack is None or self.attack.cells[0] != attack.cells[0]
        self.attack, self.flips = attack, None
        self._enable(True)
        self.perturb()
        if another and self.overlay_button.isChecked() and attack.cells[0] != self._picked:
            self._go_to_cell()

    # ---- perturbing

    def perturb(self, *_: Any) -> None:
        """Move the selected cells by the slider's eps and show what comes of it."""
        if self.attack is None:
            return
        eps = float(self.slider.value())
        with self.error_line.catch():
            self.result = self.attack.at(eps)
            self._show_pictures()
            self._show_verdict(eps)
            if self.overlay_button.isChecked():
                self._show_overlay()

    def _pictures(self) -> dict[str, np.ndarray]:
        """Pictures (n, s, s) by kind; scheme 1 has no reconstruction."""
        result = self.result
        # in latent space the perturbed picture is a reconstruction, and its difference is to that of the cell
        latent = result.perturbed is result.perturbed_reconstruction
        rebuilt = result.reconstruction if latent else result.perturbed_reconstruction
        found = (result.images, result.perturbed, result.difference, rebuilt)
        return {kind: pictures for kind, pictures in zip(KINDS, found, strict=True) if pictures is not None}

    def _limits(self) -> tuple[float, float]:
        """Level shown white, and the difference with the strongest colours."""
        result = self.result
        return white_of(result.images), max(0.02, float(np.abs(result.difference).max()))

    def _show_pictures(self) -> None:
        white, limit = self._limits()
        tiles = [
            signed_tiles(pictures, limit) if kind == "difference" else grey_tiles(pictures, high=white)
            for kind, pictures in self._pictures().items()
        ]
        before, after = (
            [f"{score:+.2f}".replace("-", "\u2212") for score in scores]
            for scores in (self.result.scores, self.result.perturbed_scores)
        )
        kinds, pictures = list(self._pictures()), np.stack(tiles)
        if len(before) == 1:  # one cell has room for larger pictures beside each other
            self.pictures.show_pictures(
                pictures.swapaxes(0, 1), (), kinds, [f"f = {before[0]}", f"f = {after[0]}"]
            )
            return
        captions = [f"{first}\n\u2192 {then}" for first, then in zip(before, after, strict=True)]
        self.pictures.show_pictures(pictures, kinds, [f"#{cell}" for cell in self.attack.cells], captions)

    def _show_verdict(self, eps: float) -> None:
        attack, flipped = self.attack, self.result.flipped
        n, count = len(flipped), int(flipped.sum())
        before, after = (
            attack.classes[int(scores[0] >= 0)]
            for scores in (self.result.scores, self.result.perturbed_scores)
        )
        change = f"{before} → {after}" if before != after else f"stays {before}"
        words = [f"ε = {eps:.3f}: " + (change if n == 1 else f"{count} of {n} calls flip")]
        if self.flips is not None:
            found = [
                f"#{cell} {flip:.3f}" if np.isfinite(flip) else f"#{cell} never (up to {attack.reach:g})"
                for cell, flip in zip(attack.cells, self.flips, strict=True)
            ]
            words.append("smallest ε that flips: " + ", ".join(found))
        if len(self.current.selection) > SHOWN:
            words.append(f"the first {SHOWN} of {len(self.current.selection)} selected cells are shown")
        self.verdict.setText("\n".join(words))

    # ---- the smallest eps

    def find_flips(self) -> None:
        """Find the smallest eps that flips each shown cell, and move the slider to the first one's."""
        if self.attack is None:
            self.error_line.say(_NO_CELLS)
            return
        self.flip_button.setEnabled(False)
        self.flip_call.start(self.attack.smallest_flips)

    def _not_flipped(self, sentence: str) -> None:
        self.flip_button.setEnabled(True)
        self.error_line.say(sentence)

    def _flipped(self, flips: np.ndarray) -> None:
        self.flip_button.setEnabled(True)
        self.flips = flips
        if np.isfinite(flips[0]):
            # the slider's decimals round, and a call that has just flipped must not round back
            self.slider.setValue(min(self.slider.maximum(), float(np.ceil(flips[0] * 1000) / 1000)))
        self.perturb()

    # ---- the viewer

    def _toggle_overlay(self, on: bool) -> None:
        if not on:
            self.overlay.hide()
        elif self.result is not None:
            self._show_overlay()
            self._go_to_cell()

    def _place(self) -> MoviePlace | None:
        crops = self.current.crops
        return (
            None
            if crops is None or self.attack is None
            else place_of(self.viewer, crops, self.attack.cells[0])
        )

    def _show_overlay(self) -> None:
        white, limit = self._limits()
        first = {kind: pictures[0] for kind, pictures in self._pictures().items()}
        seen = self.seen_box.currentText()
        self.overlay.show(first, white, limit, self._place(), seen, self.attack.metadata())

    def _go_to_cell(self) -> None:
        """Bring the first cell's frame and place into view."""
        place = self._place()
        if place is None:
            return
        middle = np.array([place.t, place.y, place.x])[-place.layer.ndim :]
        middle[-2:] += self.result.images.shape[-1] / 2 * place.step
        point = place.layer.data_to_world(tuple(middle))
        if place.layer.ndim == 3:
            self.viewer.dims.set_point(self.viewer.dims.ndim - 3, point[0])
        self.viewer.scene.camera.center = (0.0, *point[-2:])

    def _toggle_picking(self, on: bool) -> None:
        if self._clicks is not None:
            self._clicks.disconnect()
        self._clicks = MovieClicks(self.viewer, self.pick) if on else None

    def pick(self, position: np.ndarray) -> None:
        """Select the cell of the study at a place in the movie, world coordinates; with Shift, add it."""
        crops = self.current.crops
        index = None if crops is None else crop_at(self.viewer, crops, position)
        if index is None:
            why = "There is no cell of the study here; the movie it was cut from must be open as a layer."
            self.error_line.say(why, notify=False)
            return
        self.error_line.clear()
        adds = bool(QApplication.keyboardModifiers() & Qt.KeyboardModifier.ShiftModifier)
        self._picked = index
        kept = [cell for cell in self.current.selection if cell != index] if adds else []
        self.current.select([*kept, index])

    def hideEvent(self, event: Any) -> None:
        """Leave the mouse alone while nobody sees the panel."""
        self.pick_button.setChecked(False)
        super().hideEvent(event)


class _Attack:
    """One model and a few cells: ready to be perturbed by any eps in milliseconds."""

    def __init__(
        self,
        classifier: Any,
        key: tuple[Any, ...],
        images: np.ndarray,
        cells: list[int],
        space: str,
        held: Any,
    ) -> None:
        self.classifier, self.key, self.images, self.cells = classifier, key, images, cells
        self.space, self.held, self.reach = space, held, REACH[space]
        self.classes = classifier.negative, classifier.positive
        self.eps = 0.0

    def at(self, eps: float) -> Any:
        """The cells' :class:`morpholaw.probes.counterfactuals.Counterfactuals` at ``eps``."""
        from morpholaw.probes.counterfactuals import counterfactuals
        from morpholaw.training.devices import torch_threads

        self.eps = eps
        with torch_threads(1):
            return counterfactuals(self.classifier, self.images, eps, 0, self.space, self.held)

    def smallest_flips(self) -> np.ndarray:
        """Smallest eps that flips each cell, float64 (n,); inf where none up to the slider's end does."""
        from morpholaw.probes.flips import smallest_flip
        from morpholaw.probes.scores import encode_means
        from morpholaw.training.devices import torch_threads

        with torch_threads(1):
            inputs = (
                encode_means(self.classifier.encoder, self.images) if self.space == "latent" else self.images
            )
            tolerance = self.reach / 1000
            return smallest_flip(self.classifier, inputs, self.space, self.held, self.reach, tolerance, 32)[0]

    def metadata(self) -> dict[str, Any]:
        """What the layers keep: the cell and the attack."""
        return {
            "crop": self.cells[0], "classifier": self.key[1], "model": self.key[2],
            "space": self.space, "held": list(self.held), "eps": self.eps,
        }  # fmt: skip


def _read_attack(
    study: Study,
    scheme: SavedClassifier,
    member: int,
    space: str,
    keep: str,
    crops: Any,
    cells: list[int],
    last: Any,
) -> _Attack:
    """Load one model of a scheme and read the cells; the model of the last attack is used again if it is the same."""
    from morpholaw.probes.scores import check_space
    from morpholaw.study.attack_step import held_latents

    if not (study.path / "study.json").is_file():
        raise InputError(f"The study {study.path} is gone; it was moved or deleted.")
    path = study.path / "classifiers" / scheme.name / "model.json"
    key = (str(path), scheme.name, member, path.stat().st_mtime)
    classifier = last.classifier if last is not None and last.key == key else None
    if classifier is None:
        classifier = study.classifier(scheme.scheme, scheme.loss).select(member)
    check_space(classifier, space)
    held = held_latents(study, classifier, keep) if space == "latent" else ()
    return _Attack(classifier, key, crops[cells], cells, space, held)


def _row(*widgets: QWidget | None) -> QHBoxLayout:
    """Widgets beside each other; None is a space that stretches."""
    row = QHBoxLayout()
    for widget in widgets:
        if widget is None:
            row.addStretch(1)
        else:
            row.addWidget(widget)
    return row
