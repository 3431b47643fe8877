"""What the tracked cells did: durations, shares over time, and what differs between conditions."""

from __future__ import annotations

import math

from morpholaw.display import capitalised, p_value, significant
from morpholaw.errors import InputError
from morpholaw.evaluation.timeline_tables import TimelineTables
from morpholaw.report.material import Material
from morpholaw.report.page import Absent, Block, Bullets, Paragraph, Table, drawing
from morpholaw.store import timelines

CURVES = 3
"""Classes whose curves are drawn."""


def timeline(material: Material) -> list[Block]:
    """Show the timeline that the study keeps."""
    if not timelines.exists(material.study):
        raise Absent(
            "What the cells did over time has not been asked for (morpholaw timeline, or the Timeline panel)."
        )
    record = timelines.record(material.study)
    try:
        found = timelines.tables(material.study)
    except InputError as reason:
        raise Absent(str(reason)) from None
    of = material.records.get(record.classifier)
    title = of.title if of is not None else record.classifier
    divisions = found.events[found.events["event"] == "division"] if len(found.events) else found.events
    inferred = int((divisions["source"] == "positions").sum()) if len(divisions) else 0
    text = (
        f"Classes are those of {title}. {found.phases['movie'].nunique()} movies, {len(divisions):,} divisions, "
        f"{inferred:,} of them found by position, without a link in the tracks."
    )
    blocks: list[Block] = [Paragraph(text)]
    if found.notes:
        blocks.append(Bullets(found.notes))
    return blocks + _figures(found) + _tables(found)


def _figures(found: TimelineTables) -> list[Block]:
    from morpholaw.figures.timeline_tables import (
        duration_figure,
        main_class,
        share_band,
        share_figure,
        superplot_figure,
        timed_classes,
    )

    shown = main_class(found)
    blocks: list[Block] = []
    for name in timed_classes(found)[:CURVES]:
        caption = (
            f"Share of phases of {name} that last longer (Kaplan-Meier, 95 % bands). Phases under way at first sight "
            "are left out; ticks are phases whose end was not seen."
        )
        blocks.append(drawing(duration_figure(found, name), f"Duration of {name}", caption))
        if found.condition_names:
            caption = f"Every phase of {name}, the mean of every replicate, and the mean of each condition as a line."
            blocks.append(drawing(superplot_figure(found, name), f"{name} by condition", caption))
    band = share_band(found)
    caption = f"{capitalised(shown)} over time{f'; {band}' if band else ''}."
    return [*blocks, drawing(share_figure(found, shown), shown, caption)]


def _tables(found: TimelineTables) -> list[Block]:
    rows = [
        (
            *(() if not found.condition_names else (row["condition"],)),
            row["class"],
            str(row["phases"]),
            _interval(row["median"], row["median_low"], row["median_high"]),
            _interval(row["mean"], row["mean_low"], row["mean_high"]),
            _number(row["per_division"]),
        )
        for _, row in found.durations.iterrows()
    ]
    unit = found.unit.name
    columns = ["Class", "Phases", f"Median ({unit})", f"Mean ({unit})", f"Before a division ({unit})"]
    if found.condition_names:
        columns.insert(0, "Condition")
    caption = (
        "Durations with 95 % intervals. A mean whose longest phase was not seen to its end is one up to there. The "
        "last column is the mean over all dividing cells, those that skipped the class between two frames included."
    )
    blocks: list[Block] = [Table(columns, rows, caption)]
    if len(found.comparisons):
        blocks.append(_comparisons(found))
    return blocks


def _comparisons(found: TimelineTables) -> Table:
    rows = [
        (
            f"{row['quantity']}, {row['class']}",
            f"{row['condition']} - {row['reference']}",
            f"{row['replicates']} and {row['reference_replicates']}",
            f"{_interval(row['difference'], row['low'], row['high'])} {row['unit']}",
            p_value(float(row["p"])),
            p_value(float(row["p_holm"])),
            row["test"],
        )
        for _, row in found.comparisons.iterrows()
    ]
    columns = ("Quantity", "Conditions", "Replicates", "Difference", "p", "p, corrected", "Test")
    return Table(
        columns, rows, "Replicates are compared, not cells; p values are corrected by Holm's method."
    )


def _interval(value: float, low: float, high: float) -> str:
    if math.isnan(value):
        return "n/a"
    if math.isinf(value):
        return f"above {_number(low)}" if math.isfinite(low) else "not reached"
    ends = [_number(end) if math.isfinite(end) else "∞" for end in (low, high)]
    return _number(value) if math.isnan(low) else f"{_number(value)} ({ends[0]} to {ends[1]})"


def _number(value: float) -> str:
    return "n/a" if math.isnan(value) else significant(value)
