"""Commands that write results for people and for other programs: report, law-card and export."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

import click

from morpholaw.cli.options import LOSS, STUDY
from morpholaw.cli.progress_bar import progress
from morpholaw.cli.study import open_study
from morpholaw.errors import InputError

FORMATS = ("zoo", "law", "csv", "trackmate", "btrack", "geff", "anndata")


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
@STUDY
@click.option("--format", "kind", required=True, type=click.Choice(FORMATS))
@click.option("--out", required=True, type=click.Path(path_type=Path), help="The file; a folder for geff.")
@click.option(
    "--scheme", type=click.IntRange(1, 4), help="zoo: without it, the encoder. anndata: without it, all."
)
@click.option("--name", help="A classifier by the name that it was trained under, in place of --scheme.")
@LOSS
@click.option("--law", type=click.IntRange(1), default=1, show_default=True, help="Its place; 1 is the best.")
@click.option("--crops", help="Name of the crop set, where several would do.")
@click.option("--tracks", type=click.Path(path_type=Path), help="The TrackMate or btrack file to copy.")
@click.option(
    "--along-tracks/--frame-by-frame",
    default=None,
    help="Classes with each cell's whole track in view, or of each frame; by default along tracks that show divisions.",
)
@click.option("--author", help="zoo: who made the model.")
@click.option("--licence", help="zoo: an SPDX name, such as CC-BY-4.0.")
def export(
    study: Path, kind: Any, out: Path, scheme: int | None, name: str | None, law: int, **wanted: Any
) -> None:
    """Write results for other programs.

    zoo: a BioImage Model Zoo package of the encoder or a classifier (.zip). law: one law as Python (.py), LaTeX (.tex),
    a spreadsheet of the labelled cells with the law as a formula (.csv), or TrackMate's spot filters where the law is a
    set of thresholds (.xml). csv: scores by track and frame. trackmate, btrack: a copy of that program's file with
    scores in it. geff: a graph of the cells with their scores. anndata: cells x latents (.h5ad).
    """
    if scheme is not None and name is not None:
        raise InputError("Give --scheme or --name, not both.")
    with progress() as monitor:
        path = open_study(study).export(
            kind, out, scheme=scheme if name is None else name, law=law - 1, monitor=monitor, **wanted
        )
    click.echo(f"The export is {path}.")
