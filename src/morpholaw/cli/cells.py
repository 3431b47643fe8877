"""Commands about cells: simulate, fetch-movie, crop, import-crops, inspect, sets."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from morpholaw.cli.options import (
    SET,
    STUDY,
    StepCommand,
    input_settings,
    movie_choices,
    parse_settings,
    track_choices,
)
from morpholaw.cli.progress_bar import progress
from morpholaw.errors import InputError


@click.command()
@click.argument("out", type=click.Path(path_type=Path))
@click.option("--frames", type=int, help="Frames in the movie.")
@click.option("--cells", type=int, help="Cells in the first frame.")
@click.option("--seed", type=int, help="The same seed makes the same movie.")
@SET
def simulate(
    out: Path, frames: int | None, cells: int | None, seed: int | None, settings: tuple[str, ...]
) -> None:
    """Simulate a tracked H2B movie with known factors."""
    from morpholaw.cells.simulator import simulate_movie
    from morpholaw.config import SimulateConfig

    stated = {"frames": frames, "cells": cells, "seed": seed}
    config = SimulateConfig.from_values(
        {k: v for k, v in stated.items() if v is not None} | parse_settings(settings)
    )
    simulate_movie(config).write(out)
    click.echo(f"Wrote a movie of {config.frames} frames, its masks, tracks and truth to {out}.")


@click.command("fetch-movie")
@click.argument("out", type=click.Path(path_type=Path))
@click.option("--yes", is_flag=True, help="Do not ask first.")
def fetch_movie(out: Path, yes: bool) -> None:
    """Fetch a real tracked movie to try: HeLa cells of the Cell Tracking Challenge.

    Says how large it is and what it may be used for, and asks.
    """
    from morpholaw.cells.real_movie import ABOUT, PARTS, PIXEL_SIZE, fetch_real_movie, is_fetched

    if not is_fetched(out):
        click.echo(ABOUT)
        if not yes:
            click.confirm(f"Fetch it to {out}?", abort=True)
    with progress() as monitor:
        fetch_real_movie(out, monitor)
    click.echo(
        f"The movie is {out / PARTS[0]} and its tracks are {out / PARTS[1]}; --pixel-size {PIXEL_SIZE}."
    )


@click.command(cls=StepCommand, settings="CropConfig")
@click.argument("movie", type=click.Path(path_type=Path))
@click.argument("tracks", type=click.Path(path_type=Path))
@STUDY
@click.option("--size", type=int, help="Side of a crop, in pixels.")
@click.option(
    "--labels",
    type=click.Path(path_type=Path),
    help="CSV of classes, keyed by track_id and t or by the tracker's own ids.",
)
@click.option("--name", help="Name of the crop set; by default the movie's.")
@click.option("--replace", is_flag=True, help="Replace the crops that were cut from this movie before.")
@movie_choices
@track_choices
@SET
def crop(
    movie: Path,
    tracks: Path,
    study: Path,
    labels: Path | None,
    name: str | None,
    replace: bool,
    settings: tuple[str, ...],
    **choices: Any,
) -> None:
    """Cut a crop around every tracked cell of MOVIE (TIFF, frames, OME-Zarr).

    Movie, tracks, labels and pixels are compared first; nothing is written where they do not fit.
    """
    from morpholaw.study import Study

    values = input_settings(settings, choices)
    with progress() as monitor, Study.opened_or_new(study) as opened:
        crops = opened.crop(
            movie, tracks, labels=labels, name=name, replace=replace, monitor=monitor, **values
        )
    click.echo(
        f"{len(crops)} crops of {crops.size} x {crops.size} pixels are in the set {crops.name} of {study}."
    )


@click.command()
@click.argument("movie", type=click.Path(path_type=Path))
@click.argument("tracks", type=click.Path(path_type=Path), required=False)
@click.option("--labels", type=click.Path(path_type=Path), help="CSV of classes that is to go with them.")
@click.option("--size", type=int, help="Side of a crop, in pixels.")
@click.option(
    "--picture", type=click.Path(path_type=Path), help="Write a frame with the tracks on it to this PNG file."
)
@movie_choices
@track_choices
@SET
def inspect(
    movie: Path,
    tracks: Path | None,
    labels: Path | None,
    picture: Path | None,
    settings: tuple[str, ...],
    **choices: Any,
) -> None:
    """Show how MOVIE and TRACKS are understood, and whether they fit each other.

    Nothing is written but the picture that is asked for. The exit status is 0 where the inputs fit and 2 where they
    contradict each other.
    """
    from morpholaw.cells.inspection import inspect_inputs, write_picture

    report = inspect_inputs(movie, tracks, labels=labels, **input_settings(settings, choices))
    click.echo(report.text())
    if picture is not None:
        write_picture(picture, report)
        click.echo(f"The picture is {picture}.")
    if not report.fits:
        raise click.exceptions.Exit(2)


@click.command()
@STUDY
@click.option("--rename", nargs=2, metavar="OLD NEW", help="Give a set another name.")
@click.option("--delete", metavar="NAME", help="Delete a set with its classes.")
def sets(study: Path, rename: tuple[str, str] | None, delete: str | None) -> None:
    """List the crop sets of a study, rename one or delete one."""
    from morpholaw.study import Study

    opened = Study(study)
    if rename:
        opened.rename_set(*rename)
    if delete:
        opened.delete_set(delete)
    for crop_set in opened.sets:
        record = crop_set.record
        scale = "pixel size unknown" if record.scale is None else f"{record.scale:.4g} um per pixel"
        click.echo(f"{crop_set.name}: {len(crop_set)} crops of {crop_set.size} x {crop_set.size}, {scale}.")
    for sentence in opened.problems:
        click.echo(f"Warning: {sentence}", err=True)


@click.command("import-crops", cls=StepCommand, settings="ImportConfig")
@click.argument("folder", type=click.Path(path_type=Path))
@STUDY
@click.option(
    "--class", "classes", multiple=True, metavar="NAME=SUBFOLDER[,SUBFOLDER]", help="A class; repeatable."
)
@click.option("--group-regex", help="The part of a file's path that says which crops belong together.")
@click.option("--name", help="Name of the crop set; by default the folder's.")
@click.option("--channel", help="Of images of several channels: a number from 0, or red, green or blue.")
@SET
def import_crops(
    folder: Path,
    study: Path,
    classes: tuple[str, ...],
    group_regex: str | None,
    name: str | None,
    channel: str | None,
    settings: tuple[str, ...],
) -> None:
    """Import a folder of crops, one image a cell, labelled by subfolder."""
    from morpholaw.study import Study

    named = {}
    for text in classes:
        label, separator, subfolders = text.partition("=")
        if not separator or not label.strip() or not subfolders.strip():
            raise InputError(f"--class {text!r} is not NAME=SUBFOLDER[,SUBFOLDER].")
        named[label.strip()] = [part.strip() for part in subfolders.split(",") if part.strip()]
    values = parse_settings(settings) | {"classes": named, "group_regex": group_regex, "channel": channel}
    with progress() as monitor, Study.opened_or_new(study) as opened:
        crops = opened.import_crops(folder, name=name, monitor=monitor, **values)
    counts = crops.cells["label"].replace("", "unlabelled").value_counts()
    listed = ", ".join(f"{count} {label}" for label, count in counts.items())
    click.echo(f"{len(crops)} crops are in the set {crops.name} of {study}: {listed}.")
