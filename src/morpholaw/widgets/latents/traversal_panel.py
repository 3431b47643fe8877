"""The Traversals tab: sliders with a live image, the grid of figure 4, and a table in which latents are named."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from napari.utils.notifications import show_info
from qtpy.QtWidgets import QComboBox, QHBoxLayout, QLabel, QPushButton, QVBoxLayout, QWidget

from morpholaw.errors import InputError, MorpholawError
from morpholaw.widgets.forms.error_line import ErrorLine
from morpholaw.widgets.jobs.latest_call import LatestCall
from morpholaw.widgets.latents.latent_sliders import LatentSliders
from morpholaw.widgets.latents.latent_space import (
    Grid,
    LatentSpace,
    Start,
    decode,
    grid_of,
    read_latent_space,
    start_of,
)
from morpholaw.widgets.latents.latent_table import LatentTable
from morpholaw.widgets.movie.movie_place import free_place
from morpholaw.widgets.pictures.figure_panel import FigurePanel
from morpholaw.widgets.pictures.picture_grid import PictureGrid, grey_tiles, signed_tiles, white_of
from morpholaw.widgets.study.current_study import CurrentStudy
from morpholaw.widgets.study.encoder_state import EncoderFile

if TYPE_CHECKING:
    from morpholaw.study import Study

PICKED = 6
"""Number of latents that are ticked at first, the most active ones."""
VALUES = tuple(np.linspace(-3.0, 3.0, 7).tolist())
"""Columns of the grid, in standard deviations of the prior (paper, fig. 4)."""
MEDIAN, SELECTED = "median cell", "selected cell"
_NO_ENCODER = "Train or load an encoder first; its latents appear here."
_NO_PICKS = "Tick latents in the table to move them."


class TraversalPanel(QWidget):
    """Ranks, moves and names the latents of the current study's encoder.

    Parameters
    ----------
    viewer : napari.Viewer
        The viewer to which the grid is added.
    current : CurrentStudy
        The study, and the selected cell that traversals may start from.
    error_line : ErrorLine
        Where errors are shown.
    """

    def __init__(self, viewer: Any, current: CurrentStudy, error_line: ErrorLine) -> None:
        super().__init__()
        self.viewer, self.current, self.error_line = viewer, current, error_line
        self.space: LatentSpace | None = None
        self._start: Start | None = None
        self.call, self.start_call = LatestCall(self), LatestCall(self)
        self.image_call = LatestCall(self, live=True)
        self.draw_call, self.layer_call = LatestCall(self), LatestCall(self)
        self._build()
        for call, take in (
            (self.call, self._loaded), (self.start_call, self._started), (self.image_call, self._decoded),
            (self.draw_call, self._draw_grid), (self.layer_call, self._add_layer),
        ):  # fmt: skip
            call.returned.connect(take)
            call.failed.connect(self._failed if call is self.call else self.error_line.say)
        self.clear(_NO_ENCODER)

    def _build(self) -> None:
        self.state = QLabel()
        self.state.setWordWrap(True)
        self.table = LatentTable()
        self.names_button = QPushButton("Use suggested names")
        self.names_button.setToolTip("Name each unnamed latent after the measured shape that it follows.")
        self.start_box = QComboBox()
        self.start_box.addItems([MEDIAN, SELECTED])
        self.start_box.setToolTip("Choose the cell whose latents the sliders start from.")
        self.reset_button = QPushButton("Reset sliders")
        self.reset_button.setToolTip("Set the sliders back to the latents of the chosen cell.")
        self.pictures = PictureGrid(_NO_PICKS, largest=140)
        self.pictures.setToolTip(
            "The image decoded from the latents, before and after you move the sliders, and the difference."
        )
        self.sliders = LatentSliders()
        self.grid_button = QPushButton("Draw grid")
        self.grid_button.setToolTip(
            "Draw one row of images per ticked latent, from −3 to 3 SD (paper, figure 4)."
        )
        self.layer_button = QPushButton("Add grid to viewer")
        self.layer_button.setToolTip(
            "Add the images of the grid to the viewer as a layer, beside the other layers."
        )
        self.figure = FigurePanel(self.viewer)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(4, 4, 4, 4)
        layout.addWidget(self.state)
        layout.addWidget(self.table, 1)
        layout.addLayout(_row(self.names_button, None))
        layout.addLayout(_row(QLabel("Start from"), self.start_box, self.reset_button, None))
        layout.addWidget(self.pictures)
        layout.addWidget(self.sliders)
        layout.addLayout(_row(self.grid_button, self.layer_button, None))
        layout.addWidget(self.figure)
        self.table.picked.connect(self._picked)
        self.table.named.connect(self.name)
        self.names_button.clicked.connect(self.name_as_suggested)
        self.start_box.currentIndexChanged.connect(self.restart)
        self.reset_button.clicked.connect(self.restart)
        self.sliders.moved.connect(self.decode)
        self.grid_button.clicked.connect(self.draw_grid)
        self.layer_button.clicked.connect(self.add_layer)

    def load(self) -> None:
        """Read the encoder of the current study in the live process."""
        study = self.current.study
        if study is None or not study.has_encoder:
            self.clear(self.current.or_no_study(_NO_ENCODER))
            return
        self.clear("Reading the encoder and measuring cells... The first time takes a few seconds.")
        with self.error_line.catch():
            self.call.start(self.current.live.call, read_latent_space, EncoderFile.of(study))

    def clear(self, sentence: str) -> None:
        """Remove all latents and show a sentence instead."""
        for call in (self.call, self.start_call, self.image_call, self.draw_call, self.layer_call):
            call.forget()
        self.space = self._start = None
        self.state.setText(sentence)
        self.state.setVisible(bool(sentence))
        self.table.clear_latents()
        self.sliders.show_latents([], {})
        self.pictures.clear("")
        self.figure.say("")
        self._enable(False)

    def _failed(self, sentence: str) -> None:
        self.clear("The encoder could not be read.")
        self.error_line.say(sentence)

    def _loaded(self, space: LatentSpace) -> None:
        self.space = space
        self.state.hide()
        picks = [int(latent) for latent in space.summary.ranking["latent"][:PICKED]]
        names = self._names()
        self.sliders.base = space.summary.median
        self.table.show_latents(space, names, picks)
        self.sliders.show_latents(picks, names)
        self._enable(True)
        self.restart()

    def _enable(self, on: bool) -> None:
        for widget in (
            self.table, self.names_button, self.start_box, self.reset_button, self.grid_button, self.layer_button,
        ):  # fmt: skip
            widget.setEnabled(on)

    def name(self, latent: int, name: str) -> None:
        """Name a latent in all panels and reports; an empty name removes it."""
        self.name_all({latent: name})

    def name_as_suggested(self) -> None:
        """Give each latent without a name the suggested one."""
        self.name_all(self.table.suggestions)

    def name_all(self, names: dict[int, str]) -> None:
        """Save names in the study and update all panels."""
        with self.error_line.catch():
            study: Study = self.current.required()
            for latent, name in names.items():
                study.name_latent(latent, name)
        self.current.names_changed.emit()

    def show_names(self) -> None:
        """Show the names of the latents in the study."""
        names = self._names()
        self.table.show_names(names)
        self.sliders.show_names(names)

    def _names(self) -> dict[int, str]:
        study = self.current.study
        try:
            return {} if study is None else study.latent_names
        except MorpholawError as error:
            self.error_line.say(str(error))
            return {}

    def restart(self, *_: Any) -> None:
        """Set the sliders to the latents of the chosen cell."""
        if self.space is None:
            return
        crop = None
        if self.start_box.currentText() == SELECTED:
            with self.error_line.catch():
                crop = self._selected_crop()
        self.start_call.start(
            self.current.live.call, start_of, self.space.file, crop, self.space.summary.median
        )

    def _started(self, start: Start) -> None:
        self._start = start
        self.sliders.start_from(start.base)

    def _selected_crop(self) -> np.ndarray:
        crops, selection = self.current.crops, self.current.selection
        if crops is None or not selection:
            raise InputError("No cell is selected; click one in the gallery or in the movie first.")
        return np.asarray(crops[selection[0]])

    def selection_changed(self) -> None:
        """Start from the newly selected cell, if traversals start from the selected cell."""
        if self.start_box.currentText() == SELECTED and self.current.selection:
            self.restart()

    def decode(self) -> None:
        """Decode the image at the point that the sliders are set to."""
        if self.space is not None:
            self.image_call.start(self.current.live.call, decode, self.space.file, self.sliders.point)

    def _decoded(self, moved: np.ndarray) -> None:
        start = self._start
        if start is None or moved.shape != start.decoded.shape:  # the image at the start is not decoded yet
            return
        white = white_of(start.decoded)
        images = {"reconstruction" if start.crop is not None else MEDIAN: start.decoded, "moved": moved}
        if start.crop is not None:
            images = {"crop": start.crop / np.float32(255), **images}
        grey = grey_tiles(np.stack(list(images.values())), high=white)
        change = signed_tiles(moved - start.decoded, white / 2)
        self.pictures.show_pictures(np.stack([*grey, change])[None], (), [*images, "difference"])

    def _picked(self, latents: list[int]) -> None:
        self.sliders.show_latents(latents, self._names())
        self.decode()

    def _ask_grid(self, call: LatestCall) -> None:
        """Compute the traversals of the ticked latents."""
        with self.error_line.catch():
            if self.space is None:
                raise InputError(_NO_ENCODER)
            picks = self.table.picks
            if not picks:
                raise InputError("No latent is ticked; tick one in the table to draw its row.")
            call.start(self.current.live.call, grid_of, self.space.file, self.sliders.base, picks, VALUES)

    def _titles(self, latents: list[int]) -> list[str]:
        names = self._names()
        return [names.get(latent, f"z{latent}") for latent in latents]

    def draw_grid(self) -> None:
        """Draw the traversals of the ticked latents (paper, figure 4)."""
        self._ask_grid(self.draw_call)

    def _draw_grid(self, grid: Grid) -> None:
        names = self._titles(grid.latents)
        self.figure.draw(lambda figsize, theme: _figure(grid.pictures, names, figsize, theme))

    def add_layer(self) -> None:
        """Add the traversals of the ticked latents to the viewer as one image, beside the other layers."""
        self._ask_grid(self.layer_call)

    def _add_layer(self, grid: Grid) -> None:
        names = self._titles(grid.latents)
        rows, columns, side, _ = grid.pictures.shape
        mosaic = grid.pictures.transpose(0, 2, 1, 3).reshape(rows * side, columns * side)
        metadata = {
            "latents": grid.latents,
            "names": names,
            "values": list(grid.values),
            "base": grid.base.tolist(),
        }
        self.viewer.add_image(
            mosaic,
            name="traversals",
            translate=free_place(self.viewer),
            contrast_limits=(0.0, white_of(mosaic)),
            metadata={"morpholaw": metadata},
        )
        self.viewer.reset_view()
        show_info(f"Added the traversals of {', '.join(names)} to the viewer.")


def _figure(pictures: np.ndarray, names: list[str], figsize: Any, theme: Any) -> Any:
    from morpholaw.figures.pictures import traversal_grid

    return traversal_grid(pictures, names, np.asarray(VALUES), figsize=figsize, theme=theme)


def _row(*widgets: QWidget | None) -> QHBoxLayout:
    """Lay out widgets side by side; None is a stretching space."""
    row = QHBoxLayout()
    for widget in widgets:
        if widget is None:
            row.addStretch(1)
        else:
            row.addWidget(widget)
    return row
