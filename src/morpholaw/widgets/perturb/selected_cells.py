"""The selected cells under attack: a slider for eps, what it does to them, and the eps at which they flip."""

from __future__ import annotations

from typing import Any

import numpy as np
from qtpy.QtCore import Qt
from qtpy.QtWidgets import QHBoxLayout, QLabel, QPushButton, QVBoxLayout, QWidget
from superqt import QLabeledDoubleSlider

from morpholaw.display import number
from morpholaw.widgets.forms.error_line import ErrorLine
from morpholaw.widgets.jobs.latest_call import LatestCall
from morpholaw.widgets.perturb.attack_choice import AttackChoice
from morpholaw.widgets.perturb.live_attack import (
    REACH,
    Attacked,
    LiveAttack,
    perturbed,
    prepare,
    smallest_flips,
)
from morpholaw.widgets.perturb.movie_overlay import MovieOverlay
from morpholaw.widgets.perturb.overlay_layers import DIFFERENCE, KINDS
from morpholaw.widgets.pictures.picture_grid import PictureGrid, grey_tiles, signed_tiles, white_of
from morpholaw.widgets.study.current_study import CurrentStudy

SHOWN = 5
"""Cells side by side, at the most."""
_NO_STUDY = "Open a study first."
_NO_CLASSIFIER = "Train a classifier in the Classify panel first."
_NO_CELLS = "Select cells in the gallery of the Cells panel, or press Pick and click one in the movie."


