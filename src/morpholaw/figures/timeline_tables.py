"""Figures of a timeline, drawn from its tables."""

from __future__ import annotations

import pandas as pd
from matplotlib.figure import Figure

from morpholaw.evaluation.comparisons import ALL, condition_log_rank, difference_text
from morpholaw.evaluation.durations import common_limit, replicate_durations
from morpholaw.evaluation.population import MITOTIC_INDEX
from morpholaw.evaluation.timeline_tables import TimelineTables
from morpholaw.figures.style import LIGHT, FigSize, Theme
from morpholaw.figures.timeline import shares_over_time, superplot, survival_curves

FEWEST = 5
"""Minimum number of fully observed phases for a plot of the durations of a class."""


def timed_classes(timeline: TimelineTables) -> list[str]:
    """Return the classes with at least `FEWEST` fully observed phases: mitosis as a whole first, then its stages."""
    ended = timeline.durations.groupby("class", sort=False)["ended"].sum()
    names = [str(name) for name in ended.index[ended >= FEWEST]]
    return sorted(names, key=lambda name: (name in timeline.classes, name not in timeline.mitotic))


def duration_figure(
    timeline: TimelineTables, name: str, figsize: FigSize = None, theme: Theme = LIGHT
) -> Figure:
    """Plot the Kaplan-Meier curves of a class, one per condition.

    The p value of the log-rank test over cells is shown only if a condition has a single replicate, because otherwise
    replicates are tested.
    """
    curves = {
        condition: timeline.survival(name, condition) for condition in timeline.condition_names or (ALL,)
    }
    replicates = timeline.phases.groupby("condition")["replicate"].nunique()
    p = condition_log_rank(timeline.phases, name, tuple(curves)) if replicates.min() < 2 else None
    labels = {("all cells" if key == ALL else key): curve for key, curve in curves.items()}
    return survival_curves(labels, timeline.unit.name, what=name, p=p, theme=theme, figsize=figsize)


def superplot_figure(
    timeline: TimelineTables, name: str, figsize: FigSize = None, theme: Theme = LIGHT
) -> Figure:
    """Plot the durations of a class, cells behind means of replicates, with the test over replicates in the title."""
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
    means = replicate_durations(phases, name, common_limit(phases, name)[0])
    return superplot(
        values,
        timeline.unit.name,
        what=f"time in {name}",
        means=means,
        title=comparison_title(timeline, "duration", name),
        theme=theme,
        figsize=figsize,
    )


def main_class(timeline: TimelineTables) -> str:
    """Return the quantity to show over time: the mitotic index if there are mitotic classes, else the first class."""
    return MITOTIC_INDEX if timeline.mitotic else timeline.classes[0]


def share_band(timeline: TimelineTables) -> str:
    """Return the meaning of the bands of `share_figure`; "" without bands, as no condition has two replicates."""
    if not timeline.condition_names:
        return "95 % bands over families: cells with their descendants"
    return "95 % bands over replicates" if timeline.condition_shares["low"].notna().any() else ""


def share_figure(
    timeline: TimelineTables, name: str, figsize: FigSize = None, theme: Theme = LIGHT
) -> Figure:
    """Plot the share of a class over time, one line per condition, or per movie if there are no conditions."""
    if timeline.condition_names:
        rows = timeline.condition_shares
        rows = rows[rows["class"] == name].rename(columns={"condition": "group"})
    else:
        rows = timeline.shares
        rows = rows[rows["class"] == name].rename(columns={"movie": "group"})
    times = dict.fromkeys(rows["group"].astype(str), timeline.unit.step)
    if not timeline.condition_names:
        times |= timeline.unit.per_frame
    return shares_over_time(
        rows, times, timeline.unit.name, what=name, title=share_band(timeline), theme=theme, figsize=figsize
    )


def comparison_title(timeline: TimelineTables, quantity: str, name: str) -> str:
    """Return results of tests: "drug − control: +9.9 min (9.1 to 10.8), p = 0.029, permutation"."""
    rows = timeline.comparisons
    if not len(rows):
        return ""
    rows = rows[(rows["quantity"] == quantity) & (rows["class"] == name)]
    return "\n".join(
        f"{row['condition']} − {row['reference']}: {difference_text(row)}" for row in rows.to_dict("records")
    )
