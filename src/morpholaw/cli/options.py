"""Options that several commands share, and how KEY=VALUE settings are read."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from morpholaw.errors import InputError

STUDY = click.option("--study", required=True, type=click.Path(path_type=Path), help="The study's folder.")
SET = click.option(
    "--set", "settings", multiple=True, metavar="KEY=VALUE", help="A setting of the step; repeatable."
)

_MOVIE_CHOICES = (
    click.option("--pixel-size", type=float, metavar="UM", help="Micrometres per pixel of the movie."),
    click.option("--channel", help="The movie's channel: its name, or its number from 0."),
    click.option(
        "--position", help="The movie's position (field, scene, series): its name, or its number from 0."
    ),
    click.option(
        "--z", metavar="max|mean|N", help="What to read of a z-stack: max, mean, or a slice from 0."
    ),
    click.option("--axes", help="One letter per axis (tyx, yxt, tcyx), where the file does not name them."),
)


def movie_choices(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command the options that say which movie of a file is read; their values are named as in CropConfig."""
    for option in reversed(_MOVIE_CHOICES):
        command = option(command)
    return command


def parse_settings(pairs: tuple[str, ...], file: Path | None = None) -> dict[str, Any]:
    """KEY=VALUE pairs over a JSON file of settings; a value that is JSON is read as such, else as text."""
    values: dict[str, Any] = {}
    if file is not None:
        from morpholaw.cells.files import read_json

        values = read_json(file)
        if not isinstance(values, dict):
            raise InputError(f"{file} holds no settings; expected a JSON object.")
    for pair in pairs:
        key, separator, value = pair.partition("=")
        if not separator:
            raise InputError(f"--set {pair!r} is not KEY=VALUE.")
        try:
            values[key.strip()] = json.loads(value)
        except ValueError:
            values[key.strip()] = value
    return values
