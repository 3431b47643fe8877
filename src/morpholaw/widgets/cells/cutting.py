"""The part of the cells panel that makes crops: of a movie with tracks, or of a folder of pictures."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from napari.layers import Image, Labels, Tracks
from qtpy.QtCore import Signal
from qtpy.QtWidgets import (
    QFileDialog,
    QFormLayout,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from morpholaw.config import CropConfig, ImportConfig
from morpholaw.errors import InputError
from morpholaw.jobs import Job
from morpholaw.widgets.forms.config_form import ConfigForm
from morpholaw.widgets.forms.error_line import ErrorLine
from morpholaw.widgets.forms.layer_choice import LayerChoice
from morpholaw.widgets.jobs.job_runner import JobRunner
from morpholaw.widgets.movie.layer_code import layers_code
from morpholaw.widgets.movie.layer_sources import movie_array, movie_path, tracks_table
from morpholaw.widgets.napari_readers.readers import lazy_movie, tracks_layer
from morpholaw.widgets.study.current_study import CurrentStudy


class CutFromMovie(QWidget):
    """Chooses the layers or files of a movie and its tracks, and cuts their cells.

    Notes
    -----
    ``size_changed`` is emitted when the size of a crop is edited.
    """

    size_changed = Signal()

    def __init__(
        self, viewer: Any, current: CurrentStudy, runner: JobRunner, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self.viewer, self.current, self.runner = viewer, current, runner
        self.image = LayerChoice(viewer, Image)
        self.tracks = LayerChoice(viewer, Tracks, Labels)
        self.tracks.setToolTip("Tracks, or labels whose numbers are track ids.")
        self.movie_button, self.tracks_button = QPushButton("File..."), QPushButton("File...")
        self.movie_button.setToolTip("TIFF or OME-TIFF stack, or the first frame of a folder of frames.")
        self.tracks_button.setToolTip(
            "btrack HDF5, TrackMate XML, napari tracks CSV, CTC man_track.txt, label stack."
        )
        self.form = ConfigForm(CropConfig, fields=("size", "pixel_size"))
        self.cut_button = QPushButton("Cut crops")
        self.error_line = ErrorLine()
        rows = QFormLayout()
        rows.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.AllNonFixedFieldsGrow)
        for name, choice, button in (
            ("movie", self.image, self.movie_button), ("tracks", self.tracks, self.tracks_button)
        ):  # fmt: skip
            row = QHBoxLayout()
            row.addWidget(choice, 1)
            row.addWidget(button)
            rows.addRow(name, row)
        layout = QVBoxLayout(self)
        layout.addLayout(rows)
        for part in (self.form, self.cut_button, self.error_line):
            layout.addWidget(part)
        layout.addStretch()
        self.cut_button.clicked.connect(self.cut)
        self.movie_button.clicked.connect(self._ask_movie)
        self.tracks_button.clicked.connect(self._ask_tracks)
        self.form.editors["size"].changed.connect(self._size_edited)

    @property
    def crop_size(self) -> int:
        """Side of a crop, in pixels."""
        return int(self.form.editors["size"].value)

    def _size_edited(self, _: int) -> None:
        self.size_changed.emit()

    def open_movie(self, path: Path | str) -> None:
        """Add a movie's file as a layer that reads a frame when it is shown, and choose it."""
        with self.error_line.catch():
            data, options, _ = lazy_movie(path)
            self.image.choose(self.viewer.add_image(data, **options))

    def open_tracks(self, path: Path | str) -> None:
        """Add a file of tracks as a layer and choose it."""
        with self.error_line.catch():
            movie = self.image.layer
            data, options, _ = tracks_layer(path, self.form.config().pixel_size or _pixel_size(movie))
            if movie is not None:
                options |= {"scale": movie.scale[-3:], "translate": movie.translate[-3:]}
            self.tracks.choose(self.viewer.add_tracks(data, **options))

    def cut(self) -> None:
        """Cut the cells: in a child process where the movie is a file, in a thread where it is an array."""
        with self.error_line.catch():
            study, config = self.current.required(), self.form.config()
            movie = self.image.layer
            array = movie_array(movie)
            table = tracks_table(self.tracks.layer, movie)
            path = movie_path(movie)
            if path is None:
                settings = {"name": movie.name, **self.form.values()}
                code = layers_code(study.path, "crop", movie, self.tracks.layer, settings)
                self.runner.run("crop", study.crop, array, table, name=movie.name, config=config, python=code)
                return
            from morpholaw.cells.tracks import write_tracks_csv

            tracks = write_tracks_csv(
                study.path / "tracks" / f"{study.new_set_folder(movie.name).name}.csv", table
            )
            arguments = {"movie": str(path), "tracks": str(tracks), "name": movie.name}
            self.runner.start(Job("crop", str(study.path), self.form.values(), arguments))

    def _ask_movie(self) -> None:
        path, _ = QFileDialog.getOpenFileName(
            self, "Open a movie", self._start(), "Movies (*.tif *.tiff *.png)"
        )
        if path:
            self.open_movie(Path(path).parent if path.lower().endswith(".png") else path)

    def _ask_tracks(self) -> None:
        kinds = "Tracks (*.h5 *.hdf5 *.xml *.csv *.txt *.tif *.tiff)"
        path, _ = QFileDialog.getOpenFileName(self, "Open tracks", self._start(), kinds)
        if path:
            self.open_tracks(path)

    def _start(self) -> str:
        return "" if self.current.study is None else str(self.current.study.path.parent)


