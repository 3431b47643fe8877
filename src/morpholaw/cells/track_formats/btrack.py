"""btrack HDF5 files: objects with class labels, and tracks that refer to them by number."""

from __future__ import annotations

import operator
import re
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from morpholaw.cells.hdf5_files import check_data, member
from morpholaw.cells.track_formats.classes import BTRACK_STATES
from morpholaw.cells.track_formats.facts import TrackContext, TrackFacts, Tracks
from morpholaw.errors import InputError, reason

if TYPE_CHECKING:
    import h5py

_SMALL = 2**24  # bytes
_SAMPLED = 4
"""Number of mask frames that are read to determine which coordinate is y."""
_OPERATORS = {
    **{"==": operator.eq, "=": operator.eq, "<": operator.lt, ">": operator.gt},
    **{"<=": operator.le, ">=": operator.ge},
}


def read_btrack(path: Path, context: TrackContext) -> Tracks:
    """Read the tracks of a btrack HDF5 file; see :func:`read_objects`.

    ``source_id`` is the number of the object and ``source_track`` is btrack's ID of the track.

    Raises
    ------
    InputError
        If the file is damaged or has no tracks.
    """
    objects, known, image = read_objects(path, context.movie_shape)
    number = objects["object"]
    raw = objects.drop(columns=["kind", "object"]).assign(source_id=number.astype(str).where(number >= 0, ""))
    notes = []
    if not known:
        notes.append(
            f"{path} does not show the order of its coordinates; btrack's documented order (t, x, y) is "
            "assumed. If crops miss their cells, exchange x and y (--swap-xy)."
        )
    facts = TrackFacts(
        format="btrack HDF5",
        image_size=None if image is None else (image[-2], image[-1]),
        frame_count=None if image is None else image[0],
        frame_numbering="as stored",
        unit="pixel",
        notes=notes,
        sources=dict.fromkeys(("image_size", "frame_count"), "the masks in the file")
        | {"unit": "btrack's format"},
    )
    return Tracks(raw, facts)


def read_objects(
    path: Path, movie_shape: tuple[int, int, int] | None = None
) -> tuple[pd.DataFrame, bool, tuple[int, ...] | None]:
    """Read the tracks of all object types in a btrack HDF5 file, with the class of every object.

    Parameters
    ----------
    path : Path
        File to read.
    movie_shape : tuple of int, optional
        (t, y, x) of the movie, which helps to determine which coordinate is y (see `_y_column`).

    Returns
    -------
    table : DataFrame
        Raw track table; ``kind`` is the object type, and ``object`` the row in its tables ``coords`` and ``labels``
        (-1 for a dummy).
    known : bool
        Whether it is certain which coordinate is y.
    image : tuple of int or None
        (t, y, x) of the masks in the file.

    Raises
    ------
    InputError
        If the file is damaged or has no tracks.
    """
    import h5py

    try:
        with h5py.File(path, "r") as file:
            if "tracks" not in file or "objects" not in file:
                raise InputError(
                    f"{path} contains {', '.join(file) or 'nothing'}; expected objects and tracks."
                )
            objects, tracks = member(file, "objects", path), member(file, "tracks", path)
            kinds = [kind for kind in tracks if kind in objects]
            masks = _masks(file)
            results = [_read_kind(file, kind, movie_shape, masks, path) for kind in kinds]
            image = None if masks is None else tuple(int(n) for n in masks.shape)
    except InputError:
        raise
    except (OSError, KeyError, ValueError, TypeError, IndexError, RuntimeError, MemoryError) as error:
        raise InputError(f"{path} cannot be read as a btrack file: {reason(error)}.") from error
    known = all(one for table, one in results if len(table))
    if not (tables := [table for table, _ in results if len(table)]):
        raise InputError(f"{path} has no tracks.")
    first_id = 0
    for table in tables:  # ids start again for every object type
        table.loc[table["parent"] >= 0, "parent"] += first_id
        table["track_id"] += first_id
        first_id = int(table["track_id"].max()) + 1
    return pd.concat(tables, ignore_index=True), known, image


