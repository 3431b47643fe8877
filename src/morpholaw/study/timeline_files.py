"""Files of a timeline: CSV tables, an AnnData file, and figures that can be read without colours."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from morpholaw import __version__
from morpholaw.cells.files import atomic_file, write_table
from morpholaw.errors import InputError
from morpholaw.escape import file_name
from morpholaw.evaluation.aligned import Aligned
from morpholaw.evaluation.timeline import Timeline
from morpholaw.exchange.anndata import write_anndata
from morpholaw.figures.timeline import aligned_values
from morpholaw.figures.timeline_tables import (
    duration_figure,
    main_class,
    share_figure,
    superplot_figure,
    timed_classes,
)
from morpholaw.store.timelines import TABLES
from morpholaw.study.timeline_step import value_columns

DPI = 200


def write_timeline(timeline: Timeline, out: Path | str | os.PathLike[str]) -> Path:
    """Write the tables and figures of a timeline, and all of it as AnnData.

    Parameters
    ----------
    timeline : Timeline
        The timeline.
    out : path
        Folder for the files; files of the same names are replaced.

    Returns
    -------
    Path
        The folder.

    Raises
    ------
    NoSpaceError, OSError
        When a file cannot be written.
    """
    folder = Path(out)
    folder.mkdir(parents=True, exist_ok=True)
    for name in TABLES:
        table: pd.DataFrame = getattr(timeline, name)
        if len(table):
            write_table(folder / f"{name}.csv", table.drop(columns=["cell"], errors="ignore"))
    write_timeline_anndata(timeline, folder / "timeline.h5ad")
    for name, make in timeline_figures(timeline):
        with atomic_file(folder / f"{file_name(name)}.png") as stream:
            make().savefig(stream, format="png", dpi=DPI)
    return folder


def timeline_figures(timeline: Timeline) -> Iterator[tuple[str, Callable[[], Figure]]]:
    """Yield the name of each figure that the timeline has data for, and a function that draws it."""
    for name in timed_classes(timeline):
        yield f"duration-{name}", partial(duration_figure, timeline, name)
        if timeline.condition_names:
            yield f"superplot-{name}", partial(superplot_figure, timeline, name)
    shown = main_class(timeline)
    yield file_name(shown).replace("_", "-"), partial(share_figure, timeline, shown)
    for event in (*timeline.mitotic, "division"):
        if aligned := aligned_columns(timeline, event):
            yield f"aligned-{event}", partial(aligned_figure, timeline, event, aligned)


def aligned_columns(timeline: Timeline, event: str) -> list[Aligned]:
    """Return the score and the measured shapes around an event; empty if no cell shows it."""
    try:
        aligned = timeline.align(event, value_columns(timeline))
    except InputError:
        return []
    return [one for one in aligned if np.isfinite(one.mean).any()]


def aligned_figure(timeline: Timeline, event: str, aligned: Sequence[Aligned]) -> Figure:
    """Draw values around an event."""
    label = event if event == "division" else f"the entry into {event}"
    unit = timeline.unit
    if not unit.is_common:  # values are aligned frame by frame
        return aligned_values(aligned, label)
    return aligned_values(aligned, label, per_frame=unit.step, unit=unit.name)


def write_timeline_anndata(timeline: Timeline, path: Path | str | os.PathLike[str]) -> Path:
    """Write a timeline as an AnnData file.

    ``X`` is the time that each cell was observed in each class. The layer ``seen_whole`` is 1 if every phase of the
    class was observed from its beginning to its end, and 0 if the beginning or the end of a phase was not observed or
    there was no phase. ``uns`` holds the tables of phases and events, whose column ``cell`` refers to the names of the
    rows.

    Parameters
    ----------
    timeline : Timeline
        The timeline.
    path : path
        File to write; an existing file is replaced.

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
    """Return values by cell and class, float32 (cells, classes); 0 if a cell was never in a class."""
    table = values.unstack(fill_value=0.0).reindex(index=cells, columns=classes, fill_value=0.0)
    wide: np.ndarray = table.to_numpy(np.float32)
    return wide


def _named(table: pd.DataFrame, names: np.ndarray) -> pd.DataFrame:
    """Return a table of a timeline in which cells are identified by the names of the rows."""
    if not len(table):
        return table
    return table.assign(cell=names[table["cell"].to_numpy()]).reset_index(drop=True)