class ImportFolder(QWidget):
    """Imports a folder of crops, labelled by its subfolders."""

    def __init__(self, current: CurrentStudy, runner: JobRunner, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.current, self.runner = current, runner
        self.folder = QLineEdit()
        self.folder.setPlaceholderText("folder of crops")
        self.browse_button = QPushButton("Folder...")
        self.form = ConfigForm(ImportConfig, fields=("classes", "group_regex", "size"))
        self.form.editors["classes"].native.setPlaceholderText(
            "metaphase=Metaphase, Aligned; interphase=Interphase"
        )
        self.import_button = QPushButton("Import crops")
        self.error_line = ErrorLine()
        row = QHBoxLayout()
        row.addWidget(self.folder, 1)
        row.addWidget(self.browse_button)
        layout = QVBoxLayout(self)
        layout.addLayout(row)
        for part in (self.form, self.import_button, self.error_line):
            layout.addWidget(part)
        layout.addStretch()
        self.browse_button.clicked.connect(self._ask)
        self.import_button.clicked.connect(self.start)

    def start(self) -> None:
        """Import the folder in a child process."""
        with self.error_line.catch():
            study = self.current.required()
            self.form.config()
            folder = self.folder.text().strip()
            if not folder or not Path(folder).is_dir():
                raise InputError(f"There is no folder {folder!r}; choose the one that holds the crops.")
            self.runner.start(Job("import_crops", str(study.path), self.form.values(), {"folder": folder}))

    def _ask(self) -> None:
        if path := QFileDialog.getExistingDirectory(self, "Choose a folder of crops"):
            self.folder.setText(path)


class ImportLabels(QWidget):
    """Takes labels from a CSV table, and writes them to one.

    Notes
    -----
    ``imported`` is emitted after labels were taken over.
    """

    imported = Signal()

    def __init__(self, current: CurrentStudy, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.current = current
        words = QLabel(
            "A table with a column label and one of: crop; file; track_id with t. Labels of btrack's classes and of "
            "a tracks layer's feature 'label' come in when crops are cut."
        )
        words.setWordWrap(True)
        self.import_button, self.export_button = QPushButton("Import CSV..."), QPushButton("Export CSV...")
        self.error_line = ErrorLine()
        row = QHBoxLayout()
        row.addWidget(self.import_button)
        row.addWidget(self.export_button)
        layout = QVBoxLayout(self)
        layout.addWidget(words)
        layout.addLayout(row)
        layout.addWidget(self.error_line)
        layout.addStretch()
        self.import_button.clicked.connect(self._ask_import)
        self.export_button.clicked.connect(self._ask_export)

    def take(self, path: Path | str) -> None:
        """Take the labels of a CSV: of the set it names, or of the only or newest set."""
        from napari.utils.notifications import show_info

        with self.error_line.catch():
            study = self.current.required()
            if self.current.crops is None:
                raise InputError("The study has no crops to label; cut or import some first.")
            sets = self.current.crops.sets
            named = [one for one in sets if one.name in _sets_named(path)] or sets[-1:]
            count = sum(study.annotations.import_csv(path, one) for one in named)
            self.imported.emit()
            show_info(f"Took {count:,} labels from {Path(path).name}.")

    def write(self, path: Path | str) -> None:
        """Write all labels of the study as CSV."""
        from napari.utils.notifications import show_info

        with self.error_line.catch():
            study = self.current.required()
            study.annotations.export_csv(path, *study.sets)
            show_info(f"Wrote the labels to {path}.")

    def _ask_import(self) -> None:
        path, _ = QFileDialog.getOpenFileName(self, "Import labels", "", "CSV (*.csv)")
        if path:
            self.take(path)

    def _ask_export(self) -> None:
        path, _ = QFileDialog.getSaveFileName(self, "Export labels", "labels.csv", "CSV (*.csv)")
        if path:
            self.write(path)


def _pixel_size(movie: Any) -> float | None:
    """Micrometres per pixel that the movie's layer states by its units."""
    if movie is None or str(movie.units[-1]) not in ("micrometer", "um"):
        return None
    return float(movie.scale[-1])


def _sets_named(path: Path | str) -> set[str]:
    """Values of the CSV's column "set"; none where it has none or can't be read, which the import then says."""
    import pandas as pd

    try:
        return set(pd.read_csv(path, usecols=["set"], dtype=str)["set"])
    except (OSError, ValueError):
        return set()
