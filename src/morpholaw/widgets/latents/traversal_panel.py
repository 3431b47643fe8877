"""What each latent looks like: sliders that decode live, the grid of figure 4, and a table to name them in."""

from __future__ import annotations

from typing import Any

import numpy as np
from napari.utils.notifications import show_info
from qtpy.QtWidgets import QComboBox, QHBoxLayout, QLabel, QPushButton, QVBoxLayout, QWidget

from morpholaw.errors import InputError
from morpholaw.study import Study
from morpholaw.widgets.forms.error_line import ErrorLine
from morpholaw.widgets.jobs.latest_call import LatestCall
from morpholaw.widgets.latents.latent_sliders import LatentSliders
from morpholaw.widgets.latents.latent_space import LatentSpace, read_latent_space
from morpholaw.widgets.latents.latent_table import LatentTable
from morpholaw.widgets.movie.beside_layers import free_place
from morpholaw.widgets.pictures.figure_panel import FigurePanel
from morpholaw.widgets.pictures.picture_grid import PictureGrid, grey_tiles, signed_tiles, white_of
from morpholaw.widgets.study.current_study import CurrentStudy

PICKED = 6
"""Latents that are ticked to begin with: the most active ones."""
VALUES = tuple(np.linspace(-3.0, 3.0, 7))
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
        self.call = LatestCall(self)
        self.call.returned.connect(self._loaded)
        self.call.failed.connect(self._failed)
        self._build()
        self.clear(_NO_ENCODER)

    def _build(self) -> None:
        self.state = QLabel()
        self.state.setWordWrap(True)
        self.table = LatentTable()
        self.take_names = QPushButton("Use suggested names")
        self.take_names.setToolTip("Name every unnamed latent by the measured shape that it follows.")
        self.start_box = QComboBox()
        self.start_box.addItems(["mean cell", "selected cell"])
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
        """Read the current study's encoder in a thread."""
        study = self.current.study
        if study is None or not study.has_encoder:
            self.clear("Open a study first." if study is None else _NO_ENCODER)
            return
        self.clear("Reading the encoder and measuring cells...")
        self.call.start(read_latent_space, study)

    def clear(self, sentence: str) -> None:
        """Show a sentence and no latents."""
        self.call.forget()
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
        self.sliders.base = np.zeros(space.latents, np.float32)
        self.table.show_latents(space.ranking, space.correlations, space.suggestions, names, picks)
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
        base = np.zeros(self.space.latents, np.float32)
        if self.start_box.currentIndex() == 1:
            with self.error_line.catch():
                base = self.space.encode(self._selected_crop())
        self._start = self.space.decode(base)
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
        """Show the picture at the sliders' point, beside the one that they started from."""
        if self.space is None:
            return
        moved = self.space.decode(self.sliders.point)
        both = grey_tiles(np.stack([self._start, moved]), high=self._white)
        change = signed_tiles(moved - self._start, self._white / 2)
        self.pictures.show_pictures(np.stack([*both, change])[None], (), ("start", "moved", "difference"))

    def _picked(self, latents: list[int]) -> None:
        self.sliders.show_latents(latents, self._names())
        self.decode()

    # ---- the grid

    def _grid(self) -> tuple[np.ndarray, list[str], list[int]]:
        """Pictures (latents, values, s, s) of the ticked latents with their names."""
        if self.space is None:
            raise InputError(_NO_ENCODER)
        picks, names = self.table.picks, self._names()
        if not picks:
            raise InputError("No latent is ticked; tick one in the table to draw its row.")
        shown = [names.get(latent, f"z{latent}") for latent in picks]
        return self.space.traverse(self.sliders.base, picks, VALUES), shown, picks

    def draw_grid(self) -> None:
        """Draw the ticked latents as figure 4 does."""
        with self.error_line.catch():
            pictures, names, _ = self._grid()
            self.figure.draw(lambda figsize, theme: _figure(pictures, names, figsize, theme))

    def add_layer(self) -> None:
        """Add the grid to the viewer as one image, beside the layers that are there."""
        with self.error_line.catch():
            pictures, names, picks = self._grid()
            rows, columns, side, _ = pictures.shape
            mosaic = pictures.transpose(0, 2, 1, 3).reshape(rows * side, columns * side)
            metadata = {
                "latents": picks,
                "names": names,
                "values": list(VALUES),
                "base": self.sliders.base.tolist(),
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
