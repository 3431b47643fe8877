"""Export of classes and probabilities to a copy of a btrack HDF5 file (``objects/<type>/labels``)."""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from morpholaw.cells.files import atomic_file
from morpholaw.cells.track_formats.btrack import read_objects
from morpholaw.cells.track_formats.classes import BTRACK_STATES as STATES
from morpholaw.errors import InputError, reason
from morpholaw.exchange.scores import Scores, check_copy, matched

if TYPE_CHECKING:
    import h5py


def write_btrack(path: str | os.PathLike[str], scores: Scores, original: str | os.PathLike[str]) -> Path:
    """Write a copy of a btrack file with the predicted classes as labels.

    A row of ``labels`` follows btrack's documentation: the class, then one softmax value for each of btrack's states
    (interphase, prometaphase, metaphase, anaphase, apoptosis). The values are computed from the cell's own scores (the
    logistic function for two classes, else the softmax), even if the class was inferred from the whole track. Objects
    without a score keep their class and have zeros as probabilities.

    Parameters
    ----------
    path : path
        File to write.
    scores : Scores
        Scores of the tracked cells.
    original : path
        The btrack file to copy.

    Returns
    -------
    Path

    Raises
    ------
    InputError
        If ``original`` is not a btrack file, is ``path`` itself or has other tracks than the scores, or if btrack has
        no state with the name of a class.
    """
    path, original = Path(path), Path(original)
    check_copy(path, original)
    codes = [_state(name) for name in scores.classes]
    objects, *_ = read_objects(original, scores.movie_shape)
    objects = objects[objects["object"] >= 0]
    rows = matched(scores, objects.assign(source_id=objects["object"].astype(str)), str(original))
    with atomic_file(path) as stream:
        with original.open("rb") as source:
            shutil.copyfileobj(source, stream)
        stream.flush()
        _relabel(Path(stream.name), rows, _Classes(codes, scores.class_scores), original)
    return path


def _state(name: str) -> int:
    if name.lower() not in STATES:
        raise InputError(f"btrack has no state {name!r}; its states are {', '.join(STATES)}.")
    return STATES.index(name.lower())


@dataclass(frozen=True)
class _Classes:
    """btrack's state for each class, and the score columns of the classes if there are more than two."""

    codes: list[int]
    columns: list[str]

    def shares(self, rows: pd.DataFrame) -> list[np.ndarray]:
        """Return the softmax values per row, one array per class."""
        if not self.columns:
            score = rows["score"].to_numpy(np.float64)
            positive = 0.5 * (
                1 + np.tanh(score / 2)
            )  # the logistic function in a form that does not overflow
            return [1 - positive, positive]
        scores = rows[self.columns].to_numpy(np.float64)
        values = np.exp(np.nan_to_num(scores - np.nanmax(scores, axis=1, keepdims=True), nan=-np.inf))
        return list((values / values.sum(axis=1, keepdims=True)).T)


def _relabel(copy: Path, rows: pd.DataFrame, classes: _Classes, original: Path) -> None:
    import h5py

    try:
        with h5py.File(copy, "r+") as file:
            for kind, of_kind in rows.groupby("kind"):
                _replace_labels(_inside(file, str(kind), original), of_kind, classes)
    except (OSError, KeyError, ValueError, TypeError, RuntimeError) as error:
        if isinstance(error, InputError):
            raise
        raise InputError(f"The copy of {original} cannot be written: {reason(error)}.") from error


def _inside(file: h5py.File, kind: str, original: Path) -> h5py.Group:
    """Return the group of one object type; reject links, whose targets would be overwritten."""
    import h5py

    for name in ("objects", f"objects/{kind}"):
        if not isinstance(file.get(name, getlink=True), h5py.HardLink):
            raise InputError(
                f"{original} has a link in place of {name}, and its target would be overwritten."
            )
    return file["objects"][kind]


def _replace_labels(group: h5py.Group, rows: pd.DataFrame, classes: _Classes) -> None:
    labels = np.zeros((len(group["coords"]), 1 + len(STATES)), np.float32)
    if "labels" in group:
        labels[:, 0] = group["labels"][:, 0]
        del group["labels"]
    else:
        labels[:, 0] = len(STATES)  # btrack's code for no state
    number = rows["object"].to_numpy()
    labels[number, 0] = np.array(classes.codes)[rows["code"].to_numpy(int)]
    for code, share in zip(classes.codes, classes.shares(rows), strict=True):
        labels[number, 1 + code] = share
    group.create_dataset("labels", data=labels)