def _masks(file: h5py.File) -> h5py.Dataset | None:
    """Return the masks (t, y, x) stored with the objects, or None."""
    import h5py

    if not isinstance(file.get("segmentation", getlink=True), h5py.HardLink):
        return None
    group = file["segmentation"]
    if not isinstance(group, h5py.Group) or not isinstance(group.get("images", getlink=True), h5py.HardLink):
        return None
    masks = group["images"]
    if not isinstance(masks, h5py.Dataset) or masks.ndim != 3 or masks.dtype.kind not in "ui":
        return None
    return None if masks.external or masks.is_virtual else masks


def _read_kind(
    file: h5py.File, kind: str, shape: tuple[int, int, int] | None, masks: h5py.Dataset | None, path: Path
) -> tuple[pd.DataFrame, bool]:
    objects, tracks = (member(member(file, name, path), kind, path) for name in ("objects", "tracks"))
    numbers, coords, labels = _objects(objects, tracks.attrs.get("f_expr"), path)
    refs = _values(tracks, "tracks", path).astype(np.int64).ravel()
    spans = _values(tracks, "map", path).astype(np.int64)
    lineage = _values(tracks, "LBEPR", path).astype(np.int64)
    dummies = _values(tracks, "dummies", path) if "dummies" in tracks else np.zeros((0, 5))
    _check_layout(coords, dummies, refs, spans, lineage, path)
    lengths = spans[:, 1] - spans[:, 0]
    order = np.concatenate([np.arange(a, b) for a, b in spans]) if len(spans) else np.zeros(0, np.int64)
    refs = refs[order]
    dummy = refs < 0
    real = refs[~dummy]
    made_up = -refs[dummy] - 1  # the dummies are numbered -1, -2, ...
    track_id = np.repeat(lineage[:, 0], lengths)
    y = _y_by_dummies(coords, dummies, refs, track_id)
    if y is None:
        y = _y_by_image(coords[refs[refs >= 0]], shape if masks is None else masks.shape, masks, path)
    known, y = y is not None, 2 if y is None else y
    place = np.zeros((len(refs), 3))
    place[~dummy] = coords[real][:, [0, y, 3 - y]]
    place[dummy] = dummies[made_up][:, [0, 2, 1]]
    label = np.full(len(refs), "", object)
    label[~dummy] = labels[real]
    number = np.full(len(refs), -1, np.int64)
    number[~dummy] = numbers[real]
    none = lineage[:, 3] == lineage[:, 0]
    if not (lineage[:, 0] == 0).any():
        none |= lineage[:, 3] == 0  # btrack's mark of a root
    table = pd.DataFrame(
        {
            "track_id": track_id,
            "t": place[:, 0],
            "y": place[:, 1],
            "x": place[:, 2],
            "parent": np.repeat(np.where(none, -1, lineage[:, 3]), lengths),
            "label": label,
            "dummy": dummy,
            "source_track": track_id.astype(str).astype(object),
            "kind": kind,
            "object": number,
        }
    )
    return table, known


