"""Commands that read a law: explain-cell."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import click

from morpholaw.cli.options import LOSS, STUDY
from morpholaw.cli.study import open_study
from morpholaw.display import significant

LAW = click.option(
    "--law", type=click.IntRange(1), default=1, show_default=True, help="Its place; 1 is the first."
)
NAMED = click.option("--name", help="The laws by their name in the study, in place of --loss.")


@click.command("explain-cell")
@STUDY
@click.option(
    "--cell", type=click.IntRange(0), required=True, help="Its index among the study's crops, from 0."
)
@LAW
@LOSS
@NAMED
def explain_cell(study: Path, cell: int, law: int, loss: Literal["hinge", "mse"], name: str | None) -> None:
    """Say why a law calls a cell what it does.

    Prints the terms of the law in this cell and in the median cell, the term that decides, and the smallest changes of
    one input that would change the class.
    """
    opened = open_study(study)
    reasons = opened.explain_cell(cell, law - 1, loss, name)
    label = str(opened.labels[cell])
    click.echo(f"Cell {cell}{f', labelled {label}' if label else ''}. {reasons.text}")
    if reasons.terms:
        click.echo(f"The law: {reasons.inequality}.")
        for term in reasons.terms:
            here, usual = significant(term.value), significant(term.typical)
            click.echo(f"  {term.text:40} {here:>10} here {usual:>10} in the median cell")
