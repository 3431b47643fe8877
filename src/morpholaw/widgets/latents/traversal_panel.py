"""What each latent looks like: sliders that decode live, the grid of figure 4, and a table to name them in."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from napari.utils.notifications import show_info
from qtpy.QtWidgets import QComboBox, QHBoxLayout, QLabel, QPushButton, QVBoxLayout, QWidget

from morpholaw.errors import InputError
from morpholaw.widgets.forms.error_line import ErrorLine
from morpholaw.widgets.jobs.latest_call import LatestCall
from morpholaw.widgets.latents.latent_sliders import LatentSliders
from morpholaw.widgets.latents.latent_space import (
    Grid,
    LatentSpace,
    decode,
    grid_of,
    read_latent_space,
    start_of,
)
from morpholaw.widgets.latents.latent_table import LatentTable
from morpholaw.widgets.movie.beside_layers import free_place
from morpholaw.widgets.pictures.figure_panel import FigurePanel
from morpholaw.widgets.pictures.picture_grid import PictureGrid, grey_tiles, signed_tiles, white_of
from morpholaw.widgets.study.current_study import CurrentStudy
from morpholaw.widgets.study.encoder_file import EncoderFile

if TYPE_CHECKING:
    from morpholaw.study import Study

PICKED = 6
"""Latents that are ticked to begin with: the most active ones."""
VALUES = tuple(np.linspace(-3.0, 3.0, 7).tolist())
"""Columns of the grid, in standard deviations of the prior (paper, fig. 4)."""
_NO_ENCODER = "Train or load an encoder first; its latents show here."
_NO_PICKS = "Tick latents in the table to move them."


class TraversalPanel(QWidget):
    """Ranks, moves and names the latents of the current study's encoder.

    Parameters
    ----------
    viewer : napari.Viewer
        Where "Add as layer" adds to.
    current : CurrentStudy
        The study, and the selected cell that traversals may start from.
    error_line : ErrorLine
        Where to complain.
    """

    def __init__(self, viewer: Any, current: CurrentStudy, error_line: ErrorLine) -> None:
        super().__init__()
        self.viewer, self.current, self.error_line = viewer, current, error_line
        self.space: LatentSpace | None = None
        self._start = np.zeros((1, 1), np.float32)
        self._white = 1.0
        self.call, self.start_call = LatestCall(self), LatestCall(self)
        self.picture_call = LatestCall(self, live=True)
        self.draw_call, self.layer_call = LatestCall(self), LatestCall(self)
        self._build()
        for call, take in (
            (self.call, self._loaded), (self.start_call, self._started), (self.picture_call, self._decoded),
            (self.draw_call, self._draw_grid), (self.layer_call, self._add_layer),
        ):  # fmt: skip
            call.returned.connect(take)
            call.failed.connect(self._failed if call is self.call else self.error_line.say)
        self.clear(_NO_ENCODER)

    def _build(self) -> None:
        self.state = QLabel()
        self.state.setWordWrap(True)
        self.table = LatentTable()
        self.take_names = QPushButton("Use suggested names")
        self.take_names.setToolTip("Name every unnamed latent by the measured shape that it follows.")
        self.start_box = QComboBox()
        self.start_box.addItems(["median cell", "selected cell"])
        self.start_box.setToolTip("The cell whose latents are moved.")
        self.reset_button = QPushButton("Reset")
        self.reset_button.setToolTip("Put the sliders back to where the cell is.")
        self.pictures = PictureGrid(_NO_PICKS, largest=110)
        self.sliders = LatentSliders()
        self.grid_button = QPushButton("Draw grid")
        self.grid_button.setToolTip("A row for each ticked latent, from -3 to 3 (paper, figure 4).")
        self.layer_button = QPushButton("Add as layer")
        self.layer_button.setToolTip("Put the grid's pictures into the viewer, beside what is there.")
        self.figure = FigurePanel(self.viewer)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 4, 0, 0)
        layout.addWidget(self.state)
        layout.addWidget(self.table)
        layout.addLayout(_row(self.take_names, None))
        layout.addLayout(_row(QLabel("Start from"), self.start_box, self.reset_button, None))
        layout.addWidget(self.pictures)
        layout.addWidget(self.sliders)
        layout.addLayout(_row(self.grid_button, self.layer_button, None))
        layout.addWidget(self.figure)
        layout.addStretch(1)
        self.table.picked.connect(self._picked)
        self.table.named.connect(self.name)
        self.take_names.clicked.connect(self.name_as_suggested)
        self.start_box.currentIndexChanged.connect(self.restart)
        self.reset_button.clicked.connect(self.restart)
        self.sliders.moved.connect(self.decode)
        self.grid_button.clicked.connect(self.draw_grid)
        self.layer_button.clicked.connect(self.add_layer)

    # ---- reading the encoder

    def load(self) -> None:
        """Read the current study's encoder in the live process."""
        study = self.current.study
        if study is None or not study.has_encoder:
            self.clear("Open a study first." if study is None else _NO_ENCODER)
            return
        self.clear("Reading the encoder and measuring cells...")
        with self.error_line.catch():
            self.call.start(self.current.live.call, read_latent_space, EncoderFile.of(study))

    def clear(self, sentence: str) -> None:
        """Show a sentence and no latents."""
        for call in (self.call, self.start_call, self.picture_call, self.draw_call, self.layer_call):
            call.forget()
        self.space = None
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
        picks = [int(latent) for latent in space.ranking["latent"][:PICKED]]
        names = self._names()
        self.sliders.base = space.median
        self.table.show_latents(
            space.ranking, space.correlations, space.suggestions, names, picks, space.kinds
        )
        self.sliders.show_latents(picks, names)
        self._enable(True)
        self.restart()

    def _enable(self, on: bool) -> None:
        for widget in (
            self.table, self.take_names, self.start_box, self.reset_button, self.grid_button, self.layer_button,
        ):  # fmt: skip
            widget.setEnabled(on)

    # ---- names

    def name(self, latent: int, name: str) -> None:
        """Give a latent a name, used everywhere after; an empty one takes it away."""
        self.name_all({latent: name})

    def name_as_suggested(self) -> None:
        """Name every latent that has a suggestion and no name yet."""
        names = self._names()
        self.name_all({z: name for z, name in self.table.suggestions.items() if z not in names})

    def name_all(self, names: dict[int, str]) -> None:
        """Write these names to the study and tell every widget."""
        with self.error_line.catch():
            study: Study = self.current.required()
            for latent, name in names.items():
                study.name_latent(latent, name)
        self.current.names_changed.emit()

    def show_names(self) -> None:
        """Show the study's names for the latents."""
        names = self._names()
        self.table.show_names(names)
        self.sliders.show_names(names)

    def _names(self) -> dict[int, str]:
        study = self.current.study
        try:
            return {} if study is None else study.latent_names
        except InputError as error:
            self.error_line.say(str(error))
            return {}

    # ---- moving latents

    def restart(self, *_: Any) -> None:
        """Put the sliders at the chosen cell."""
        if self.space is None:
            return
        crop = None
        if self.start_box.currentIndex() == 1:
            with self.error_line.catch():
                crop = self._selected_crop()
        self.start_call.start(self.current.live.call, start_of, self.space.file, crop, self.space.median)

    def _started(self, start: tuple[np.ndarray, np.ndarray]) -> None:
        base, self._start = start
        self._white = white_of(self._start)
        self.sliders.start_from(base)

    def _selected_crop(self) -> np.ndarray:
        crops, selection = self.current.crops, self.current.selection
        if crops is None or not selection:
            raise InputError("No cell is selected; click one in the gallery or the movie first.")
        return np.asarray(crops[selection[0]])

    def selection_changed(self) -> None:
        """Follow the selected cell where traversals start from it."""
        if self.start_box.currentIndex() == 1 and self.current.selection:
            self.restart()

    def decode(self) -> None:
        """Show the picture at the sliders' point, beside the one that they started from, soon."""
        if self.space is not None:
            self.picture_call.start(self.current.live.call, decode, self.space.file, self.sliders.point)

    def _decoded(self, moved: np.ndarray) -> None:
        if moved.shape != self._start.shape:  # the start is not there yet
            return
        both = grey_tiles(np.stack([self._start, moved]), high=self._white)
        change = signed_tiles(moved - self._start, self._white / 2)
        self.pictures.show_pictures(np.stack([*both, change])[None], (), ("start", "moved", "difference"))

    def _picked(self, latents: list[int]) -> None:
        self.sliders.show_latents(latents, self._names())
        self.decode()

    # ---- the grid

    def _ask_grid(self, call: LatestCall) -> None:
        """Have the ticked latents traversed."""
        with self.error_line.catch():
            if self.space is None:
                raise InputError(_NO_ENCODER)
            picks = self.table.picks
            if not picks:
                raise InputError("No latent is ticked; tick one in the table to draw its row.")
            call.start(self.current.live.call, grid_of, self.space.file, self.sliders.base, picks, VALUES)

    def _called(self, latents: list[int]) -> list[str]:
        names = self._names()
        return [names.get(latent, f"z{latent}") for latent in latents]

    def draw_grid(self) -> None:
        """Draw the ticked latents as figure 4 does, soon."""
        self._ask_grid(self.draw_call)

    def _draw_grid(self, grid: Grid) -> None:
        names = self._called(grid.latents)
        self.figure.draw(lambda figsize, theme: _figure(grid.pictures, names, figsize, theme))

    def add_layer(self) -> None:
        """Add the grid to the viewer as one image, beside the layers that are there, soon."""
        self._ask_grid(self.layer_call)

    def _add_layer(self, grid: Grid) -> None:
        names = self._called(grid.latents)
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
        show_info(f"The traversals of {', '.join(names)} were added as a layer.")


def _figure(pictures: np.ndarray, names: list[str], figsize: Any, theme: Any) -> Any:
    from morpholaw.figures.pictures import traversal_grid

    return traversal_grid(pictures, names, np.asarray(VALUES), figsize=figsize, theme=theme)


def _row(*widgets: QWidget | None) -> QHBoxLayout:
    """Widgets beside each other; None is a space that stretches."""
    row = QHBoxLayout()
    for widget in widgets:
        if widget is None:
            row.addStretch(1)
        else:
            row.addWidget(widget)
    return row
