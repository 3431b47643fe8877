"""The command ``classes``: names, order and colours of classes, and the order of stages along tracks."""

from __future__ import annotations

from pathlib import Path

import click

from morpholaw.cli.options import STUDY, split_names
from morpholaw.cli.progress_bar import progress
from morpholaw.display import counted
from morpholaw.errors import InputError


@click.command()
@STUDY
@click.option("--rename", multiple=True, nargs=2, metavar="OLD NEW", help="Rename a class; repeatable.")
@click.option(
    "--merge",
    metavar="A[,B...]=NEW",
    multiple=True,
    help="Merge classes into an existing or new class; repeatable.",
)
@click.option("--add", metavar="NAME", multiple=True, help="Add a class; repeatable.")
@click.option(
    "--remove", metavar="NAME", multiple=True, help="Remove a class without labelled cells; repeatable."
)
@click.option("--order", metavar="A,B[,C...]", help="Order in which classes are shown.")
@click.option(
    "--colour", multiple=True, nargs=2, metavar="NAME #RRGGBB", help="Set the colour of a class; repeatable."
)
@click.option(
    "--stages",
    metavar="A,B[,C...]",
    help="Order in which a cell passes through the classes; the last leads back to the first. 'learn' uses the order "
    "that labelled tracks show.",
)
@click.option("--final", metavar="A[,B...]", help="With --stages: classes that no cell leaves.")
def classes(
    study: Path,
    rename: tuple[tuple[str, str], ...],
    merge: tuple[str, ...],
    add: tuple[str, ...],
    remove: tuple[str, ...],
    order: str | None,
    colour: tuple[tuple[str, str], ...],
    stages: str | None,
    final: str | None,
) -> None:
    """List and edit the classes of a study: names, order, colours, and the order of stages along tracks."""
    from morpholaw.study import Study
    from morpholaw.study.stages import stage_order

    opened = Study(study)
    merged: dict[str, str] = {}
    for text in merge:
        old, separator, new = text.rpartition("=")
        if not separator or not new.strip() or not split_names(old):
            raise InputError(f"--merge {text!r} is not A,B=NEW.")
        merged |= dict.fromkeys(split_names(old), new.strip())
    if final and not stages:
        raise InputError("--final needs --stages, the order of the other classes.")
    if rename or merged:
        with progress() as monitor:
            count = opened.rename_classes(dict(rename), monitor) if rename else 0
            count += opened.rename_classes(merged, monitor, merge=True) if merged else 0
        click.echo(f"The label of {counted(count, 'cell')} changed.")
    for name in add:
        opened.add_class(name)
    for name in remove:
        opened.remove_class(name)
    if order:
        opened.arrange_classes(split_names(order))
    if colour:
        opened.colour_classes(dict(colour))
    if stages:
        opened.set_stages(() if stages.strip() == "learn" else split_names(stages), split_names(final))
    counts = opened.annotations.counts(*opened.sets) if opened.sets else {}
    for name, hue in opened.class_colours().items():
        click.echo(f"{name:<24} {hue}  {counts.get(name, 0):>8,} cells")
    stage_order_known = stage_order(opened, opened.classes)
    click.echo(f"Stages along tracks: {stage_order_known.text if stage_order_known else 'not known'}.")
