"""Commands that read a law: explain-cell, law-sheet, apply-law, improve-law, law-stability."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import click

from morpholaw.cli.options import LOSS, STUDY
from morpholaw.cli.progress_bar import progress
from morpholaw.cli.study import open_study
from morpholaw.display import significant
from morpholaw.errors import InputError

LAW = click.option(
    "--law", type=click.IntRange(1), default=1, show_default=True, help="Its place; 1 is the first."
)
NAMED = click.option("--name", help="The laws by their name in the study, in place of --loss.")


@click.command("explain-cell")
@STUDY
@click.option(
    "--cell",
    "cells",
    type=click.IntRange(0),
    required=True,
    multiple=True,
    help="Its index among the study's crops, from 0; may be given several times.",
)
@LAW
@LOSS
@NAMED
def explain_cell(
    study: Path, cells: tuple[int, ...], law: int, loss: Literal["hinge", "mse"], name: str | None
) -> None:
    """Say why a law calls a cell, or several, what it does.

    Prints the terms of the law in this cell and in the median cell, the term that decides, and the smallest changes of
    one input that would change the class.
    """
    opened = open_study(study)
    explained = opened.explain_cells(cells, law - 1, loss, name)
    for cell, label, reasons in zip(cells, opened.labels[list(cells)], explained, strict=True):
        click.echo(f"Cell {cell}{f', labelled {label}' if label else ''}. {reasons.text}")
        if reasons.terms:
            click.echo(f"The law: {reasons.inequality}.")
            for term in reasons.terms:
                here, usual = significant(term.value), significant(term.typical)
                click.echo(f"  {term.text:40} {here:>10} here {usual:>10} in the median cell")


@click.command("law-sheet")
@STUDY
@LAW
@LOSS
@NAMED
@click.option("--class", "class_name", help="With more than two classes, the one told from all others.")
@click.option("--against", metavar="CLASS", help="With --class: the one other class that it is told from.")
@click.option(
    "--unlabelled",
    is_flag=True,
    help="In a random order without labels, to be sorted by a person; the answers are printed.",
)
@click.option(
    "--out", type=click.Path(path_type=Path), default=Path("law-sheet.png"), show_default=True,
    help="The picture: .png, .pdf or .svg.",
)  # fmt: skip
def law_sheet(
    study: Path,
    law: int,
    loss: Literal["hinge", "mse"],
    name: str | None,
    class_name: str | None,
    against: str | None,
    unlabelled: bool,
    out: Path,
) -> None:
    """Draw twenty cells of a law: typical of each side, and nearest to its boundary."""
    opened = open_study(study)
    if against and not class_name:
        raise InputError("--against goes with --class, the class that is told from it.")
    told_apart = (class_name, against) if class_name and against else class_name
    sheet = opened.law_sheet(out, law - 1, loss, told_apart, name, unlabelled)
    click.echo(opened.law_sentence(law - 1, loss, told_apart, name).text)
    click.echo(f"The sheet is {out}: {sum(map(len, sheet.cells))} cells.")
    if unlabelled:
        labels = [label or "unlabelled" for row in sheet.labels for label in row]
        answers = ", ".join(f"{number} {label}" for number, label in enumerate(labels, 1))
        click.echo(f"Answers: {answers}.")


@click.command("apply-law")
@STUDY
@LAW
@LOSS
@NAMED
def apply_law(study: Path, law: int, loss: Literal["hinge", "mse"], name: str | None) -> None:
    """Choose the law that scheme 4 applies: it becomes the first."""
    opened = open_study(study)
    chosen = opened.apply_law(law - 1, loss, name)
    click.echo(f"Law 1 from now on, which classify applies: {chosen.rounded()}")


@click.command("improve-law")
@STUDY
@LAW
@LOSS
@NAMED
@click.option("--class", "class_name", help="With more than two classes, the one whose law is searched for.")
@click.option("--from", "expression", help="A formula to begin with, over the same inputs, shapes in units.")
@click.option(
    "--evaluations",
    type=click.IntRange(1_000),
    help="Expressions tried in each of two searches; by default as before.",
)
def improve_law(
    study: Path,
    law: int,
    loss: Literal["hinge", "mse"],
    name: str | None,
    class_name: str | None,
    expression: str | None,
    evaluations: int | None,
) -> None:
    """Search on from a law, or from a formula of your own; a better law becomes the first.

    With more than two classes, the law of one is searched for, and the constants of all are fitted to each other.
    """
    opened = open_study(study)
    with progress() as monitor:
        first = opened.improve_law(law - 1, loss, name, expression, evaluations, class_name, monitor=monitor)
    sentence = opened.law_sentence(0, loss, class_name, name)
    if class_name is not None:
        click.echo(f"The law of {class_name}, {first.size} nodes: {sentence.text}")
        return
    click.echo(f"Law 1, {first.size} nodes, which classify applies: {sentence.inequality}. {sentence.text}")


@click.command("law-stability")
@STUDY
@LAW
@LOSS
@NAMED
@click.option("--resamples", type=click.IntRange(1, 1000), default=20, show_default=True)
@click.option(
    "--evaluations",
    type=click.IntRange(1_000),
    default=30_000,
    show_default=True,
    help="Tried in each search.",
)
def law_stability(
    study: Path,
    law: int,
    loss: Literal["hinge", "mse"],
    name: str | None,
    resamples: int,
    evaluations: int,
) -> None:
    """Search anew on resampled groups of cells: how often inputs, directions and form of a law come back."""
    opened = open_study(study)
    with progress() as monitor:
        found = opened.law_stability(
            law - 1, loss, name, resamples=resamples, evaluations=evaluations, monitor=monitor
        )
    click.echo(found.text)
