"""The Selected cells tab: a slider for eps, the cells before and after, and the smallest eps that flips their class."""

from __future__ import annotations

from typing import Any

import numpy as np
from qtpy.QtWidgets import QHBoxLayout, QLabel, QPushButton, QVBoxLayout, QWidget

from morpholaw.display import number
from morpholaw.errors import MorpholawError
from morpholaw.models.classes import UNDEFINED
from morpholaw.widgets.forms.error_line import ErrorLine
from morpholaw.widgets.forms.narrow_inputs import float_slider
from morpholaw.widgets.jobs.latest_call import LatestCall
from morpholaw.widgets.perturb.attack_choice import AttackChoice
from morpholaw.widgets.perturb.live_attack import (
    REACH,
    Attacked,
    Direction,
    LiveAttack,
    ModelFile,
    perturbed,
    prepare,
    smallest_flips,
)
from morpholaw.widgets.perturb.movie_overlay import MovieOverlay
from morpholaw.widgets.perturb.overlay_layers import DIFFERENCE, KINDS
from morpholaw.widgets.pictures.picture_grid import PictureGrid, grey_tiles, signed_tiles, white_of
from morpholaw.widgets.study.cell_scorer import TRAIN_FIRST
from morpholaw.widgets.study.current_study import NO_STUDY, CurrentStudy

SHOWN = 5
"""Largest number of cells shown side by side."""
LARGEST = 180
"""Largest side of an image on the screen, in pixels."""
UNITS = {"image": "of the grey range", "latent": "SD of the prior"}
"""Unit of eps in each space."""
_NO_GRADIENT = "This classifier reads measured shapes, which have no gradient, so it cannot be attacked."
_NO_CELLS = "Click a cell in the movie (Shift adds more), or select some in the gallery of the Cells panel."


