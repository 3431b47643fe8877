"""Commands that explain, select and improve laws: explain-cell, law-sheet, apply-law, improve-law, law-stability."""

from __future__ import annotations

from pathlib import Path

import click

from morpholaw.cli.options import LAW, LOSS, NAMED_LAWS, STUDY
from morpholaw.cli.progress_bar import progress
from morpholaw.cli.study import open_study
from morpholaw.display import Loss, counted, significant
from morpholaw.errors import InputError


@click.command("explain-cell")
@STUDY
@click.option(
    "--cell",
    "cells",
    type=click.IntRange(0),
    required=True,
    multiple=True,
    help="Index of the cell among the crops of the study, from 0; repeatable.",
)
@LAW
@LOSS
@NAMED_LAWS
def explain_cell(study: Path, cells: tuple[int, ...], law: int, loss: Loss, name: str | None) -> None:
    """Explain why a law assigns cells to their classes.

    Prints the value of each term of the law in the cell and in the median cell, the decisive term, and for each
    variable the smallest change that would change the class.
    """
    opened = open_study(study)
    explained = opened.explain_cells(cells, law - 1, loss, name)
    for cell, label, reasons in zip(cells, opened.labels[list(cells)], explained, strict=True):
        click.echo(f"Cell {cell}{f', labelled {label}' if label else ''}. {reasons.text}")
        if reasons.terms:
            first, second = reasons.predicted, reasons.other
            if reasons.score < 0:
                first, second = second, first
            click.echo(f"The law: {first} rather than {second} where {reasons.inequality}.")
            for term in reasons.terms:
                value, typical = significant(term.value), significant(term.typical)
                click.echo(f"  {term.text:40} {value:>10} here {typical:>10} in the median cell")


@click.command("law-sheet")
@STUDY
@LAW
@LOSS
@NAMED_LAWS
@click.option(
    "--class", "class_name", help="With more than two classes, the class to distinguish from all others."
)
@click.option("--against", metavar="CLASS", help="With --class: a single class to distinguish it from.")
@click.option(
    "--unlabelled",
    is_flag=True,
    help="Shuffle the cells and omit the labels, for a person to sort them; the answers are printed.",
)
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    default=Path("law-sheet.png"),
    show_default=True,
    help="Image file to write: .png, .pdf or .svg.",
)
def law_sheet(
    study: Path,
    law: int,
    loss: Loss,
    name: str | None,
    class_name: str | None,
    against: str | None,
    unlabelled: bool,
    out: Path,
) -> None:
    """Draw twenty cells that illustrate a law: typical cells of each side, and cells closest to its boundary."""
    opened = open_study(study)
    if against and not class_name:
        raise InputError("--against needs --class, the class to distinguish from it.")
    compared = (class_name, against) if class_name and against else class_name
    sheet = opened.law_sheet(out, law - 1, loss, compared, name, unlabelled)
    click.echo(opened.law_sentence(law - 1, loss, compared, name).text)
    click.echo(f"The sheet is {out}: {counted(sum(map(len, sheet.cells)), 'cell')}.")
    if unlabelled:
        labels = [label or "unlabelled" for row in sheet.labels for label in row]
        answers = ", ".join(f"{number} {label}" for number, label in enumerate(labels, 1))
        click.echo(f"Answers: {answers}.")


@click.command("apply-law")
@STUDY
@LAW
@LOSS
@NAMED_LAWS
def apply_law(study: Path, law: int, loss: Loss, name: str | None) -> None:
    """Choose the law that scheme 4 applies, which becomes law 1."""
    from morpholaw.models.law_units import rule_in_units
    from morpholaw.store import classifiers
    from morpholaw.store.classifier_record import name_of

    opened = open_study(study)
    chosen = opened.apply_law(law - 1, loss, name)
    record = classifiers.record(opened, name or name_of(4, loss))
    click.echo(
        f"Law 1, which classify now applies: {rule_in_units(chosen, record.columns, record.classes[1])}"
    )


@click.command("improve-law")
@STUDY
@LAW
@LOSS
@NAMED_LAWS
@click.option(
    "--class", "class_name", help="With more than two classes, the class whose law is searched for."
)
@click.option(
    "--from",
    "expression",
    help="Formula to start from instead of the law. It uses the same variables; shapes are in their units.",
)
@click.option(
    "--evaluations",
    type=click.IntRange(1_000),
    help="Formulas tried in each of two searches. Default: as in the original search.",
)
def improve_law(
    study: Path,
    law: int,
    loss: Loss,
    name: str | None,
    class_name: str | None,
    expression: str | None,
    evaluations: int | None,
) -> None:
    """Continue the search from a law or from a formula of your own; a better law becomes law 1.

    With more than two classes, the law of one class is searched for, and the constants of all laws are refitted.
    """
    opened = open_study(study)
    with progress() as monitor:
        first = opened.improve_law(law - 1, loss, name, expression, evaluations, class_name, monitor=monitor)
    sentence = opened.law_sentence(0, loss, class_name, name)
    if class_name is not None:
        click.echo(f"The law of {class_name}, {counted(first.size, 'node')}: {sentence.text}")
        return
    click.echo(
        f"Law 1, {counted(first.size, 'node')}, which classify applies: {sentence.inequality}. {sentence.text}"
    )


@click.command("law-stability")
@STUDY
@LAW
@LOSS
@NAMED_LAWS
@click.option(
    "--resamples",
    type=click.IntRange(1, 1000),
    default=20,
    show_default=True,
    help="Number of bootstrap resamples.",
)
@click.option(
    "--evaluations",
    type=click.IntRange(1_000),
    default=30_000,
    show_default=True,
    help="Formulas tried per search.",
)
def law_stability(
    study: Path,
    law: int,
    loss: Loss,
    name: str | None,
    resamples: int,
    evaluations: int,
) -> None:
    """Repeat the search on bootstrap resamples, and count how often the variables and form of a law are found again."""
    opened = open_study(study)
    with progress() as monitor:
        stability = opened.law_stability(
            law - 1, loss, name, resamples=resamples, evaluations=evaluations, monitor=monitor
        )
    click.echo(stability.text)
