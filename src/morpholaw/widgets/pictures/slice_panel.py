"""A function of the latents over two of them, the others on sliders, with decoded cells along both axes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from qtpy.QtCore import Qt, QTimer
from qtpy.QtWidgets import QFormLayout, QHBoxLayout, QLabel, QPushButton, QVBoxLayout, QWidget
from superqt import QLabeledDoubleSlider

from morpholaw.study import Study
from morpholaw.widgets.forms.narrow_combo import narrow_combo
from morpholaw.widgets.jobs.latest_call import LatestCall
from morpholaw.widgets.pictures.figure_panel import FigurePanel

STEPS = 49
LIMIT = 3.0  # the prior is a unit Gaussian: 99.7 % lies within
PICTURES = (-3.0, -1.5, 0.0, 1.5, 3.0)


@dataclass(frozen=True)
class Response:
    """What is shown.

    Attributes
    ----------
    function : callable
        Values (n,) of latents (n, total).
    latents : tuple of int
        Those that it depends on.
    total : int
        Latents of the encoder.
    name, title : str
        What the values are, and a line above.
    """

    function: Callable[[np.ndarray], np.ndarray]
    latents: tuple[int, ...]
    total: int
    name: str = "f"
    title: str = ""


@dataclass(frozen=True)
class _Slice:
    """One slice, computed: ``y`` is None for a curve over ``x``."""

    x: int
    y: int | None
    axis: np.ndarray
    values: np.ndarray
    pictures_x: np.ndarray | None = None
    pictures_y: np.ndarray | None = None


@dataclass
class _Encoder:
    """The study's encoder, opened by the first worker that needs it."""

    study: Study
    network: Any = field(default=None)

    def opened(self) -> Any:
        if self.network is None and self.study.has_encoder:
            self.network = self.study.encoder
        return self.network


class SlicePanel(QWidget):
    """Shows a :class:`Response`; everything but the drawing happens in a thread, and the latest request wins.

    Parameters
    ----------
    viewer : napari.Viewer
        Its theme is the figure's.
    sentence : str
        What stands here while there is nothing to show.
    """

    def __init__(self, viewer: Any, sentence: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.empty_sentence = sentence
        self.response: Response | None = None
        self.names: dict[int, str] = {}
        self.base = np.zeros(0)
        self.shown: _Slice | None = None
        self.sliders: dict[int, QLabeledDoubleSlider] = {}
        self._encoder: _Encoder | None = None
        self._call = LatestCall(self)
        self._call.returned.connect(self._take)
        self._call.failed.connect(self._refuse)
        self._stale = False
        self._build(viewer)

    def _build(self, viewer: Any) -> None:
        self.x, self.y = narrow_combo(), narrow_combo()
        self.x.setObjectName("x axis")
        self.y.setObjectName("y axis")
        self.centre = QPushButton("All to 0")
        self.centre.setToolTip("Set the other latents to 0, the mean of the prior.")
        axes = QHBoxLayout()
        for label, box in (("across", self.x), ("up", self.y)):
            axes.addWidget(QLabel(label))
            axes.addWidget(box, 1)
        axes.addWidget(self.centre)
        self._controls = QWidget()
        self._rows = QFormLayout()
        self._rows.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.AllNonFixedFieldsGrow)
        controls = QVBoxLayout(self._controls)
        controls.setContentsMargins(0, 0, 0, 0)
        controls.addLayout(axes)
        controls.addLayout(self._rows)
        self.figure = FigurePanel(viewer, self.empty_sentence)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self._controls)
        layout.addWidget(self.figure)
        layout.addStretch(1)
        self._controls.hide()
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(40)
        self._timer.timeout.connect(self._compute)
        self.x.currentIndexChanged.connect(self._axes_changed)
        self.y.currentIndexChanged.connect(self._axes_changed)
        self.centre.clicked.connect(self._to_centre)

    # ---- what to show

    def set_study(self, study: Study | None) -> None:
        """Decode by another study's encoder, and show nothing."""
        self._encoder = None if study is None else _Encoder(study)
        self.clear()

    def clear(self, sentence: str = "") -> None:
        """Show a sentence only."""
        self.response = self.shown = None
        self._stale = False
        self._timer.stop()
        self._call.forget()
        self._controls.hide()
        self.figure.say(sentence or self.empty_sentence)

    def show_response(self, response: Response, names: dict[int, str]) -> None:
        """Show a response; latents that were chosen before stay chosen where it depends on them."""
        before = (self.x.currentData(), self.y.currentData())
        kept = self.base if len(self.base) == response.total else np.zeros(response.total)
        self.response, self.names, self.base = response, names, kept
        others = [z for z in range(response.total) if z not in response.latents]
        for box in (self.x, self.y):
            box.blockSignals(True)
            box.clear()
            for latent in (*response.latents, *others):
                box.addItem(self._called(latent), latent)
            if box is self.y and len(response.latents) < 2:
                box.insertItem(0, "(curve)", None)
            box.blockSignals(False)
        usual = (
            [*response.latents, None][:2] if len(response.latents) == 1 else [*response.latents, *others][:2]
        )
        wanted = before if set(before) <= set(response.latents) and before[0] != before[1] else usual
        for box, latent in zip((self.x, self.y), wanted, strict=False):
            box.blockSignals(True)
            box.setCurrentIndex(max(0, box.findData(latent)))
            box.blockSignals(False)
        self._controls.show()
        self._make_sliders()
        self.ask()

    @property
    def axes(self) -> tuple[int, int | None]:
        """The latents across and up; None up for a curve."""
        return self.x.currentData(), self.y.currentData()

    def ask(self) -> None:
        """Compute and draw soon."""
        self._stale = self.response is not None
        if self._stale and self.isVisible():
            self._timer.start()

    def showEvent(self, event: Any) -> None:
        """Compute what was asked for while the panel was hidden."""
        super().showEvent(event)
        if self._stale:
            self.ask()

    # ---- controls

    def _called(self, latent: int) -> str:
        word = self.names.get(latent)
        return f"{word} (z{latent})" if word else f"z{latent}"

    def _axes_changed(self) -> None:
        x, y = self.axes
        if x == y:  # the other axis takes another latent, so that every choice is a plot
            box = self.y if self.sender() is self.x else self.x
            box.blockSignals(True)
            box.setCurrentIndex(next(i for i in range(box.count()) if box.itemData(i) not in (x, None)))
            box.blockSignals(False)
        self._make_sliders()
        self.ask()

    def _make_sliders(self) -> None:
        while self._rows.rowCount():
            self._rows.removeRow(0)
        self.sliders = {}
        for latent in self.response.latents if self.response else ():
            if latent in self.axes:
                continue
            slider = QLabeledDoubleSlider(Qt.Orientation.Horizontal)
            slider.setRange(-LIMIT, LIMIT)
            slider.setDecimals(2)
            slider.setSingleStep(0.1)
            slider.setValue(float(self.base[latent]))
            slider.valueChanged.connect(lambda value, latent=latent: self._moved(latent, value))
            self._rows.addRow(self._called(latent), slider)
            self.sliders[latent] = slider
        self.centre.setVisible(bool(self.sliders))

    def _moved(self, latent: int, value: float) -> None:
        self.base[latent] = value
        self.ask()

    def _to_centre(self) -> None:
        self.base[:] = 0
        for slider in self.sliders.values():
            slider.setValue(0.0)
        self.ask()

    # ---- the work

    def _compute(self) -> None:
        if self.response is None:
            return
        if (
            self._call.running
        ):  # a slider moves faster than pictures are made: wait, and ask for the last place
            self._timer.start()
            return
        self._stale = False
        x, y = self.axes
        base = self.base.copy()
        base[[latent for latent in (x, y) if latent is not None]] = 0
        if self.shown is None:
            self.figure.say("Drawing...")
        self._call.start(_computed, self.response, x, y, base, self._encoder)

    def _take(self, found: _Slice) -> None:
        response, names, held = self.response, self.names, self._held()
        if response is None:
            return
        self.shown = found
        self.figure.draw(lambda figsize, theme: _figure(response, found, names, held, figsize, theme))

    def _refuse(self, sentence: str) -> None:
        self.figure.say(sentence)

    def _held(self) -> str:
        return ", ".join(f"{self._called(latent)} = {self.base[latent]:.2g}" for latent in self.sliders)


