"""Commands that provide cells: simulate, fetch-movie, inspect, crop, import-crops and sets."""

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
@click.option("--frames", type=int, help="Number of frames.")
@click.option("--cells", type=int, help="Number of cells in the first frame.")
@click.option("--seed", type=int, help="Seed; the same seed gives the same movie.")
@SET
def simulate(
    out: Path, frames: int | None, cells: int | None, seed: int | None, settings: tuple[str, ...]
) -> None:
    """Simulate a movie of H2B-labelled nuclei with tracks and known ground truth."""
    from morpholaw.cells.simulator import simulate_movie
    from morpholaw.config import SimulateConfig

    options = {"frames": frames, "cells": cells, "seed": seed}
    config = SimulateConfig.from_values(
        {k: v for k, v in options.items() if v is not None} | parse_settings(settings)
    )
    simulate_movie(config).write(out)
    click.echo(f"Wrote a movie of {config.frames} frames, its masks, tracks and ground truth to {out}.")


@click.command("fetch-movie")
@click.argument("out", type=click.Path(path_type=Path))
@click.option("--yes", is_flag=True, help="Download without asking for confirmation.")
def fetch_movie(out: Path, yes: bool) -> None:
    """Download an example movie: tracked HeLa cells of the Cell Tracking Challenge.

    The command first prints the size and licence of the movie and asks for confirmation.
    """
    from morpholaw.cells.real_movie import ABOUT, PARTS, PIXEL_SIZE, fetch_real_movie, is_fetched

    if not is_fetched(out):
        click.echo(ABOUT)
        if not yes:
            click.confirm(f"Download it to {out}?", abort=True)
    with progress() as monitor:
        fetch_real_movie(out, monitor)
    click.echo(
        f"The movie is {out / PARTS[0]} and its tracks are {out / PARTS[1]}; --pixel-size {PIXEL_SIZE}."
    )


@click.command(cls=StepCommand, settings="CropConfig")
@click.argument("movie", type=click.Path(path_type=Path))
@click.argument("tracks", type=click.Path(path_type=Path))
@STUDY
@click.option("--size", type=int, help="Width of a crop in pixels.")
@click.option(
    "--labels",
    type=click.Path(path_type=Path),
    help="CSV file with a label per cell, identified by track_id and t or by the tracker's own ids.",
)
@click.option("--name", help="Name of the crop set. Default: the name of the movie.")
@click.option("--replace", is_flag=True, help="Replace the crop set that was cut earlier from this movie.")
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
    """Cut a crop around every tracked cell of a movie.

    MOVIE is a TIFF stack, a folder of frames or an OME-Zarr; TRACKS is a file of tracks or a stack of label images.
    They are first checked against each other and against the pixels; if they do not match, nothing is written.
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
@click.option(
    "--labels", type=click.Path(path_type=Path), help="CSV file with a label per cell, to check as well."
)
@click.option("--size", type=int, help="Width of a crop in pixels.")
@click.option(
    "--picture",
    type=click.Path(path_type=Path),
    help="PNG file to write: a frame with the tracks drawn on it.",
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
    """Show how MOVIE and TRACKS are read, and whether they match.

    Nothing is written except the picture. The exit status is 0 if the inputs match and 2 if they contradict each other.
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
@click.option("--rename", nargs=2, metavar="OLD NEW", help="Rename a crop set.")
@click.option("--delete", metavar="NAME", help="Delete a crop set and its labels.")
def sets(study: Path, rename: tuple[str, str] | None, delete: str | None) -> None:
    """List, rename or delete the crop sets of a study."""
    from morpholaw.study import Study

    opened = Study(study)
    if rename:
        opened.rename_set(*rename)
    if delete:
        opened.delete_set(delete)
    for crop_set in opened.sets:
        record = crop_set.record
        scale = "pixel size unknown" if record.scale is None else f"{record.scale:.4g} µm per pixel"
        click.echo(f"{crop_set.name}: {len(crop_set)} crops of {crop_set.size} x {crop_set.size}, {scale}.")
    for sentence in opened.problems:
        click.echo(f"Warning: {sentence}", err=True)


@click.command("import-crops", cls=StepCommand, settings="ImportConfig")
@click.argument("folder", type=click.Path(path_type=Path))
@STUDY
@click.option(
    "--class",
    "classes",
    multiple=True,
    metavar="NAME=SUBFOLDER[,SUBFOLDER]",
    help="Subfolders of a class; repeatable. Other subfolders are imported without a class.",
)
@click.option(
    "--group-regex",
    help="Regular expression for the part of a path that names the movie or track. Crops of one group are never split "
    "between training and test set.",
)
@click.option("--name", help="Name of the crop set. Default: the name of the folder.")
@click.option("--channel", help="Channel of multichannel images: a number from 0, or red, green or blue.")
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
    """Import a folder of images, one per cell; subfolders give the classes."""
    from morpholaw.study import Study

    subfolders_of = {}
    for text in classes:
        label, separator, subfolders = text.partition("=")
        if not separator or not label.strip() or not subfolders.strip():
            raise InputError(f"--class {text!r} is not NAME=SUBFOLDER[,SUBFOLDER].")
        subfolders_of[label.strip()] = [part.strip() for part in subfolders.split(",") if part.strip()]
    options = {"classes": subfolders_of, "group_regex": group_regex, "channel": channel}
    values = parse_settings(settings) | options
    with progress() as monitor, Study.opened_or_new(study) as opened:
        crops = opened.import_crops(folder, name=name, monitor=monitor, **values)
    counts = crops.cells["label"].replace("", "unlabelled").value_counts()
    by_class = ", ".join(f"{count} {label}" for label, count in counts.items())
    click.echo(f"{len(crops)} crops are in the set {crops.name} of {study}: {by_class}.")
