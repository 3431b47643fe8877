"""Commands that make cells: simulate, crop, import-crops."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from morpholaw.cli.options import SET, STUDY, movie_choices, parse_settings
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

    given = {"frames": frames, "cells": cells, "seed": seed}
    config = SimulateConfig.from_values(
        {k: v for k, v in given.items() if v is not None} | parse_settings(settings)
    )
    simulate_movie(config).write(out)  # type: ignore[arg-type]
    click.echo(f"Wrote a movie of {config.frames} frames, its masks, tracks and truth to {out}.")  # type: ignore[attr-defined]


@click.command()
@click.argument("movie", type=click.Path(path_type=Path))
@click.argument("tracks", type=click.Path(path_type=Path))
@STUDY
@click.option("--size", type=int, help="Side of a crop, in pixels.")
@click.option("--labels", type=click.Path(path_type=Path), help="CSV of labels, keyed by track_id and t.")
@click.option("--name", help="Name of the crop set; by default the movie's.")
@movie_choices
@click.option(
    "--ids",
    type=click.Choice(["auto", "tracks", "per-frame", "linked"]),
    help="What ids in TRACKS mean across frames; by default found out from the file.",
)
@click.option("--frame-offset", type=int, help="Added to the frames of TRACKS; -1 where they count from 1.")
@SET
def crop(
    movie: Path,
    tracks: Path,
    study: Path,
    size: int | None,
    labels: Path | None,
    name: str | None,
    ids: str | None,
    frame_offset: int | None,
    settings: tuple[str, ...],
    **choices: Any,
) -> None:
    """Cut a crop around every tracked cell of MOVIE (TIFF, frames, OME-Zarr)."""
    from morpholaw.study import Study

    flags = {"size": size, "ids": ids, "frame_offset": frame_offset, **choices}
    given = parse_settings(settings) | {key: value for key, value in flags.items() if value is not None}
    with progress() as monitor:
        made = Study.open_or_create(study).crop(
            movie, tracks, labels=labels, name=name, monitor=monitor, **given
        )
    click.echo(
        f"{len(made)} crops of {made.size} x {made.size} pixels are in the set {made.name} of {study}."
    )


@click.command("import-crops")
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
    given = parse_settings(settings) | {"classes": named, "group_regex": group_regex, "channel": channel}
    with progress() as monitor:
        made = Study.open_or_create(study).import_crops(folder, name=name, monitor=monitor, **given)
    counts = made.cells["label"].replace("", "unlabelled").value_counts()
    told = ", ".join(f"{count} {label}" for label, count in counts.items())
    click.echo(f"{len(made)} crops are in the set {made.name} of {study}: {told}.")
