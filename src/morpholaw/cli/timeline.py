"""The command timeline: what tracked cells did, and what differs between conditions."""

from __future__ import annotations

from math import isfinite
from pathlib import Path
from typing import Any, Literal

import click

from morpholaw.cli.options import LOSS, SET, STUDY, named_classifier, parse_settings
from morpholaw.cli.progress_bar import progress


@click.command()
@STUDY
@click.option("--scheme", type=click.IntRange(1, 4), help="1 CNN, 2 dense, 3 sparse, 4 law.")
@click.option("--name", help="A classifier by the name that it was trained under, in place of --scheme.")
@LOSS
@click.option(
    "--conditions",
    type=click.Path(path_type=Path),
    help="CSV with movie (crop set), condition and replicate; the first condition is what others are compared with.",
)
@click.option("--frame-interval", type=float, metavar="S", help="Seconds from one frame to the next.")
@SET
@click.option(
    "--out", required=True, type=click.Path(path_type=Path), help="A folder for tables and figures."
)
def timeline(
    study: Path,
    scheme: int | None,
    name: str | None,
    loss: Literal["hinge", "mse"],
    conditions: Path | None,
    frame_interval: float | None,
    settings: tuple[str, ...],
    out: Path,
) -> None:
    """Phases over time: durations, divisions, mitotic index and conditions, as tables and figures."""
    from morpholaw.study import Study

    classifier = named_classifier(scheme, name, "classifies the cells")
    values: dict[str, Any] = parse_settings(settings)
    if frame_interval is not None:
        values["frame_interval"] = frame_interval
    with progress() as monitor:
        result = Study(study).timeline(
            classifier, conditions=conditions, out=out, loss=loss, monitor=monitor, **values
        )
    for row in result.durations.itertuples():
        if row.ended:
            where = "" if row.condition == "all" else f" in {row.condition}"
            median = f"{row.median:.3g} {row.unit}" if isfinite(row.median) else "longer than was seen"
            ends = f" ({row.median_low:.3g} to {row.median_high:.3g})" if isfinite(row.median_high) else ""
            click.echo(f"Median time in {row[2]}{where}: {median}{ends}, {row.phases} phases.")
    for row in result.comparisons.itertuples():
        from morpholaw.display import p_value

        what = f"{row.quantity} of {row[2]}" if row.quantity == "duration" else f"share of {row[2]}"
        ends = f" ({row.low:.3g} to {row.high:.3g})"
        corrected = "" if len(result.comparisons) < 2 else f", {p_value(row.p_holm)} corrected (Holm)"
        click.echo(
            f"{row.condition} - {row.reference}, {what}: {row.difference:+.3g}{ends} {row.unit}, "
            f"{p_value(row.p)} ({row.test}){corrected}."
        )
    click.echo(f"The tables and figures are in {out}.")


@click.command("condition-study")
@STUDY
@click.option(
    "--conditions",
    required=True,
    type=click.Path(path_type=Path),
    help="CSV with movie (crop set), condition and replicate.",
)
@click.option("--out", required=True, type=click.Path(path_type=Path), help="The new study's folder.")
def condition_study(study: Path, conditions: Path, out: Path) -> None:
    """Make a study whose classes are conditions, to find what separates treated from untreated cells.

    It has the same crops and encoder. Whole replicates are held out for testing, so that a law is not judged on the
    movies that it has seen.
    """
    from morpholaw.study import Study

    with progress() as monitor:
        assembled = Study(study).condition_study(out, conditions, monitor=monitor)
    counts = assembled.annotations.counts(*assembled.sets)
    classes = ", ".join(f"{counts.get(name, 0):,} cells of {name}" for name in assembled.classes)
    click.echo(f"The study {out} has {classes}. Next: morpholaw train-classifier --study {out} --scheme 3")
