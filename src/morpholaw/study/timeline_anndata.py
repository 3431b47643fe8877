"""A timeline as AnnData's .h5ad: tracked cells x classes, the time that each cell spent in each class."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pandas as pd

from morpholaw import __version__
from morpholaw.evaluation.timeline import Timeline
from morpholaw.exchange.anndata import write_anndata


def write_timeline_anndata(timeline: Timeline, path: Path | str | os.PathLike[str]) -> Path:
    """Write a timeline as an AnnData file, whole or not at all.

    ``X`` is the time that a cell was seen in a class. The layer ``seen_whole`` says where that is all of it: 1 where
    every phase of the class was seen from its beginning to its end, 0 where one was under way when the cell came into
    sight or was lost, or where there was none. ``uns`` has the tables of phases and events; their column ``cell`` holds
    the names of the rows.

    Parameters
    ----------
    timeline : Timeline
    path : path
        The file; one that is there is replaced.

    Returns
    -------
    Path
        The file.
    """
    cells, classes = timeline.lineages.cells, list(timeline.classes)
    names = (cells["movie"].astype(str) + "/" + cells["track_id"].astype(str)).to_numpy(object)
    phases = timeline.phases[timeline.phases["class"].isin(classes)]
    by_class = phases.assign(cut=phases["left_censored"] | phases["right_censored"]).groupby(
        ["cell", "class"]
    )
    time = _wide(by_class["duration"].sum(), cells.index, classes)
    whole = _wide(1.0 - by_class["cut"].max(), cells.index, classes)
    of_movie = timeline.phases.drop_duplicates("movie").set_index("movie")[["condition", "replicate"]]
    obs = cells[["movie", "track_id", "first", "last", "division"]].join(of_movie, on="movie")
    obs["mother"] = np.where(cells["mother"] >= 0, names[cells["mother"]], "")
    obs["family"] = names[cells["lineage"]]
    obs.index = pd.Index(names)
    tables = {name: _named(getattr(timeline, name), names) for name in ("phases", "events")}
    about = {"morpholaw_version": __version__, "unit": timeline.unit.name, "notes": "\n".join(timeline.notes)}
    return write_anndata(
        path,
        time,
        obs,
        pd.DataFrame({"mitotic": [name in timeline.mitotic for name in classes]}, index=pd.Index(classes)),
        {"seen_whole": whole},
        about | tables,
    )


def _wide(values: pd.Series, cells: pd.Index, classes: list[str]) -> np.ndarray:
    """Return values by cell and class as float32 (cells, classes), 0 where a cell never was in a class."""
    table = values.unstack(fill_value=0.0).reindex(index=cells, columns=classes, fill_value=0.0)
    wide: np.ndarray = table.to_numpy(np.float32)
    return wide


def _named(table: pd.DataFrame, names: np.ndarray) -> pd.DataFrame:
    """Return a table of a timeline in which cells have the names of the file's rows."""
    if not len(table):
        return table
    return table.assign(cell=names[table["cell"].to_numpy()]).reset_index(drop=True)