class CellPanel(QWidget):
    """Perturbs the selected cells, live.

    Parameters
    ----------
    viewer : napari.Viewer
        Where the movie is.
    current : CurrentStudy
        The study and its selected cells.
    error_line : ErrorLine
        Where to complain.
    choice : AttackChoice
        The model and the space.

    Attributes
    ----------
    attack : LiveAttack or None
        What is ready to be perturbed.
    result : Attacked or None
        What is shown.
    flips : ndarray or None
        Smallest eps that flips each shown cell, where it was asked for.
    """

    def __init__(
        self, viewer: Any, current: CurrentStudy, error_line: ErrorLine, choice: AttackChoice
    ) -> None:
        super().__init__()
        self.current, self.error_line, self.choice = current, error_line, choice
        self.attack: LiveAttack | None = None
        self.result: Attacked | None = None
        self.flips: np.ndarray | None = None
        self.load_call, self.flip_call = LatestCall(self), LatestCall(self)
        self.perturb_call = LatestCall(self, live=True)
        self.overlay = MovieOverlay(viewer, current, error_line)
        self._build()
        self._connect()

    def _build(self) -> None:
        self.slider = QLabeledDoubleSlider(Qt.Orientation.Horizontal)
        self.slider.setDecimals(3)
        self.slider.setToolTip("eps: how far every pixel, or every latent, is moved.")
        self.flip_button = QPushButton("Smallest ε that flips it")
        self.flip_button.setToolTip("Search along the gradient's sign for the first change of the call.")
        self.pictures = PictureGrid(_NO_CELLS, largest=84)
        self.verdict = QLabel()
        self.verdict.setWordWrap(True)
        row = QHBoxLayout()
        row.addWidget(QLabel("ε"))
        row.addWidget(self.slider)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 4, 0, 0)
        layout.addLayout(row)
        layout.addWidget(self.flip_button)
        layout.addWidget(self.pictures)
        layout.addWidget(self.verdict)
        layout.addWidget(self.overlay)
        layout.addStretch(1)
        self.begin_space()

    def _connect(self) -> None:
        self.slider.valueChanged.connect(self.perturb)
        self.flip_button.clicked.connect(self.find_flips)
        self.overlay.show_box.toggled.connect(self._toggle_overlay)
        self.load_call.returned.connect(self._prepared)
        self.load_call.failed.connect(self._not_prepared)
        self.flip_call.returned.connect(self._flipped)
        self.flip_call.failed.connect(self._not_flipped)
        self.perturb_call.returned.connect(self._perturbed)
        self.perturb_call.failed.connect(self.error_line.say)

    def begin_space(self) -> None:
        """Begin at eps = 0 with the range of the chosen space."""
        reach = REACH[self.choice.space]
        blocked = self.slider.blockSignals(True)
        self.slider.setRange(0.0, reach)
        self.slider.setSingleStep(reach / 500)
        self.slider.setValue(0.0)
        self.slider.blockSignals(blocked)

    # ---- reading the model

    def prepare(self) -> None:
        """Read the model as soon as there are cells to attack: that is when the live process starts."""
        saved, study = self.choice.classifier, self.current.study
        crops, selection = self.current.crops, self.current.selection
        if study is None or saved is None or crops is None or not selection:
            self.clear(_NO_STUDY if study is None else _NO_CLASSIFIER if saved is None else _NO_CELLS)
            return
        if self.attack is None:
            self.pictures.clear("Reading the classifier...")
        choice, cells = self.choice, selection[:SHOWN]
        self.load_call.start(
            prepare, self.current.live, study, saved, choice.member, choice.space, choice.keep, crops, cells
        )

    def clear(self, sentence: str) -> None:
        """Show a sentence and no cell."""
        for call in (self.load_call, self.flip_call, self.perturb_call):
            call.forget()
        self.attack = self.result = self.flips = None
        self.pictures.clear(sentence)
        self.verdict.clear()
        self._enable(False)
        self.overlay.hide_cell()

    def _enable(self, on: bool) -> None:
        self.slider.setEnabled(on)
        self.flip_button.setEnabled(on)
        self.overlay.enable(on)

    def _not_prepared(self, sentence: str) -> None:
        self.clear("These cells cannot be attacked so.")
        self.error_line.say(sentence)

    def _prepared(self, attack: LiveAttack) -> None:
        self.error_line.clear()
        self.flip_call.forget()
        self.perturb_call.forget()
        self.attack, self.flips = attack, None
        self._enable(True)
        self.perturb()

    # ---- perturbing

    def perturb(self, *_: Any) -> None:
        """Move the cells by the slider's eps and show what comes of it, soon."""
        attack = self.attack
        if attack is not None:
            eps = float(self.slider.value())
            self.perturb_call.start(
                self.current.live.call, perturbed, attack.model, attack.images, eps, attack.space, attack.held
            )

    def _perturbed(self, result: Attacked) -> None:
        self.result = result
        self._show_pictures()
        self._show_verdict()
        self._show_overlay()

    def kinds(self) -> dict[str, np.ndarray]:
        """Pictures (n, s, s) by kind; scheme 1 has no reconstruction."""
        result = self.result
        found = (result.images, result.perturbed, result.difference, result.reconstruction)
        return {kind: pictures for kind, pictures in zip(KINDS, found, strict=True) if pictures is not None}

    def _limits(self) -> tuple[float, float]:
        """Level shown white, and the difference with the strongest colours."""
        return white_of(self.result.images), max(0.02, float(np.abs(self.result.difference).max()))

    def _show_pictures(self) -> None:
        white, limit = self._limits()
        kinds = self.kinds()
        tiles = np.stack(
            [
                signed_tiles(pictures, limit) if kind == DIFFERENCE else grey_tiles(pictures, high=white)
                for kind, pictures in kinds.items()
            ]
        )
        before, after = (
            [number(score, sign=True) for score in s]
            for s in (self.result.scores, self.result.perturbed_scores)
        )
        if len(before) == 1:  # one cell has room for larger pictures beside each other
            captions = [f"f = {before[0]}", f"f = {after[0]}"]
            self.pictures.show_pictures(tiles.swapaxes(0, 1), (), list(kinds), captions)
            return
        captions = [f"{first}\n\u2192 {then}" for first, then in zip(before, after, strict=True)]
        self.pictures.show_pictures(tiles, list(kinds), [f"#{cell}" for cell in self.attack.cells], captions)

    def _show_verdict(self) -> None:
        attack, flipped = self.attack, self.result.flipped
        if len(flipped) == 1:
            then = attack.classes[int(self.result.perturbed_scores[0] >= 0)]
            first = attack.classes[int(self.result.scores[0] >= 0)]
            change = f"{first} \u2192 {then}" if flipped[0] else f"stays {first}"
        else:
            change = f"{int(flipped.sum())} of {len(flipped)} calls flip"
        lines = [f"ε = {number(self.result.eps, 3)}: {change}"]
        if self.flips is not None:
            found = [
                f"#{cell} {number(flip, 3)}"
                if np.isfinite(flip)
                else f"#{cell} never (up to {attack.reach:g})"
                for cell, flip in zip(attack.cells, self.flips, strict=True)
            ]
            lines.append("smallest ε that flips: " + ", ".join(found))
        if len(self.current.selection) > SHOWN:
            lines.append(f"the first {SHOWN} of {len(self.current.selection)} selected cells are shown")
        self.verdict.setText("\n".join(lines))

    # ---- the viewer

    def _show_overlay(self) -> None:
        if self.overlay.wanted and self.result is not None and self.attack is not None:
            white, limit = self._limits()
            first = {kind: pictures[0] for kind, pictures in self.kinds().items()}
            self.overlay.show_cell(
                self.attack.cells[0], first, white, limit, self.attack.metadata(self.result.eps)
            )

    def _toggle_overlay(self, on: bool) -> None:
        if on:
            self._show_overlay()
        else:
            self.overlay.hide_cell()

    # ---- the smallest eps

    def find_flips(self) -> None:
        """Find the smallest eps that flips each shown cell, and move the slider to the first one's."""
        if self.attack is not None:
            self.flip_button.setEnabled(False)
            attack = self.attack
            self.flip_call.start(
                self.current.live.call, smallest_flips, attack.model, attack.images, attack.space, attack.held
            )

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
