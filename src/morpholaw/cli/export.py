"""Commands that write reports and export results: report, law-card and export."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from morpholaw.cli.options import CLASSIFIER, LAW, LOSS, NAMED_LAWS, STUDY
from morpholaw.cli.progress_bar import progress
from morpholaw.cli.study import open_study
from morpholaw.display import Loss
from morpholaw.errors import InputError

FORMATS = ("zoo", "law", "csv", "trackmate", "btrack", "geff", "anndata")


@click.command()
@STUDY
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    default=Path("report.html"),
    show_default=True,
    help="HTML file to write.",
)
def report(study: Path, out: Path) -> None:
    """Write a report of the study as a single HTML file."""
    with progress() as monitor:
        path = open_study(study).report(out, monitor)
    click.echo(f"The report is {path}.")


@click.command("law-card")
@STUDY
@LOSS
@NAMED_LAWS
@LAW
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    default=Path("law.html"),
    show_default=True,
    help="HTML file to write; the PDF and Markdown files have the same name.",
)
def law_card(study: Path, loss: Loss, name: str | None, law: int, out: Path) -> None:
    """Write a card that summarises one law, as HTML, PDF and Markdown."""
    path = open_study(study).law_card(out, law - 1, loss, name)
    click.echo(f"The card is {path}, {path.with_suffix('.pdf').name} and {path.with_suffix('.md').name}.")


@click.command()
@STUDY
@click.option("--format", "kind", required=True, type=click.Choice(FORMATS), help="Format; see above.")
@click.option(
    "--out", required=True, type=click.Path(path_type=Path), help="File to write; for geff a folder."
)
@click.option(
    "--scheme",
    type=click.IntRange(1, 4),
    help="Scheme of the classifier. Without it, zoo exports the encoder, and anndata the scores of all classifiers.",
)
@CLASSIFIER
@LOSS
@LAW
@click.option("--crops", help="Name of the crop set; required if several sets have tracks.")
@click.option("--tracks", type=click.Path(path_type=Path), help="TrackMate or btrack file to copy.")
@click.option(
    "--along-tracks/--frame-by-frame",
    default=None,
    help="Export classes predicted along whole tracks, or frame by frame. Default: along tracks if they contain "
    "divisions.",
)
@click.option("--author", help="zoo: author of the model.")
@click.option("--licence", help="zoo: SPDX identifier of the licence, such as CC-BY-4.0.")
def export(
    study: Path, kind: Any, out: Path, scheme: int | None, name: str | None, law: int, **options: Any
) -> None:
    """Export models, laws or scores for use in other programs.

    \b
    zoo        BioImage Model Zoo package of the encoder or a classifier (.zip)
    law        a law as Python (.py), LaTeX (.tex), spreadsheet with the
               labelled cells and the law as a formula (.csv), or, if the law
               is a set of thresholds, TrackMate spot filters (.xml)
    csv        scores by track and frame
    trackmate  copy of a TrackMate file with the scores added
    btrack     copy of a btrack file with the scores added
    geff       graph of the tracked cells with their scores
    anndata    table of cells and latents (.h5ad)
    """  # noqa: D301
    if scheme is not None and name is not None:
        raise InputError("Give --scheme or --name, not both.")
    with progress() as monitor:
        path = open_study(study).export(
            kind, out, scheme=scheme if name is None else name, law=law - 1, monitor=monitor, **options
        )
    click.echo(f"The export is {path}.")
