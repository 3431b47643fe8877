"""Commands that use what was learnt: classify, attack, report, and the demo of it all."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

import click

from morpholaw.cli.options import LOSS, STUDY, input_settings, movie_choices, split_names, track_choices
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
@click.option("--crops", type=click.Path(path_type=Path), help="A folder of crops.")
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
    from morpholaw.study.classify_step import unusual_cells

    if crops is not None and movie is not None:
        raise InputError("Give --crops or --movie with --tracks, not both.")
    classifier = name if scheme is None else scheme
    if classifier is None or (scheme is not None and name is not None):
        raise InputError("Give --scheme or --name, to say which classifier scores the cells.")
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


@click.command()
@STUDY
@click.option("--scheme", type=click.IntRange(1, 4), help="1 CNN, 2 dense, 3 sparse, 4 law: the first.")
@click.option("--name", help="A classifier by the name that it was trained under, in place of --scheme.")
@LOSS
@click.option("--crops", "crop_set", required=True, metavar="SET", help="A crop set of the study, by name.")
@click.option(
    "--labels/--no-labels",
    default=True,
    help="Use the set's labels where both classes have some, or the distribution of the scores alone.",
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
    """Fit threshold and scale of a classifier to cells of another source; the models stay as they are.

    The two numbers are kept in the study beside the models and apply to that crop set alone. A movie is classified with
    them by classify --adapted SET.
    """
    classifier = name if scheme is None else scheme
    if classifier is None or (scheme is not None and name is not None):
        raise InputError("Give --scheme or --name, to say which classifier is adapted.")
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
@click.option("--scheme", type=click.IntRange(1, 4))
@click.option("--name", default="", help="A classifier by its name, in place of --scheme.")
@LOSS
@click.option("--space", type=click.Choice(["image", "latent"]), default="image", show_default=True)
@click.option("--keep", default="", help="Latents held fixed: morphology, or names such as z3,z17.")
@click.option(
    "--eps", default="0,0.05,0.1,0.15,0.2,0.25", show_default=True, help="Magnitudes, comma-separated."
)
@click.option("--towards", metavar="CLASS", help="Move cells towards a class.")
@click.option(
    "--pairs", is_flag=True, help="Move cells towards each class: success for each pair of classes."
)
@click.option("--out", required=True, type=click.Path(path_type=Path), help="A folder for the curve.")
def attack(
    study: Path,
    scheme: int | None,
    name: str,
    loss: str,
    space: str,
    keep: str,
    eps: str,
    towards: str | None,
    pairs: bool,
    out: Path,
) -> None:
    """Accuracy under fast gradient sign attacks: a table and a figure."""
    from morpholaw.cells.files import write_table
    from morpholaw.escape import file_name

    try:
        magnitudes = tuple(float(part) for part in eps.split(","))
    except ValueError:
        raise InputError(f"--eps {eps!r} is not a list of numbers such as 0.1,0.2.") from None
    if (scheme is None) == (not name):
        raise InputError("Give --scheme or --name, to say which classifier is attacked.")
    if towards == "":
        raise InputError("--towards needs the name of a class.")
    if pairs and towards:
        raise InputError("--pairs moves cells towards every class; leave out --towards.")
    settings: dict[str, Any] = {"loss": loss, "space": space, "keep": keep, "eps": magnitudes}
    settings |= {"name": name} if scheme is None else {"scheme": scheme}
    held = "-".join(part.strip().replace(" ", "_") for part in keep.split(",") if part.strip())
    attacked = name or f"scheme{scheme}{'-mse' if scheme == 4 and loss == 'mse' else ''}"
    file = f"{file_name(attacked, 'classifier')}-{space}{held and '-keep-' + held}"
    if pairs:
        with progress() as monitor:
            table = open_study(study).attack_pairs(monitor=monitor, **settings)
        write_table(out / f"{file}-pairs.csv", table)
        shown = _pairs_figure(table, out / f"{file}-pairs.png")
        click.echo(
            f"Share of each class (rows) taken for another after an attack towards it, in %, at {shown[0]:g}:"
        )
        click.echo((100 * shown[1]).round(1).to_string(na_rep=""))
        click.echo(f"Split {table['split'].iloc[0]}. The table and the figure are in {out}.")
        return
    with progress() as monitor:
        table = open_study(study).attack(towards=towards or "", monitor=monitor, **settings)
    if towards:
        file += f"-towards-{file_name(towards, 'class')}"
    write_table(out / f"{file}.csv", table)
    _attack_figure(table, out / f"{file}.png")
    by_eps = table.groupby("eps")
    shown = by_eps["accuracy"].agg(["mean", "std"]).assign(random_signs=by_eps["random_signs"].mean())
    if towards:
        shown["success"] = by_eps["success"].mean()
    if table["energy_inside"].notna().any():
        shown = shown.join(by_eps[["energy_inside", "nucleus_area"]].mean())
    click.echo(shown.round(4).to_string())
    click.echo(f"Split {table['split'].iloc[0]}. The table and the figure are in {out}.")


@click.command()
@STUDY
@click.option("--scheme", type=click.IntRange(1, 4), help="Left out: all classifiers of the study.")
@click.option("--name", help="A classifier by the name that it was trained under, in place of --scheme.")
@LOSS
@click.option("--cells", type=click.IntRange(4), default=1000, show_default=True, help="Test cells, at most.")
@click.option("--out", type=click.Path(path_type=Path), help="The table, CSV.")
def interventions(
    study: Path,
    scheme: int | None,
    name: str | None,
    loss: Literal["hinge", "mse"],
    cells: int,
    out: Path | None,
) -> None:
    """Put held-out cells into other surroundings, shift and turn them: how many calls change."""
    from morpholaw.cells.files import write_table
    from morpholaw.display import percent_interval
    from morpholaw.study import Study
    from morpholaw.study.intervention_step import verdicts

    with progress() as monitor:
        chosen = name or scheme
        table = Study(study).interventions(
            () if chosen is None else (chosen,), loss=loss, cells=cells, monitor=monitor
        )
    said = verdicts(table)
    for classifier, rows in table.groupby("classifier", sort=False):
        first = rows.iloc[0]
        click.echo(
            f"{classifier}, {first['cells']} test cells of {first['groups']} groups, split {first['split']}"
        )
        click.echo(f"  {'':58}  {'balanced accuracy':22}  predicted classes that change")
        for row in rows.to_dict("records"):
            shares = [
                percent_interval(row[key], row[f"{key}_low"], row[f"{key}_high"])
                for key in ("balanced_accuracy", "flips")
            ]
            click.echo(f"  {row['meaning']:58}  {shares[0]:22}  {shares[1]}")
        click.echo(said[str(classifier)])
    if out is not None:
        write_table(out, table)
        click.echo(f"The table is {out}.")


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


def _pairs_figure(table: Any, path: Path) -> tuple[float, Any]:
    """Draw the success of each pair of classes at the largest eps; return that eps, and the matrix as a table."""
    from morpholaw.cells.files import atomic_file
    from morpholaw.figures.attacks import attack_matrix

    eps = float(table["eps"].max())
    classes = list(dict.fromkeys(table["class"]))
    rows = table[table["eps"] == eps]
    matrix = rows.pivot(index="class", columns="towards", values="success").reindex(
        index=classes, columns=classes
    )
    figure = attack_matrix(matrix.to_numpy(), classes, eps=eps, space=table["space"].iloc[0])
    with atomic_file(path) as stream:
        figure.savefig(stream, format="png", dpi=150)
    return eps, matrix


def _attack_figure(table: Any, path: Path) -> None:
    import numpy as np

    from morpholaw.cells.files import atomic_file
    from morpholaw.figures.attacks import attack_curves

    eps = np.unique(table["eps"])
    accuracy, control = (
        table.pivot(index="model", columns="eps", values=column).to_numpy()
        for column in ("accuracy", "random_signs")
    )
    figure = attack_curves(
        eps,
        accuracy[None],
        schemes=(int(table["scheme"].iloc[0]),),
        control=control[None],
        space=table["space"].iloc[0],
    )
    with atomic_file(path) as stream:
        figure.savefig(stream, format="png", dpi=150)


@click.command()
@STUDY
@click.option("--out", type=click.Path(path_type=Path), default=Path("report.html"), show_default=True)
def report(study: Path, out: Path) -> None:
    """Write a self-contained HTML report of the study."""
    with progress() as monitor:
        path = open_study(study).report(out, monitor)
    click.echo(f"The report is {path}.")


@click.command("law-card")
@STUDY
@LOSS
@click.option("--name", help="The laws by their name in the study, in place of --loss.")
@click.option("--law", type=click.IntRange(1), default=1, show_default=True, help="Its place; 1 is the best.")
@click.option("--out", type=click.Path(path_type=Path), default=Path("law.html"), show_default=True)
def law_card(study: Path, loss: Literal["hinge", "mse"], name: str | None, law: int, out: Path) -> None:
    """Write the card of one law as HTML, with a PDF and Markdown beside it."""
    path = open_study(study).law_card(out, law - 1, loss, name)
    click.echo(f"The card is {path}, {path.with_suffix('.pdf').name} and {path.with_suffix('.md').name}.")


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
