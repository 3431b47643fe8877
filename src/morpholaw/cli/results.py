"""Commands that apply classifiers: classify, adapt, compare and demo."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import click

from morpholaw.cli.options import (
    CLASSIFIER,
    LOSS,
    SCHEME,
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
from morpholaw.display import Loss, counted, p_value
from morpholaw.errors import InputError

if TYPE_CHECKING:
    import pandas as pd


@click.command()
@STUDY
@SCHEME
@CLASSIFIER
@click.option(
    "--law",
    metavar="K|median",
    help="Law of scheme 4 to apply, by its number, or the median score of all laws. Default: law 1.",
)
@LOSS
@click.option(
    "--crops",
    type=click.Path(path_type=Path),
    help="Folder of crops to classify, at the scale of the models. Without --crops and --movie, the cells of the study "
    "are classified.",
)
@click.option(
    "--movie", type=click.Path(path_type=Path), help="Movie whose cells are classified; needs --tracks."
)
@click.option("--tracks", type=click.Path(path_type=Path), help="Tracks of the movie.")
@click.option(
    "--along-tracks/--frame-by-frame",
    default=None,
    help="Classify a tracked cell by the scores along its whole track (the column frame_class then holds the class of "
    "the single frame), or by its own score. Default: along tracks if they contain divisions, and with more than two "
    "classes if the order of the stages is known; frame_class is then omitted.",
)
@click.option(
    "--stages",
    metavar="A,B[,C...]",
    help="Order in which a cell passes through more than two classes; the last leads back to the first. Default: the "
    "order set with the command classes, otherwise that of the labelled tracks.",
)
@click.option("--final", metavar="A[,B...]", help="With --stages: classes that no cell leaves.")
@click.option(
    "--prevalence",
    metavar="SHARE|NAME=SHARE[,...]",
    help="Expected share of cells of the second of two classes, or of each class. It changes the probabilities only. "
    "Default: all classes are equally frequent.",
)
@click.option(
    "--adapted", metavar="SET", help="Use the classifier as adapted to this crop set with the command adapt."
)
@movie_choices
@track_choices
@click.option("--out", required=True, type=click.Path(path_type=Path), help="CSV file for the scores.")
def classify(
    study: Path,
    scheme: int | None,
    name: str | None,
    law: str | None,
    loss: Loss,
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
    """Classify the cells of a movie, a folder of crops or the study, and write a table of scores.

    The columns are crop, file, track_id, t, y, x, score, class, probability and unusual. With more than two classes,
    score is the margin of the best class over the second, and each class has the columns score_NAME and
    probability_NAME.

    A cell is marked as unusual if its image differs in grey levels, noise or sharpness from the training cells: a
    blank, saturated or defocused image, or another microscope. The accuracy on held-out cells may not hold for it.
    """
    from morpholaw.cells.files import write_table
    from morpholaw.study.classify_step import unsure_cells, unusual_cells

    if crops is not None and movie is not None:
        raise InputError("Give --crops or --movie with --tracks, not both.")
    classifier = named_classifier(scheme, name, "scores the cells")
    if final and not stages:
        raise InputError("--final needs --stages, the order of the other classes.")
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
    # Scripts rely on the columns: frame_class, which the sign of the score implies, is written only on request.
    omitted = ["set"] if along_tracks else ["set", "frame_class"]
    write_table(out, table.drop(columns=omitted, errors="ignore"))
    counts = ", ".join(f"{count} {name}" for name, count in table["class"].value_counts().items())
    click.echo(f"{counted(len(table), 'cell')} scored: {counts}. The table is {out}.")
    click.echo(unusual_cells(table))
    if sentence := unsure_cells(table, prevalence is not None):
        click.echo(sentence)


@click.command()
@STUDY
@SCHEME
@CLASSIFIER
@LOSS
@click.option(
    "--crops",
    "crop_set",
    required=True,
    metavar="SET",
    help="Name of the crop set to adapt the classifier to.",
)
@click.option(
    "--labels/--no-labels",
    default=True,
    help="Fit to the labelled cells of the set, if every class has some, or (two classes only) to the distribution of "
    "the scores.",
)
@click.option("--undo", is_flag=True, help="Remove the adaptation of this classifier to this crop set.")
def adapt(
    study: Path,
    scheme: int | None,
    name: str | None,
    loss: Loss,
    crop_set: str,
    labels: bool,
    undo: bool,
) -> None:
    """Adapt the scores of a classifier to cells of another source, without retraining.

    Fits a threshold and a scale, or with more than two classes an offset per class and a scale. They are stored in the
    study and apply to this crop set only. To classify a movie with them, use classify --adapted SET.
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
    """Return the share of the second class, or the share of each class; None if none was given."""
    if text is None:
        return None
    try:
        if "=" not in text:
            return float(text)
        pairs = [part.rpartition("=") for part in text.split(",")]
        return {name.strip(): float(share) for name, _, share in pairs}
    except ValueError:
        raise InputError(f"--prevalence {text!r} is not a share such as 0.02 or metaphase=0.02.") from None