def _objects(
    objects: h5py.Group, expression: object, path: Path
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the numbers, coordinates and class names of the tracked objects."""
    coords = _values(objects, "coords", path).astype(np.float64)
    codes = _values(objects, "labels", path)[:, 0] if "labels" in objects else np.full(len(coords), np.nan)
    names = {float(code): name for code, name in enumerate(BTRACK_STATES)}
    names |= {5.0: "", 99.0: ""}  # not classified; interpolated
    labels = np.array([names.get(float(c), "" if np.isnan(c) else f"{c:g}") for c in codes], object)
    kept = _filter(objects, str(expression), path) if expression else np.arange(len(coords))
    return kept, coords[kept], labels[kept]


def _values(group: h5py.Group, name: str, path: Path) -> np.ndarray:
    import h5py

    data = member(group, name, path)
    if not isinstance(data, h5py.Dataset) or data.dtype.kind not in "biuf":
        raise InputError(f"{path} has {name} of another type than btrack writes; expected numbers.")
    check_data(data, name, path)
    values: np.ndarray = data[...]
    return values


def _filter(objects: h5py.Group, expression: str, path: Path) -> np.ndarray:
    """Return the objects that pass btrack's filter, such as "area>100"; references count only those."""
    match = re.match(r"(\w+)(==|<=|>=|=|<|>)(\d+)", expression)
    values = member(objects, "properties", path) if "properties" in objects else objects
    if match is None or not (match[1] in values or match[1] in objects):
        raise InputError(
            f"{path} was tracked with the filter {expression!r}, but does not contain its property."
        )
    column = _values(values if match[1] in values else objects, match[1], path).ravel()
    return np.flatnonzero(_OPERATORS[match[2]](column, float(match[3])))


def _check_layout(
    coords: np.ndarray,
    dummies: np.ndarray,
    refs: np.ndarray,
    spans: np.ndarray,
    lineage: np.ndarray,
    path: Path,
) -> None:
    fits = (
        coords.ndim == 2
        and coords.shape[1] >= 3
        and dummies.ndim == 2
        and (len(dummies) == 0 or dummies.shape[1] >= 3)
        and spans.ndim == lineage.ndim == 2
        and len(spans) == len(lineage)
        and spans.shape[1] == 2
        and lineage.shape[1] >= 4
    )
    if not fits:
        raise InputError(f"{path} has tables of other shapes than btrack writes (coords, map, LBEPR).")
    inside = (spans >= 0).all() and (spans <= len(refs)).all() and (spans[:, 0] <= spans[:, 1]).all()
    if inside and np.diff(spans, axis=1).sum() > len(refs):
        raise InputError(f"{path} has tracks that share objects; expected each object in one track.")
    if not inside or refs.max(initial=-1) >= len(coords) or refs.min(initial=0) < -len(dummies):
        raise InputError(f"{path} has tracks that refer to missing objects.")


def _y_by_dummies(
    coords: np.ndarray, dummies: np.ndarray, refs: np.ndarray, track_id: np.ndarray
) -> int | None:
    """Return which column of ``coords`` is y: 2 as btrack documents (t, x, y, z), or 1 as in older files.

    Dummies are always written as (t, x, y, z), so a dummy near an object of its own track shows the order.
    """
    beside = np.flatnonzero((refs[:-1] >= 0) & (refs[1:] < 0) & (track_id[:-1] == track_id[1:]))
    if not len(beside):
        return None
    real = coords[refs[beside]][:, 1:3]
    near = dummies[-refs[beside + 1] - 1][:, 1:3]
    documented = np.median(np.hypot(*(real - near).T))
    swapped = np.median(np.hypot(*(real - near[:, ::-1]).T))
    return 2 if documented <= swapped else 1


def _y_by_image(
    coords: np.ndarray, shape: tuple[int, ...] | None, masks: h5py.Dataset | None, path: Path
) -> int | None:
    """Return the column of y for which positions are in the image or on the masks; None if both columns fit."""
    if shape is None or not len(coords):
        return None
    one, two = coords[:, 1].max(), coords[:, 2].max()
    height, width = shape[-2:]
    documented = two <= height and one <= width
    swapped = one <= height and two <= width
    if documented != swapped:
        return 2 if documented else 1
    if masks is None or not swapped or np.prod(masks.chunks or masks.shape[1:], dtype=float) > _SMALL:
        return None
    hits = {1: 0, 2: 0}
    frames = np.unique(coords[:, 0].astype(np.int64))
    for t in frames[np.linspace(0, len(frames) - 1, min(len(frames), _SAMPLED)).astype(int)].tolist():
        if not 0 <= t < masks.shape[0]:
            continue
        check_data(masks, "segmentation", path, range(t, t + 1))
        mask, places = masks[t], np.round(coords[coords[:, 0] == t, 1:3]).astype(np.int64)
        for y in hits:
            row, column = places[:, y - 1], places[:, 2 - y]
            inside = (row >= 0) & (row < height) & (column >= 0) & (column < width)
            hits[y] += int((mask[row[inside], column[inside]] > 0).sum())
    if hits[1] == hits[2]:
        return None
    return 2 if hits[2] > hits[1] else 1