def _computed(
    response: Response, x: int, y: int | None, base: np.ndarray, encoder: _Encoder | None
) -> _Slice:
    """The slice; torch is loaded here, in the worker's thread."""
    from morpholaw.probes.boundary import slice_scores
    from morpholaw.probes.traversal import traverse

    axis = np.linspace(-LIMIT, LIMIT, STEPS)
    chosen = [x] if y is None else [y, x]
    with np.errstate(all="ignore"):  # where a law is not finite the map stays empty
        values = slice_scores(response.function, base, chosen, axis)
    network = encoder.opened() if encoder is not None else None
    if network is None:
        return _Slice(x, y, axis, values)
    pictures = traverse(network, base, chosen, PICTURES)
    return _Slice(x, y, axis, values, pictures[-1], None if y is None else pictures[0])


def _figure(
    response: Response, found: _Slice, names: dict[int, str], held: str, figsize: Any, theme: Any
) -> Any:
    from morpholaw.figures.response import response_map_1d, response_map_2d

    def called(latent: int) -> str:
        return names.get(latent, f"z{latent}")

    at = None if found.pictures_x is None else np.asarray(PICTURES)
    title = response.title + (f"\n{held}" if held else "")
    if found.y is None:
        return response_map_1d(
            found.axis, readable(found.values, empty=True), called(found.x),
            pictures=found.pictures_x, picture_values=at, response_name=response.name, title=title or None,
            theme=theme, figsize=figsize,
        )  # fmt: skip
    return response_map_2d(
        found.axis, found.axis, readable(found.values), (called(found.x), called(found.y)),
        pictures_x=found.pictures_x, values_x=at, pictures_y=found.pictures_y, values_y=at,
        arrows=0, response_name=response.name, title=title or None, theme=theme, figsize=figsize,
    )  # fmt: skip


def readable(values: np.ndarray, empty: bool = False) -> np.ndarray:
    """Values cut where a few run away, so that the rest can be told apart; signs stay as they are.

    With ``empty`` the places beyond are not finite, and a curve leaves the plot there.
    """
    sizes = np.abs(values[np.isfinite(values)])
    limit = 6 * float(np.median(sizes)) if sizes.size else 0.0
    if not 0 < limit < sizes.max(initial=0):
        return values
    return np.where(np.abs(values) > limit, np.nan, values) if empty else np.clip(values, -limit, limit)


def named(names: Sequence[str], words: dict[int, str]) -> dict[str, str]:
    """Words for the latents of a law: {"z3": "size"} of ("z3", "z17") and {3: "size"}."""
    return {name: words[int(name[1:])] for name in names if int(name[1:]) in words}