def _law(text: str | None) -> int | Literal["median"] | None:
    """Return the index of a law, "median", or None if none was given."""
    if text is None:
        return None
    if text == "median":
        return "median"
    if not text.isdecimal() or int(text) < 1:
        raise InputError(f"--law {text!r} is neither the number of a law, such as 1, nor median.")
    return int(text) - 1


@click.command()
@STUDY
@click.option("--pairs", is_flag=True, help="Instead of the agreement, test the difference of each pair.")
@click.option("--out", type=click.Path(path_type=Path), help="CSV file for the agreement, or for the pairs.")
def compare(study: Path, pairs: bool, out: Path | None) -> None:
    """Show the accuracy of all classifiers and baselines (Table 1), and the agreement of each pair."""
    from morpholaw.cells.files import write_table

    opened = open_study(study)
    with progress() as monitor:
        table = opened.compare_pairs(monitor=monitor) if pairs else opened.compare(monitor=monitor)
    show_table(opened)
    click.echo(_pairs_text(table) if pairs else _agreement_text(table))
    if out is not None:
        write_table(out, table)
        click.echo(f"The table is {out}.")


def _agreement_text(table: pd.DataFrame) -> str:
    shares = (100 * table.set_index("classifier")).round(1).to_string(na_rep="n/a")
    return f"Agreement: cells assigned to the same class, in %, among those that neither was trained on:\n{shares}"


def _p_alone(p: float) -> str:
    return p_value(p).removeprefix("p ").removeprefix("= ")


def _pairs_text(table: pd.DataFrame) -> str:
    from morpholaw.evaluation.paired import FEWEST_GROUPS

    if table.empty:
        return "No two classifiers distinguish the same classes and have test cells in common."
    columns = {
        "only_first": "only first right",
        "only_second": "only second right",
        "difference": "difference, points",
    }
    shown = table.assign(difference=100 * table["difference"], p=table["p"].map(_p_alone)).rename(
        columns=columns
    )
    text = shown.to_string(index=False, float_format="{:+.1f}".format)
    if (table["groups"] < FEWEST_GROUPS).any():
        text += f"\nWith fewer than {FEWEST_GROUPS} groups, no difference can have a p below 0.05."
    return (
        "Difference: balanced accuracy of the second classifier minus that of the first, on cells that neither was "
        f"trained on. p: sign-flip test over groups, corrected for {counted(len(table), 'pair')}:\n{text}"
    )


@click.command()
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    default=Path("morpholaw-demo"),
    show_default=True,
    help="Folder for the study.",
)
def demo(out: Path) -> None:
    """Train all schemes on the sample data, and write a report."""
    from morpholaw.demo import run_demo

    with progress() as monitor:
        study = run_demo(out, monitor)
    show_table(study)
    click.echo(f"The report is {out / 'report.html'}.")