class CellPanel(QWidget):
    """Tab that perturbs the selected cells while a slider moves.

    Parameters
    ----------
    viewer : napari.Viewer
        The viewer with the movie.
    current : CurrentStudy
        The study and its selected cells.
    error_line : ErrorLine
        Where errors are shown.
    choice : AttackChoice
        The model, space and direction.

    Attributes
    ----------
    attack : LiveAttack or None
        The cells and the model, once both are read.
    result : Attacked or None
        The attacked cells on display.
    flips : ndarray or None
        Smallest eps that changes the predicted class of each cell; None until it is searched for.
    """

    def __init__(
        self, viewer: Any, current: CurrentStudy, error_line: ErrorLine, choice: AttackChoice
    ) -> None:
        super().__init__()
        self.current, self.error_line, self.choice = current, error_line, choice
        self.attack: LiveAttack | None = None
        self.result: Attacked | None = None
        self.flips: np.ndarray | None = None
        self._complaint = ""
        self.load_call, self.flip_call = LatestCall(self), LatestCall(self)
        self.perturb_call = LatestCall(self, live=True)
        self.overlay = MovieOverlay(viewer, current)
        self._build()
        self._connect()

    def _build(self) -> None:
        self.slider = float_slider(
            "Set the magnitude ε: how far the attack may move each pixel or each latent.", 0.001, 3
        )
        self.unit = QLabel()
        self.flip_button = QPushButton("Find smallest ε")
        self.flip_button.setToolTip(
            "Find the smallest ε at which the predicted class changes, and move the slider there."
        )
        self.pictures = PictureGrid(_NO_CELLS, largest=LARGEST)
        self.pictures.setToolTip(
            "The cells before and after the attack, the difference, and the encoder's reconstruction. Click a cell to "
            "select it alone in every panel."
        )
        self.verdict = QLabel()
        self.verdict.setWordWrap(True)
        row = QHBoxLayout()
        row.addWidget(QLabel("ε"))
        row.addWidget(self.slider, 1)
        row.addWidget(self.unit)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(4, 4, 4, 4)
        layout.addLayout(row)
        layout.addWidget(self.flip_button)
        layout.addWidget(self.verdict)
        layout.addWidget(self.pictures)
        layout.addWidget(self.overlay)
        layout.addStretch(1)
        self.begin_space()

    def _connect(self) -> None:
        self.slider.valueChanged.connect(self.perturb)
        self.flip_button.clicked.connect(self.find_flips)
        self.pictures.picked.connect(self._pick)
        self.overlay.show_box.toggled.connect(self._toggle_overlay)
        self.load_call.returned.connect(self._prepared)
        self.load_call.failed.connect(self._not_prepared)
        self.flip_call.returned.connect(self._flipped)
        self.flip_call.failed.connect(self._not_flipped)
        self.perturb_call.returned.connect(self._perturbed)
        self.perturb_call.failed.connect(self._not_perturbed)

    def _pick(self, _: int, column: int) -> None:
        if self.attack is not None and len(self.attack.cells) > 1:  # a single cell fills all columns
            self.current.select([self.attack.cells[column]])

    def begin_space(self) -> None:
        """Set the slider to 0, with the range and the unit of the chosen space."""
        reach = REACH[self.choice.space]
        blocked = self.slider.blockSignals(True)
        self.slider.setRange(0.0, reach)
        self.slider.setValue(0.0)
        self.slider.blockSignals(blocked)
        self.unit.setText(UNITS[self.choice.space])

    def prepare(self) -> None:
        """Read the cells and the model; the live process starts only once there are cells to attack."""
        if self.error_line.text() == self._complaint:
            self.error_line.clear()
        saved, study = self.choice.classifier, self.current.study
        crops, selection = self.current.crops, self.current.selection
        if study is None:
            self.clear(NO_STUDY)
        elif saved is None:
            self.clear(TRAIN_FIRST)
        elif not self.choice.has_gradient(saved):
            self.clear(f"{_NO_GRADIENT} {self._remedy()}")
        elif crops is None or not selection:
            self.clear(_NO_CELLS)
        else:
            if self.attack is None:
                self.pictures.clear("Reading the classifier...")
            try:
                model = ModelFile.of(study, saved, self.choice.member)
            except MorpholawError as error:
                self._not_prepared(str(error))
                return
            direction = Direction(self.choice.space, self.choice.keep, self.choice.towards)
            self.load_call.start(
                prepare, self.current.live, model, saved.classes, direction, crops, selection[:SHOWN]
            )

    def _remedy(self) -> str:
        """Return what to do about a classifier that cannot be attacked because it reads measured shapes."""
        others = [record.label for record in self.choice.classifiers if self.choice.has_gradient(record)]
        if others:
            return f"Choose another one under Scheme, such as {others[0]}."
        return "Train scheme 1, or another one on latents, in the Classify panel."

    def clear(self, sentence: str) -> None:
        """Remove the cells and show a sentence instead."""
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
        self.clear("These cells cannot be attacked with these settings.")
        self._complaint = sentence
        self.error_line.say(sentence)

    def _prepared(self, attack: LiveAttack) -> None:
        self.error_line.clear()
        self.flip_call.forget()
        self.perturb_call.forget()
        self.attack, self.flips = attack, None
        self._enable(True)
        self.perturb()

    def perturb(self, *_: Any) -> None:
        """Attack the cells at the eps of the slider."""
        attack = self.attack
        if attack is not None:
            eps = float(self.slider.value())
            self.perturb_call.start(
                self.current.live.call,
                perturbed,
                attack.model,
                attack.images,
                eps,
                attack.space,
                attack.held,
                attack.towards,
            )

    def _not_perturbed(self, sentence: str) -> None:
        if self.result is None:  # there is no earlier result that could stay
            self._not_prepared(sentence)
        else:
            self.error_line.say(sentence)

    def _perturbed(self, result: Attacked) -> None:
        attack = self.attack
        if attack is None:
            return
        self.result = result
        self._show_images(attack, result)
        self.verdict.setText("\n".join(self._verdict(attack, result)))
        self._show_overlay()

    def _show_images(self, attack: LiveAttack, result: Attacked) -> None:
        white, limit = _limits(result)
        kinds = _kinds(result)
        tiles = np.stack(
            [
                signed_tiles(images, limit) if kind == DIFFERENCE else grey_tiles(images, high=white)
                for kind, images in kinds.items()
            ]
        )
        before = [number(score, sign=True) for score in result.scores]
        after = [number(score, sign=True) for score in result.perturbed_scores]
        if len(before) == 1:  # one cell has room for larger images
            what = "f" if len(attack.classes) == 2 else "lead"
            titles = [
                f"original: {what} = {before[0]}",
                f"perturbed: {what} = {after[0]}",
                *list(kinds)[2:],
            ]
            self.pictures.show_titled(tiles[:, 0], titles, columns=2)
            return
        captions = [f"f = {first}\n\u2192 {then}" for first, then in zip(before, after, strict=True)]
        if len(attack.classes) > 2:
            most = 20 if len(attack.cells) <= 2 else 12
            captions = [
                f"{_short(attack, old_class, most)}\n\u2192 {_short(attack, new_class, most)}"
                for old_class, new_class in zip(result.predicted, result.perturbed_predicted, strict=True)
            ]
        self.pictures.show_pictures(tiles, list(kinds), [f"#{cell}" for cell in attack.cells], captions)

    def _verdict(self, attack: LiveAttack, result: Attacked) -> list[str]:
        """Return which predicted classes change, as one line per statement."""
        flipped = result.flipped
        if len(flipped) == 1:
            before = _called(attack, result.predicted[0])
            after = _called(attack, result.perturbed_predicted[0])
            change = f"{before} \u2192 {after}" if flipped[0] else f"stays {before}"
        else:
            change = f"the predicted class changes for {int(flipped.sum())} of {len(flipped)} cells"
        lines = [f"ε = {number(result.eps, 3)}: {change}"]
        if self.flips is not None:
            texts = [
                f"#{cell} {number(flip, 3)}" if np.isfinite(flip) else f"#{cell} none up to {attack.reach:g}"
                for cell, flip in zip(attack.cells, self.flips, strict=True)
            ]
            what = "changes the predicted class"
            if attack.towards is not None:
                what = f"makes it {attack.classes[attack.towards]}"
            lines.append(f"Smallest ε that {what}: " + ", ".join(texts))
        if len(self.current.selection) > SHOWN:
            lines.append(f"The first {SHOWN} of {len(self.current.selection)} selected cells are shown.")
        return lines

    def _show_overlay(self) -> None:
        if self.overlay.wanted and self.result is not None and self.attack is not None:
            white, limit = _limits(self.result)
            first = {kind: images[0] for kind, images in _kinds(self.result).items()}
            self.overlay.show_cell(
                self.attack.cells[0], first, white, limit, self.attack.metadata(self.result.eps)
            )

    def _toggle_overlay(self, on: bool) -> None:
        if on:
            self._show_overlay()
        else:
            self.overlay.hide_cell()

    def find_flips(self) -> None:
        """Find the smallest eps that changes each cell's predicted class; set the slider to the first cell's."""
        if self.attack is not None:
            self.flip_button.setEnabled(False)
            attack = self.attack
            self.flip_call.start(
                self.current.live.call,
                smallest_flips,
                attack.model,
                attack.images,
                attack.space,
                attack.held,
                attack.towards,
            )

    def _not_flipped(self, sentence: str) -> None:
        self.flip_button.setEnabled(True)
        self.error_line.say(sentence)

    def _flipped(self, flips: np.ndarray) -> None:
        self.flip_button.setEnabled(True)
        self.flips = flips
        if np.isfinite(flips[0]):
            # round up, because at the slider's value the predicted class must have changed
            self.slider.setValue(min(self.slider.maximum(), float(np.ceil(flips[0] * 1000) / 1000)))
        self.perturb()


def _called(attack: LiveAttack, number: int) -> str:
    """Return the name of the class with a number, "undefined" for -1."""
    return attack.classes[number] if number >= 0 else UNDEFINED


def _short(attack: LiveAttack, number: int, most: int) -> str:
    """Return the name of a predicted class, shortened to fit under an image."""
    name = _called(attack, number)
    return name if len(name) <= most else f"{name[: most - 1]}…"


def _kinds(result: Attacked) -> dict[str, np.ndarray]:
    """Return the images (n, s, s) by kind; scheme 1 has no reconstruction."""
    images = (result.images, result.perturbed, result.difference, result.reconstruction)
    return {kind: stack for kind, stack in zip(KINDS, images, strict=True) if stack is not None}


def _limits(result: Attacked) -> tuple[float, float]:
    """Return the grey level shown as white, and the difference shown in the strongest colours."""
    return white_of(result.images), max(0.02, float(np.abs(result.difference).max()))
