"""Cut crops from a movie: choose the movie and its tracks, check that they fit, and edit the settings."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from napari.layers import Image, Labels, Tracks
from qtpy.QtCore import Signal
from qtpy.QtWidgets import (
    QComboBox,
    QFileDialog,
    QFormLayout,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from morpholaw.config import CropConfig
from morpholaw.jobs import Job
from morpholaw.widgets.cells.input_check import CUT_ANYWAY, InputCheck
from morpholaw.widgets.cells.movie_channels import channels_of, one_channel, pixel_size_of
from morpholaw.widgets.forms.config_form import ConfigForm
from morpholaw.widgets.forms.confirm import confirmed
from morpholaw.widgets.forms.error_line import ErrorLine
from morpholaw.widgets.forms.layer_choice import LayerChoice
from morpholaw.widgets.forms.narrow_inputs import narrow_combo
from morpholaw.widgets.jobs.job_runner import TITLES, JobRunner
from morpholaw.widgets.movie.layer_sources import layers_code, movie_array, movie_path, tracks_table
from morpholaw.widgets.napari_readers.readers import lazy_movie, tracks_layer
from morpholaw.widgets.study.current_study import CurrentStudy

if TYPE_CHECKING:
    import pandas as pd

    from morpholaw.cells.inspection import InputReport

MAIN = ("size", "pixel_size")
"""Settings that are always shown; the others are in the section "Advanced"."""
_INSIST = f'Nothing was cut. To cut anyway, tick "{CUT_ANYWAY}".'


@dataclass(frozen=True)
class _Inputs:
    """The chosen movie and tracks.

    Attributes
    ----------
    layer : napari.layers.Image
        The layer with the movie.
    pixels : array
        Frames of the movie, (t, y, x).
    path : Path or None
        File with the same frames; None if there is none.
    tracks : DataFrame
        Tracks, in pixels of the movie.
    name : str
        Name of the movie in messages and tables.
    """

    layer: Any
    pixels: Any
    path: Path | None
    tracks: pd.DataFrame
    name: str


class CutFromMovie(QWidget):
    """Form that cuts crops from a movie and its tracks, given as layers or files.

    Notes
    -----
    ``size_changed`` is emitted when the user edits the crop size.
    """

    size_changed = Signal()

    def __init__(self, viewer: Any, current: CurrentStudy, runner: JobRunner) -> None:
        super().__init__()
        self.viewer, self.current, self.runner = viewer, current, runner
        self._cuts_after_check = False
        self._build()
        self.cut_button.clicked.connect(self.cut)
        self.inputs.check_button.clicked.connect(self.check)
        self.inputs.call.returned.connect(self._checked)
        self.inputs.call.failed.connect(self._not_checked)
        self.movie_button.clicked.connect(self._ask_movie)
        self.tracks_button.clicked.connect(self._ask_tracks)
        self.form.editors["size"].changed.connect(self._size_edited)
        self.image.layer_changed.connect(self._movie_changed)
        self.tracks.layer_changed.connect(self.inputs.clear)
        self._movie_changed()

    def _build(self) -> None:
        self.image = LayerChoice(self.viewer, Image)
        self.image.setToolTip("Choose the image layer that shows the cells.")
        self.tracks = LayerChoice(self.viewer, Tracks, Labels)
        self.tracks.setToolTip(
            "Choose the tracks layer of the cells, or a labels layer whose values are track ids."
        )
        self.movie_button, self.tracks_button = QPushButton("Open..."), QPushButton("Open...")
        self.movie_button.setToolTip("Open a movie: a TIFF stack, or the first image of a folder of frames.")
        self.tracks_button.setToolTip(
            "Open a file of tracks: btrack HDF5, TrackMate XML, napari tracks CSV, CTC man_track.txt, or a label stack."
        )
        self.channel: QComboBox = narrow_combo("channel")
        self.channel.setToolTip("Choose the channel that shows the nuclei.")
        advanced = [name for name in CropConfig.model_fields if name not in (*MAIN, "force")]
        self.form = ConfigForm(CropConfig, fields=MAIN, advanced=advanced)
        self.scale = QLabel()
        self.scale.setWordWrap(True)
        self.inputs = InputCheck(self.form.by_labels)
        self.cut_button = QPushButton("Cut crops")
        self.cut_button.setToolTip(
            "Cut a crop around each tracked cell in each frame, into a new set of the study."
        )
        self.error_line = ErrorLine()
        self._rows = QFormLayout()
        self._rows.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.AllNonFixedFieldsGrow)
        for name, choice, button in (
            ("Movie", self.image, self.movie_button), ("Tracks", self.tracks, self.tracks_button)
        ):  # fmt: skip
            row = QHBoxLayout()
            row.addWidget(choice, 1)
            row.addWidget(button)
            self._rows.addRow(name, row)
        self._rows.addRow("Channel", self.channel)
        buttons = QHBoxLayout()
        buttons.addWidget(self.inputs.check_button)
        buttons.addWidget(self.cut_button)
        layout = QVBoxLayout(self)
        layout.addLayout(self._rows)
        for part in (self.form, self.scale, self.inputs):
            layout.addWidget(part)
        layout.addLayout(buttons)
        layout.addWidget(self.error_line)
        layout.addStretch()
        self.channel.currentIndexChanged.connect(self.inputs.clear)

    @property
    def crop_size(self) -> int:
        """Side of a crop, in pixels."""
        return int(self.form.editors["size"].value)

    def open_movie(self, path: Path | str) -> None:
        """Add the movie in a file as a layer that reads each frame when it is shown, and choose that layer."""
        with self.error_line.catch():
            data, options, _ = lazy_movie(path)
            self.image.choose(self.viewer.add_image(data, **options))

    def open_tracks(self, path: Path | str) -> None:
        """Add the tracks in a file as a layer, and choose that layer."""
        with self.error_line.catch():
            movie = self.image.layer
            stated = None if movie is None else pixel_size_of(movie)
            data, options, _ = tracks_layer(path, self.form.values().get("pixel_size") or stated)
            if movie is not None:
                options |= {"scale": movie.scale[-3:], "translate": movie.translate[-3:]}
            self.tracks.choose(self.viewer.add_tracks(data, **options))

    def check(self) -> None:
        """Show how the movie and the tracks are understood, and what is doubtful about them."""
        with self.error_line.catch():
            self._start_check()
            self._cuts_after_check = False

    def cut(self) -> None:
        """Check the inputs, then cut the crops; stop at contradictions unless the user asks to cut anyway."""
        with self.error_line.catch():
            self.current.required()
            self._start_check()
            self._cuts_after_check = True

    def _start_check(self) -> None:
        self.form.config()
        chosen, config = self._chosen(), CropConfig.from_values(self._values())
        source = chosen.path if chosen.path is not None else chosen.pixels
        self.inputs.check(source, chosen.tracks, config)

    def _not_checked(self, sentence: str) -> None:
        self._cuts_after_check = False
        self.error_line.say(self.form.by_labels(sentence))

    def _checked(self, report: InputReport) -> None:
        cuts_now, self._cuts_after_check = self._cuts_after_check, False
        if not cuts_now:
            return
        if report.contradictions and not self.inputs.force_box.isChecked():
            self.error_line.say(f"{self.form.by_labels(report.contradictions[0])} {_INSIST}")
            return
        with self.error_line.catch():
            self._cut(self._chosen())

    def _cut(self, chosen: _Inputs) -> None:
        """Cut in a child process if the movie is a file, in a thread if it is an array."""
        study, values = self.current.required(), self._values()
        config = CropConfig.from_values(values)
        replaced = self._replaced_set(chosen)
        if replaced is None:
            return
        replace = {"replace": True} if replaced else {}
        if chosen.path is None:
            code = ""
            if not self.channel.count():
                settings = {"name": chosen.name, **replace, **values}
                code = layers_code(study.path, "crop", chosen.layer, self.tracks.layer, settings)
            self.runner.run(
                TITLES["crop"], study.crop, chosen.pixels, chosen.tracks,
                name=chosen.name, config=config, python=code, in_words=self.form.by_labels, **replace,
            )  # fmt: skip
            return
        from morpholaw.cells.files import write_table

        file = study.path / "tracks" / f"{study.new_set_folder(chosen.name).name}.csv"
        tracks = write_table(file, chosen.tracks)
        arguments = {"movie": str(chosen.path), "tracks": str(tracks), "name": chosen.name, **replace}
        self.runner.start(Job("crop", str(study.path), values, arguments), in_words=self.form.by_labels)

    def _replaced_set(self, chosen: _Inputs) -> str | None:
        """Return the set to replace: the one cut earlier from this movie, or "" if there is none.

        Returns None if the user wants to keep that set.
        """
        crops = self.current.crops
        shape = tuple(chosen.pixels.shape[-3:])
        for crop_set in () if crops is None else reversed(crops.sets):
            movie = crop_set.record.movie
            if movie is None or (movie.name, tuple(movie.shape)) != (chosen.name, shape):
                continue
            question = (
                f"The study already has crops of this movie: the set {crop_set.name} with {len(crop_set):,} crops. "
                "Replace them? Cells keep the labels that were given by hand."
            )
            return crop_set.name if confirmed(self, "Replace crops", question) else None
        return ""

    def _chosen(self) -> _Inputs:
        """Return the chosen movie and tracks; raise InputError if they cannot be used."""
        layer, name = self.image.layer, ""
        if layer is not None and self.channel.count():
            pixels, path = one_channel(layer, self.channel.currentIndex()), None
            name = f"{layer.name} {self.channel.currentText()}"
        else:
            pixels = movie_array(layer)
            path, name = movie_path(layer), layer.name
        return _Inputs(layer, pixels, path, tracks_table(self.tracks.layer, layer), name)

    def _values(self) -> dict[str, Any]:
        """Return the settings; where no pixel size is typed, that of the layer is used."""
        values = self.form.values()
        stated = self._stated_pixel_size()
        if stated is not None:
            values.setdefault("pixel_size", stated)
        if self.channel.count():
            values.pop("channel", None)  # the frames already hold one channel only
        if self.inputs.force_box.isChecked():
            values["force"] = True
        return values

    def _stated_pixel_size(self) -> float | None:
        return None if self.image.layer is None else pixel_size_of(self.image.layer)

    def _size_edited(self, _: int) -> None:
        self.size_changed.emit()

    def _movie_changed(self) -> None:
        """List the channels of the chosen layer and show the pixel size that it states."""
        layer = self.image.layer
        channels = None if layer is None else channels_of(layer)
        self.channel.clear()
        self.channel.addItems([] if channels is None else list(channels.names))
        self._rows.setRowVisible(self.channel, channels is not None)
        stated = self._stated_pixel_size()
        self.scale.setVisible(stated is not None)
        if stated is not None:
            self.scale.setText(
                f"The layer states {stated:.4g} µm per pixel. This is used if no pixel size is typed above."
            )
        self.inputs.clear()

    def _ask_movie(self) -> None:
        path, _ = QFileDialog.getOpenFileName(
            self, "Open a movie", self._folder(), "Movies (*.tif *.tiff *.png)"
        )
        if path:
            self.open_movie(Path(path).parent if path.lower().endswith(".png") else path)

    def _ask_tracks(self) -> None:
        kinds = "Tracks (*.h5 *.hdf5 *.xml *.csv *.txt *.tif *.tiff)"
        path, _ = QFileDialog.getOpenFileName(self, "Open tracks", self._folder(), kinds)
        if path:
            self.open_tracks(path)

    def _folder(self) -> str:
        return "" if self.current.study is None else str(self.current.study.path.parent)
