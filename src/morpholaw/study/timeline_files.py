"""A timeline as files: CSV tables, and figures that can be read without colours."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from morpholaw.cells.files import atomic_file, write_table
from morpholaw.display import p_value
from morpholaw.errors import InputError
from morpholaw.escape import file_name
from morpholaw.evaluation.aligned import Aligned
from morpholaw.evaluation.comparisons import ALL, common_limit, replicate_durations
from morpholaw.evaluation.population import MITOTIC_INDEX
from morpholaw.evaluation.survival import log_rank
from morpholaw.evaluation.timeline import MITOSIS, Timeline
from morpholaw.figures.timeline import aligned_values, shares_over_time, superplot, survival_curves
from morpholaw.study.timeline_step import value_columns

TABLES = ("phases", "events", "shares", "condition_shares", "durations", "comparisons")
"""Tables of a timeline that are written, by the names of their files."""
DPI = 200


def write_timeline(timeline: Timeline, out: Path | str | os.PathLike[str]) -> Path:
    """Write the tables and figures of a timeline.

    Parameters
    ----------
    timeline : Timeline
    out : path
        A folder; files of the same names are replaced.

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
    for name, make in timeline_figures(timeline):
        with atomic_file(folder / f"{file_name(name)}.png") as stream:
            make().savefig(stream, format="png", dpi=DPI)
    return folder


def timeline_figures(timeline: Timeline) -> Iterator[tuple[str, Callable[[], Figure]]]:
    """Yield the name of each figure that the timeline has data for, and a function that draws it."""
    for name in timed_classes(timeline):
        yield f"duration-{name}", partial(duration_figure, timeline, name)
        if timeline.conditions is not None:
            yield f"superplot-{name}", partial(superplot_figure, timeline, name)
    shown = MITOTIC_INDEX if timeline.mitotic else timeline.classes[0]
    yield file_name(shown).replace("_", "-"), partial(share_figure, timeline, shown)
    for event in (*timeline.mitotic, "division"):
        if aligned := aligned_columns(timeline, event):
            yield f"aligned-{event}", partial(aligned_figure, timeline, event, aligned)


def timed_classes(timeline: Timeline) -> list[str]:
    """Return the classes that phases with a known beginning and end are seen of, mitosis as a whole first."""
    ended = timeline.durations.groupby("class", sort=False)["ended"].sum()
    names = [str(name) for name in ended.index[ended > 0]]
    return sorted(names, key=lambda name: (name != MITOSIS, name not in timeline.mitotic))


def duration_figure(timeline: Timeline, name: str) -> Figure:
    """Draw the Kaplan-Meier curves of a class, one per condition."""
    curves = {condition: timeline.survival(name, condition) for condition in timeline.condition_names}
    phases = timeline.phases
    whole = phases[(phases["class"] == name) & ~phases["left_censored"]]
    groups = [whole[whole["condition"] == condition] for condition in curves]
    p = log_rank(
        [g["duration"].to_numpy() for g in groups], [~g["right_censored"].to_numpy(bool) for g in groups]
    )
    labels = {("all cells" if key == ALL else key): curve for key, curve in curves.items()}
    return survival_curves(labels, timeline.unit.name, what=name, p=p)


def superplot_figure(timeline: Timeline, name: str) -> Figure:
    """Draw the durations of a class, cells behind the means of replicates; the title has the test over replicates."""
    phases = timeline.phases
    whole = phases[(phases["class"] == name) & ~phases["left_censored"]]
    values = pd.DataFrame(
        {
            "condition": whole["condition"],
            "replicate": whole["replicate"],
            "value": whole["duration"],
            "whole": ~whole["right_censored"].astype(bool),
        }
    )
    order = {condition: place for place, condition in enumerate(timeline.condition_names)}
    values = values.sort_values("condition", key=lambda column: column.map(order), kind="stable")
    means = replicate_durations(phases, name, common_limit(phases, name))
    return superplot(
        values,
        timeline.unit.name,
        what=f"time in {name}",
        means=means,
        title=comparison_title(timeline, "duration", name),
    )


def share_figure(timeline: Timeline, name: str) -> Figure:
    """Draw the share of a class over time, one line per condition, or per movie where there are no conditions."""
    if timeline.conditions is not None:
        rows = timeline.condition_shares
        rows = rows[rows["class"] == name].rename(columns={"condition": "group"})
    else:
        rows = timeline.shares
        rows = rows[rows["class"] == name].rename(columns={"movie": "group"})
    times = dict.fromkeys(rows["group"].astype(str), timeline.unit.step)
    return shares_over_time(rows, times, timeline.unit.name, what=name)


def aligned_columns(timeline: Timeline, event: str) -> list[Aligned]:
    """Return the score and the measured shapes around an event; none where no cell shows it."""
    try:
        aligned = timeline.align(event, value_columns(timeline))
    except InputError:
        return []
    return [one for one in aligned if np.isfinite(one.mean).any()]


def aligned_figure(timeline: Timeline, event: str, aligned: Sequence[Aligned]) -> Figure:
    """Draw values around an event."""
    label = event if event == "division" else f"the entry into {event}"
    return aligned_values(aligned, label, per_frame=timeline.unit.step, unit=timeline.unit.name)


def comparison_title(timeline: Timeline, quantity: str, name: str) -> str:
    """Return what the test of a quantity found, e.g. "drug: +9.9 min (9.1 to 10.8), p = 0.029, permutation"."""
    rows = timeline.comparisons
    if not len(rows):
        return ""
    rows = rows[(rows["quantity"] == quantity) & (rows["class"] == name)]
    texts = []
    for _, row in rows.iterrows():
        ends = f" ({row['low']:.3g} to {row['high']:.3g})" if np.isfinite(row["low"]) else ""
        difference = f"{row['difference']:+.3g} {row['unit']}{ends}"
        texts.append(f"{row['condition']}: {difference}, {p_value(float(row['p']))}, {row['test']}")
    return "\n".join(texts)
