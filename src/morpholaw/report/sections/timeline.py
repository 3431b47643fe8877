"""Behaviour of tracked cells: durations, shares over time, and comparisons of conditions."""

from __future__ import annotations

import math

from morpholaw.display import capitalised, counted, p_value, significant
from morpholaw.errors import InputError
from morpholaw.evaluation.comparisons import limit_text, significance_text
from morpholaw.evaluation.timeline_tables import TimelineTables
from morpholaw.report.material import Material
from morpholaw.report.page import Absent, Block, Bullets, Paragraph, Table, drawing
from morpholaw.store import timelines

CURVES = 3
"""Maximum number of classes whose survival curves are drawn."""


def timeline(material: Material) -> list[Block]:
    """Show the timeline stored in the study."""
    if not timelines.exists(material.study):
        raise Absent(
            "The behaviour of cells over time has not been analysed (morpholaw timeline, or the Timeline panel)."
        )
    record = timelines.record(material.study)
    try:
        tables = timelines.tables(material.study)
    except InputError as reason:
        raise Absent(str(reason)) from None
    classifier = material.records.get(record.classifier)
    title = classifier.title if classifier is not None else record.classifier
    divisions = tables.events[tables.events["event"] == "division"] if len(tables.events) else tables.events
    inferred = int((divisions["source"] == "positions").sum()) if len(divisions) else 0
    movies = tables.phases["movie"].nunique()
    text = (
        f"Cells were classified with {title}. {counted(movies, 'movie contains', 'movies contain')} "
        f"{counted(len(divisions), 'division')}, {inferred:,} of which not in the tracks but inferred from the "
        "positions of cells."
    )
    blocks: list[Block] = [Paragraph(text)]
    if tables.notes:
        blocks.append(Bullets(tables.notes))
    return blocks + _figures(tables) + _tables(tables)


def _figures(tables: TimelineTables) -> list[Block]:
    from morpholaw.figures.timeline_tables import (
        duration_figure,
        main_class,
        share_band,
        share_figure,
        superplot_figure,
        timed_classes,
    )

    shown = main_class(tables)
    blocks: list[Block] = []
    for name in timed_classes(tables)[:CURVES]:
        caption = (
            f"Kaplan-Meier estimate of the duration of {name} with 95 % confidence bands. Phases that had begun before "
            "the cell was first seen are excluded; ticks mark phases whose end was not observed."
        )
        blocks.append(drawing(duration_figure(tables, name), f"Duration of {name}", caption))
        if tables.condition_names:
            caption = (
                f"Duration of {name}: single phases (small dots), means of replicates (large dots) and means of "
                "conditions (lines)."
            )
            blocks.append(drawing(superplot_figure(tables, name), f"{name} by condition", caption))
    band = share_band(tables)
    caption = f"{capitalised(shown)} over time{f'; {band}' if band else ''}."
    return [*blocks, drawing(share_figure(tables, shown), shown, caption)]


def _tables(tables: TimelineTables) -> list[Block]:
    rows = [
        (
            *(() if not tables.condition_names else (row["condition"],)),
            row["class"],
            str(row["phases"]),
            _interval(row["median"], row["median_low"], row["median_high"]),
            _interval(row["mean"], row["mean_low"], row["mean_high"]),
            _number(row["per_division"]),
        )
        for _, row in tables.durations.iterrows()
    ]
    unit = tables.unit.name
    columns = ["Class", "Phases", f"Median ({unit})", f"Mean ({unit})", f"Before a division ({unit})"]
    if tables.condition_names:
        columns.insert(0, "Condition")
    caption = (
        "Durations with 95 % confidence intervals over cells; other movies can differ by more. If the end of the "
        "longest phase was not observed, the mean is restricted to the time up to which it was. The last column is the "
        "mean over all dividing cells, including those that passed through the class between two frames."
    )
    blocks: list[Block] = [Table(columns, rows, caption)]
    if len(tables.comparisons):
        blocks.append(_comparisons(tables))
    return blocks


def _comparisons(tables: TimelineTables) -> Table:
    rows = [
        (
            f"{row['quantity']}, {row['class']}",
            f"{row['condition']} - {row['reference']}",
            f"{row['replicates']} and {row['reference_replicates']}",
            f"{_interval(row['difference'], row['low'], row['high'])} {row['unit']}{limit_text(row)}",
            significance_text(row),
            p_value(float(row["p_holm"])),
        )
        for row in tables.comparisons.to_dict("records")
    ]
    columns = ("Quantity", "Conditions", "Replicates", "Difference", "Test", "p, corrected")
    caption = (
        "Comparisons of conditions. Tests compare replicates, except for the log-rank test, which treats cells as "
        "independent where a condition has one replicate. p values are corrected by Holm's method for all rows."
    )
    if (limits := tables.comparisons.get("limit")) is not None and limits.notna().any():
        caption += (
            " The longest phases of some classes were not observed to end; longer ones than the stated limit count as "
            "this long, so the difference can be larger."
        )
    return Table(columns, rows, caption)


def _interval(value: float, low: float, high: float) -> str:
    if math.isnan(value):
        return "n/a"
    if math.isinf(value):
        return f"above {_number(low)}" if math.isfinite(low) else "not reached"
    ends = [_number(end) if math.isfinite(end) else "∞" for end in (low, high)]
    return _number(value) if math.isnan(low) else f"{_number(value)} ({ends[0]} to {ends[1]})"


def _number(value: float) -> str:
    return "n/a" if math.isnan(value) else significant(value)
