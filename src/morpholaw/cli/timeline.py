"""The commands ``timeline`` and ``condition-study``: behaviour of tracked cells, and comparison of conditions."""

from __future__ import annotations

import shlex
from math import isfinite
from pathlib import Path
from typing import Any

import click

from morpholaw.cli.options import CLASSIFIER, LOSS, SCHEME, SET, STUDY, named_classifier, parse_settings
from morpholaw.cli.progress_bar import progress
from morpholaw.display import Loss, counted, p_value


@click.command()
@STUDY
@SCHEME
@CLASSIFIER
@LOSS
@click.option(
    "--conditions",
    type=click.Path(path_type=Path),
    help="CSV file with the columns movie (name of a crop set), condition and replicate. The other conditions are "
    "compared with the first.",
)
@click.option(
    "--frame-interval",
    type=float,
    metavar="S",
    help="Seconds between frames. Default: as in the movie files.",
)
@SET
@click.option(
    "--out", required=True, type=click.Path(path_type=Path), help="Folder for the tables and figures."
)
def timeline(
    study: Path,
    scheme: int | None,
    name: str | None,
    loss: Loss,
    conditions: Path | None,
    frame_interval: float | None,
    settings: tuple[str, ...],
    out: Path,
) -> None:
    """Measure phases, durations, divisions and mitotic index of tracked cells, and compare conditions."""
    from morpholaw.evaluation.comparisons import difference_text
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
            condition = "" if row.condition == "all" else f" in {row.condition}"
            median = f"{row.median:.3g} {row.unit}" if isfinite(row.median) else "longer than observed"
            longest = f"{row.median_high:.3g}" if isfinite(row.median_high) else "longer than observed"
            ends = f" ({row.median_low:.3g} to {longest})" if isfinite(row.median_low) else ""
            click.echo(f"Median time in {row[2]}{condition}: {median}{ends}, {counted(row.phases, 'phase')}.")
    if result.phases["movie"].nunique() > 1:
        click.echo("Intervals of durations are over cells; other movies can differ by more.")
    for row in result.comparisons.to_dict("records"):
        quantity = "mean duration" if row["quantity"] == "duration" else "share"
        several = result.comparisons["p"].notna().sum() > 1 and isfinite(row["p"])
        corrected = f", {p_value(row['p_holm'])} corrected (Holm)" if several else ""
        click.echo(
            f"{row['condition']} - {row['reference']}, {quantity} of {row['class']}: {difference_text(row)}{corrected}."
        )
    click.echo(f"The tables and figures are in {out}.")


@click.command("condition-study")
@STUDY
@click.option(
    "--conditions",
    required=True,
    type=click.Path(path_type=Path),
    help="CSV file with the columns movie (name of a crop set), condition and replicate.",
)
@click.option("--out", required=True, type=click.Path(path_type=Path), help="Folder of the new study.")
def condition_study(study: Path, conditions: Path, out: Path) -> None:
    """Create a study whose classes are experimental conditions, to find what separates them.

    The new study has the same crops and encoder. Whole replicates are held out, so that a law is tested on movies that
    it was not fitted to.
    """
    from morpholaw.study import Study

    with progress() as monitor:
        assembled = Study(study).condition_study(out, conditions, monitor=monitor)
    counts = assembled.annotations.counts(*assembled.sets)
    classes = ", ".join(f"{counts.get(name, 0):,} cells of {name}" for name in assembled.classes)
    click.echo(
        f"The study {out} has {classes}. Next step: morpholaw train-classifier --study {shlex.quote(str(out))} "
        "--scheme 3"
    )
