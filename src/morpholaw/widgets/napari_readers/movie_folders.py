"""Reader for folders dropped on the viewer: frames of a movie, or a data set of the Cell Tracking Challenge (CTC)."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from morpholaw.widgets.napari_readers.readers import (
    LayerData,
    Reader,
    lazy_movie,
    lazy_stack,
    study_reader,
    tracks_layer,
    tracks_reader,
)

_SEQUENCE = re.compile(r"\d{2,}(_[A-Z]+)?$")
_ANNOTATIONS = ("GT", "RES", "ST")
"""Suffixes of folders with tracks, in order of preference: ground truth, result of a tracker, silver truth."""


@dataclass(frozen=True)
class CtcSequence:
    """A sequence of a CTC data set.

    Attributes
    ----------
    name : str
        Number of the sequence, such as "02".
    frames : Path
        Folder with the frames, such as 02; the data set itself if the movie is a single file in it.
    tracks : Path
        Folder with the tracks, in 02_GT or 02_RES, for example.
    """

    name: str
    frames: Path
    tracks: Path


def folder_reader(path: str | Sequence[str]) -> Reader | None:
    """Return napari's reader for a folder with the frames of a movie or a CTC data set; None for a study or tracks."""
    if not isinstance(path, (str, os.PathLike)) or not Path(path).is_dir():
        return None
    if study_reader(path) is not None or tracks_reader(path) is not None:
        return None
    return folder_layers


def folder_layers(path: str | os.PathLike[str]) -> list[LayerData]:
    """Return the layers for a folder: movie, masks and tracks of a CTC sequence, or a movie.

    Raises
    ------
    InputError
        If the folder contains neither.
    """
    from napari.utils.notifications import show_info

    sequences = ctc_sequences(Path(path))
    if not sequences:
        return [lazy_movie(path)]
    if len(sequences) > 1:
        others = ", ".join(sequence.name for sequence in sequences[1:])
        show_info(
            f"Opened sequence {sequences[0].name} of {Path(path).name}. To open another one ({others}), drop its "
            "folder and the folder of its tracks."
        )
    return ctc_layers(Path(path), sequences[0])


def ctc_sequences(folder: Path) -> list[CtcSequence]:
    """Return the sequences of a CTC data set that have tracks, sorted by name; none for any other folder."""
    names = sorted({d.name.split("_")[0] for d in folder.iterdir() if d.is_dir() and _SEQUENCE.match(d.name)})
    tracks = {name: place for name in names if (place := _tracks_of(folder, name)) is not None}
    in_folders = [
        CtcSequence(name, folder / name, place) for name, place in tracks.items() if (folder / name).is_dir()
    ]
    if not in_folders and len(tracks) == 1:  # the frames are in a single file beside the tracks
        return [CtcSequence(name, folder, place) for name, place in tracks.items()]
    return in_folders


def _tracks_of(folder: Path, name: str) -> Path | None:
    from morpholaw.cells.track_formats.ctc import ctc_folder

    places = (ctc_folder(folder / f"{name}_{kind}") for kind in _ANNOTATIONS)
    return next((place for place in places if place is not None), None)


def ctc_layers(folder: Path, sequence: CtcSequence) -> list[LayerData]:
    """Return the movie of a CTC sequence, its masks (hidden; their values are track ids) and its tracks as layers."""
    name = f"{folder.name} {sequence.name}"
    movie, movie_options, _ = lazy_movie(sequence.frames)
    masks, mask_options, _ = lazy_masks(sequence.tracks)
    tracks, track_options, _ = tracks_layer(sequence.tracks)
    return [
        (movie, {**movie_options, "name": name}, "image"),
        (masks, {**mask_options, "name": f"{name} masks"}, "labels"),
        (tracks, {**track_options, "name": f"{name} tracks"}, "tracks"),
    ]


def lazy_masks(folder: Path) -> LayerData:
    """Return a folder of masks as a hidden labels layer that reads each frame when it is shown."""
    from morpholaw.cells.movies import open_masks

    masks = open_masks(folder)

    def read(t: int) -> np.ndarray:
        return masks.frame(t).astype(np.int32, copy=False)

    return lazy_stack(read, masks.shape, np.dtype(np.int32)), {"visible": False, "opacity": 0.4}, "labels"
