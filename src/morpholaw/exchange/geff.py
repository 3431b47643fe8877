"""Export of tracked cells to a GEFF graph with one node per cell and scores and classes as node properties."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from morpholaw.cells.cells_table import SOURCE_IDS
from morpholaw.cells.files import replace_folder, temporary_path
from morpholaw.cells.track_formats.geff import is_geff
from morpholaw.errors import InputError
from morpholaw.exchange.optional import require
from morpholaw.exchange.scores import Scores


def write_geff(path: str | os.PathLike[str], scores: Scores) -> Path:
    """Write the cells and their lineage to a GEFF graph.

    The axes are t (frames), y and x (pixels, with the scale to micrometres if known). Further node properties are
    track_id, score, class (text), and source_track and source_id (text) if the tracks file has its own ids.

    Parameters
    ----------
    path : path
        Folder to write; an existing GEFF graph is replaced.
    scores : Scores
        Scores of the tracked cells.

    Returns
    -------
    Path

    Raises
    ------
    InputError
        If the package geff is not installed, or ``path`` exists and is not a GEFF graph.
    """
    require("geff", "geff")
    from geff.core_io import write_arrays

    path = Path(path)
    if path.exists() and not is_geff(path):
        raise InputError(f"{path} already exists and is not a GEFF graph; choose another name.")
    table, ids = scores.table, np.arange(len(scores.table), dtype=np.uint64)
    undefined = ~np.isfinite(table["score"].to_numpy(np.float64))
    columns = {
        **{name: table[name].to_numpy() for name in ("t", "y", "x", "track_id")},
        "score": np.where(undefined, 0.0, table["score"]),
        **{name: table[name].to_numpy(str) for name in ("class", *SOURCE_IDS) if name in table},
    }
    properties: dict[str, Any] = {
        name: {"values": values, "missing": None} for name, values in columns.items()
    }
    if undefined.any():
        properties["score"]["missing"] = undefined
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = temporary_path(path)
    try:
        write_arrays(partial, ids, properties, lineage_edges(table), {}, _metadata(scores))
        replace_folder(partial, path)
    finally:
        shutil.rmtree(partial, ignore_errors=True)
    return path


def lineage_edges(table: pd.DataFrame) -> np.ndarray:
    """Return the edges of the lineage as pairs of row numbers, uint64 (edges, 2).

    Edges connect a cell with its next appearance, and a mother's last appearance with her daughters' first. ``table``
    must be sorted by track and frame. A daughter that appears before her mother's last frame has no mother.
    """
    track, t = table["track_id"].to_numpy(), table["t"].to_numpy()
    same = np.flatnonzero(track[:-1] == track[1:])
    along = np.column_stack([same, same + 1])
    first = np.flatnonzero(np.diff(track, prepend=-1))
    last = np.append(first[1:], len(track)) - 1
    mother = pd.Index(track[first]).get_indexer(table["parent"].to_numpy()[first])
    begun, parted = first[mother >= 0], last[mother[mother >= 0]]
    in_time = t[parted] < t[begun]
    divided = np.column_stack([parted, begun])[in_time]
    return np.concatenate([along, divided]).astype(np.uint64)


def _metadata(scores: Scores) -> object:
    from geff_spec import Axis, GeffMetadata

    scale = {"scale": scores.pixel_size, "scaled_unit": "micrometer"} if scores.pixel_size else {}
    axes = [
        Axis(name="t", type="time", unit="frame"),
        *(Axis(name=name, type="space", unit="pixel", **scale) for name in ("y", "x")),
    ]
    return GeffMetadata(directed=True, axes=axes, node_props_metadata={}, edge_props_metadata={})
