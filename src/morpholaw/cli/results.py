"""Commands that use what was learnt: classify, adapt, compare, and the demo of it all."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

import click

from morpholaw.cli.options import (
    LOSS,
    STUDY,
    input_settings,
    movie_choices,
    named_classifier,
    split_names,
    track_choices,
)
from morpholaw.cli.progress_bar import progress
from morpholaw.cli.study import open_study
from morpholaw.cli.table import show_table
from morpholaw.errors import InputError


@click.command()
@STUDY
@click.option("--scheme", type=click.IntRange(1, 4), help="1 CNN, 2 dense, 3 sparse, 4 law.")
@click.option("--name", help="A classifier by the name that it was trained under, in place of --scheme.")
@click.option(
    "--law",
    metavar="K|median",
    help="The law of scheme 4 that is applied, by its place; by default 1, the first. median: that of all laws.",
)
@LOSS
@click.option(
    "--crops", type=click.Path(path_type=Path), help="A folder of crops, of the scale of the models."
)
@click.option("--movie", type=click.Path(path_type=Path), help="A movie, with --tracks.")
@click.option("--tracks", type=click.Path(path_type=Path), help="The movie's tracks.")
@click.option(
    "--along-tracks/--frame-by-frame",
    default=None,
    help="A tracked cell's class is the likeliest given its whole track (frame_class: that of its frame alone), or "
    "that of its score; by default along tracks that show divisions, of more than two classes where the order of "
    "stages is known, without frame_class.",
)
@click.option(
    "--stages",
    metavar="A,B[,C...]",
    help="More than two classes along tracks: the stages in their order, the last leading back to the first; by "
    "default that of the command classes, else that which the study's labelled tracks show.",
)
@click.option("--final", metavar="A[,B...]", help="With --stages: classes that no cell leaves.")
@click.option(
    "--prevalence",
    metavar="SHARE|NAME=SHARE[,...]",
    help="Share of the cells that are of the second of two classes, or shares by class, for which probabilities are "
    "given; by default all classes are taken to be equally frequent.",
)
@click.option("--adapted", metavar="SET", help="As the classifier was adapted to this crop set; see adapt.")
@movie_choices
@track_choices
@click.option("--out", required=True, type=click.Path(path_type=Path), help="The table of scores, CSV.")
def classify(
    study: Path,
    scheme: int | None,
    name: str | None,
    law: str | None,
    loss: Literal["hinge", "mse"],
    crops: Path | None,
    movie: Path | None,
    tracks: Path | None,
    along_tracks: bool | None,
    stages: str | None,
    final: str | None,
    prevalence: str | None,
    adapted: str | None,
    out: Path,
    **choices: Any,
) -> None:
    """Score cells and write scores.csv: crop,file,track_id,t,y,x,score,class,probability, and unusual.

    A cell is unusual where its picture is not made like those of the training cells: blank, saturated, out of focus, of
    another microscope. Do not trust its class.

    With more than two classes, score is the margin of the best over the second, and score_NAME and probability_NAME of
    each class follow.
    """
    from morpholaw.cells.files import write_table
    from morpholaw.study.classify_step import unsure_cells, unusual_cells

    if crops is not None and movie is not None:
        raise InputError("Give --crops or --movie with --tracks, not both.")
    classifier = named_classifier(scheme, name, "scores the cells")
    if final and not stages:
        raise InputError("--final goes with --stages, the order of the other classes.")
    if law is not None and scheme not in (4, None):
        raise InputError("--law chooses a law of scheme 4; the other schemes have none.")
    with progress() as monitor:
        table = open_study(study).classify(
            classifier,
            law=_law(law),
            loss=loss,
            crops=crops,
            movie=movie,
            tracks=tracks,
            along_tracks=along_tracks,
            stages=split_names(stages),
            final=split_names(final),
            adapted=adapted,
            prevalence=_prevalence(prevalence),
            monitor=monitor,
            **input_settings((), choices),
        )
    # frame_class, which a score's sign says too, is written where it was asked for: scripts rely on the columns.
    unasked = ["set"] if along_tracks else ["set", "frame_class"]
    write_table(out, table.drop(columns=unasked, errors="ignore"))
    counts = ", ".join(f"{count} {name}" for name, count in table["class"].value_counts().items())
    click.echo(f"{len(table)} cells scored: {counts}. The table is {out}.")
    click.echo(unusual_cells(table))
    if sentence := unsure_cells(table):
        click.echo(sentence)


@click.command()
@STUDY
@click.option("--scheme", type=click.IntRange(1, 4), help="1 CNN, 2 dense, 3 sparse, 4 law: the first.")
@click.option("--name", help="A classifier by the name that it was trained under, in place of --scheme.")
@LOSS
@click.option("--crops", "crop_set", required=True, metavar="SET", help="A crop set of the study, by name.")
@click.option(
    "--labels/--no-labels",
    default=True,
    help="Use the set's labels where every class has some, or, of two classes, the distribution of the scores alone.",
)
@click.option("--undo", is_flag=True, help="Remove what was set for this classifier and crop set.")
def adapt(
    study: Path,
    scheme: int | None,
    name: str | None,
    loss: Literal["hinge", "mse"],
    crop_set: str,
    labels: bool,
    undo: bool,
) -> None:
    """Fit the scores of a classifier to cells of another source; the models stay as they are.

    A threshold and a scale, or with more than two classes an offset for each and a scale, are kept in the study beside
    the models and apply to that crop set alone. A movie is classified with them by classify --adapted SET.
    """
    classifier = named_classifier(scheme, name, "is adapted")
    opened = open_study(study)
    if undo:
        opened.undo_adaptation(classifier, crop_set, loss=loss)
        click.echo(f"The adaptation to {crop_set} was removed.")
        return
    with progress() as monitor:
        record = opened.adapt(classifier, crop_set, loss=loss, labels=labels, monitor=monitor)
    click.echo(record.sentence)


def _prevalence(text: str | None) -> float | dict[str, float] | None:
    """Return the share of the second class, or shares by class; None where none was stated."""
    if text is None:
        return None
    try:
        if "=" not in text:
            return float(text)
        pairs = [part.rpartition("=") for part in text.split(",")]
        return {name.strip(): float(share) for name, _, share in pairs}
    except ValueError:
        raise InputError(f"--prevalence {text!r} is no share such as 0.02, nor metaphase=0.02.") from None


def _law(text: str | None) -> int | Literal["median"] | None:
    """Return the place of a law from 0, "median", or None where nothing was chosen."""
    if text is None:
        return None
    if text == "median":
        return "median"
    if not text.isdecimal() or int(text) < 1:
        raise InputError(f"--law {text!r} is not the place of a law, such as 1, nor median.")
    return int(text) - 1


@click.command()
@STUDY
@click.option("--out", type=click.Path(path_type=Path), help="The table of agreement, CSV.")
def compare(study: Path, out: Path | None) -> None:
    """Show Table 1, baselines included, and how often each two classifiers predict the same class."""
    from morpholaw.cells.files import write_table

    opened = open_study(study)
    with progress() as monitor:
        table = opened.compare(monitor=monitor)
    show_table(opened)
    click.echo("Cells given the same class, in %, of those that neither was trained on:")
    shares = 100 * table.set_index("classifier")
    click.echo(shares.round(1).to_string(na_rep="n/a"))
    if out is not None:
        write_table(out, table)
        click.echo(f"The table is {out}.")


@click.command()
@click.option(
    "--out", type=click.Path(path_type=Path), default=Path("morpholaw-demo"), help="Where the study goes."
)
def demo(out: Path) -> None:
    """Train every scheme on the shipped sample: ends with Table 1 and report.html."""
    from morpholaw.demo import run_demo

    with progress() as monitor:
        study = run_demo(out, monitor)
    show_table(study)
    click.echo(f"The report is {out / 'report.html'}.")
