"""btrack HDF5: objects with class labels, and tracks that refer to them by number."""

from __future__ import annotations

import operator
import re
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from morpholaw.errors import InputError, reason

if TYPE_CHECKING:
    import h5py

STATES = ("interphase", "prometaphase", "metaphase", "anaphase", "apoptosis")
_SMALL = 2**24  # bytes
_DENSEST = 1100
_OPERATORS = {
    **{"==": operator.eq, "=": operator.eq, "<": operator.lt, ">": operator.gt},
    **{"<=": operator.le, ">=": operator.ge},
}


def read_btrack(path: Path, movie_shape: tuple[int, int, int] | None = None) -> pd.DataFrame:
    """Read the tracks in a btrack HDF5 file; see :func:`read_objects`, whose ``kind`` and ``object`` are left out."""
    return read_objects(path, movie_shape).drop(columns=["kind", "object"])


def read_objects(path: Path, movie_shape: tuple[int, int, int] | None = None) -> pd.DataFrame:
    """Read the tracks of every object type in a btrack HDF5 file, with the class of every object.

    ``kind`` is the object type and ``object`` the row of its tables ``coords`` and ``labels``, -1 for a dummy.
    ``movie_shape`` (t, y, x) helps where the file does not show which coordinate is y (see `_y_column`).

    Raises
    ------
    InputError
        The file is damaged, or holds no tracks.
    """
    import h5py

    try:
        with h5py.File(path, "r") as file:
            if "tracks" not in file or "objects" not in file:
                raise InputError(
                    f"{path} holds {', '.join(file) or 'nothing'}, but objects and tracks were expected."
                )
            kinds = [kind for kind in file["tracks"] if kind in file["objects"]]
            tables = [_read_kind(file, kind, movie_shape, path) for kind in kinds]
    except InputError:
        raise
    except (OSError, KeyError, ValueError, TypeError, IndexError, RuntimeError, MemoryError) as error:
        raise InputError(f"{path} is not a btrack file that can be read: {reason(error)}.") from error
    if not (tables := [table for table in tables if len(table)]):
        raise InputError(f"{path} holds no tracks.")
    first_id = 0
    for table in tables:  # ids start again in every object type
        table.loc[table["parent"] >= 0, "parent"] += first_id
        table["track_id"] += first_id
        first_id = (
            int(table["track_id"].max(initial=first_id) if len(table) == 0 else table["track_id"].max()) + 1
        )
    return pd.concat(tables, ignore_index=True)


def _read_kind(file: h5py.File, kind: str, shape: tuple[int, int, int] | None, path: Path) -> pd.DataFrame:
    objects, tracks = file["objects"][kind], file["tracks"][kind]
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
    if shape is None and "segmentation" in file and "images" in file["segmentation"]:
        shape = file["segmentation"]["images"].shape
    y = _y_column(coords, dummies, refs, track_id, shape)
    place = np.zeros((len(refs), 3))
    place[~dummy] = coords[real][:, [0, y, 3 - y]]
    place[dummy] = dummies[made_up][:, [0, 2, 1]]
    label = np.full(len(refs), "", object)
    label[~dummy] = labels[real]
    number = np.full(len(refs), -1, np.int64)
    number[~dummy] = numbers[real]
    return pd.DataFrame(
        {
            "track_id": track_id,
            "t": place[:, 0],
            "y": place[:, 1],
            "x": place[:, 2],
            "parent": np.repeat(np.where(lineage[:, 3] == lineage[:, 0], -1, lineage[:, 3]), lengths),
            "label": label,
            "dummy": dummy,
            "kind": kind,
            "object": number,
        }
    )


def _objects(
    objects: h5py.Group, expression: object, path: Path
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Numbers, coordinates and class names of the objects that were tracked."""
    coords = _values(objects, "coords", path).astype(np.float64)
    codes = _values(objects, "labels", path)[:, 0] if "labels" in objects else np.full(len(coords), np.nan)
    names = {float(code): name for code, name in enumerate(STATES)}
    labels = np.array([names.get(float(c), "" if np.isnan(c) else f"{c:g}") for c in codes], object)
    kept = _filter(objects, str(expression), path) if expression else np.arange(len(coords))
    return kept, coords[kept], labels[kept]


def _values(group: h5py.Group, name: str, path: Path) -> np.ndarray:
    import h5py

    if isinstance(group.get(name, getlink=True), h5py.ExternalLink):
        raise InputError(f"{path} has {name} in another file, which is not read.")
    found = group[name]
    if not isinstance(found, h5py.Dataset) or found.dtype.kind not in "biuf":
        raise InputError(f"{path} has {name} of another kind than btrack writes: numbers were expected.")
    if found.external or found.is_virtual:
        raise InputError(f"{path} has the values of {name} in another file, which is not read.")
    # A header can claim values that nothing in the file stands for; compression makes a byte of a thousand at most.
    if found.nbytes > max(_SMALL, _DENSEST * found.id.get_storage_size()):
        raise InputError(f"{path} claims {found.size} values in {name}, more than it holds.")
    return found[...]


def _filter(objects: h5py.Group, expression: str, path: Path) -> np.ndarray:
    """Objects that btrack's filter, e.g. "area>100", let through; references count only those."""
    found = re.match(r"(\w+)(==|<=|>=|=|<|>)(\d+)", expression)
    values = objects.get("properties", objects)
    if found is None or not (found[1] in values or found[1] in objects):
        raise InputError(
            f"{path} was tracked with the filter {expression!r}, whose property it does not hold."
        )
    column = _values(values if found[1] in values else objects, found[1], path).ravel()
    return np.flatnonzero(_OPERATORS[found[2]](column, float(found[3])))


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
    if not inside or refs.max(initial=-1) >= len(coords) or refs.min(initial=0) < -len(dummies):
        raise InputError(f"{path} has tracks that refer to objects which are not in the file.")


def _y_column(
    coords: np.ndarray,
    dummies: np.ndarray,
    refs: np.ndarray,
    track_id: np.ndarray,
    shape: tuple[int, ...] | None,
) -> int:
    """Which column of ``coords`` is y: 2, as btrack documents (t, x, y, z), or 1, as older files have it.

    Dummies are always written (t, x, y, z), so a dummy beside an object of its own track shows the order.
    Without dummies, coordinates that fit in the image one way only do.
    """
    beside = np.flatnonzero((refs[:-1] >= 0) & (refs[1:] < 0) & (track_id[:-1] == track_id[1:]))
    if len(beside):
        real = coords[refs[beside]][:, 1:3]
        near = dummies[-refs[beside + 1] - 1][:, 1:3]
        documented = np.median(np.hypot(*(real - near).T))
        swapped = np.median(np.hypot(*(real - near[:, ::-1]).T))
        return 2 if documented <= swapped else 1
    if shape is not None and len(coords):
        one, two = coords[:, 1].max(), coords[:, 2].max()
        height, width = shape[-2:]
        if two > height and two <= width and one <= height:
            return 1
    return 2
