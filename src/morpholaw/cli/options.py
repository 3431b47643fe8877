"""Options that several commands share, and how KEY=VALUE settings are read."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from morpholaw.errors import InputError


class StepCommand(click.Command):
    """A command whose help ends with the settings of its step.

    Parameters
    ----------
    *args, **keywords
        As for click.Command.
    settings : str
        Name of the settings' model in :mod:`morpholaw.config`.
    """

    def __init__(self, *args: Any, settings: str, **keywords: Any) -> None:
        super().__init__(*args, **keywords)
        self.settings = settings

    def format_epilog(self, context: click.Context, formatter: click.HelpFormatter) -> None:
        """Write each setting with its default and what it does."""
        from morpholaw import config  # only where help is asked for: pydantic takes its time

        rows = []
        for name, field in getattr(config, self.settings).model_fields.items():
            default = field.get_default(call_default_factory=True)
            shown = "empty" if default in (None, "", (), {}) else default
            rows.append((name, f"{field.description or ''} [default: {shown}]"))
        with formatter.section("Settings, each given as --set NAME=VALUE"):
            formatter.write_dl(rows, col_max=24)


STUDY = click.option("--study", required=True, type=click.Path(path_type=Path), help="The study's folder.")
SET = click.option(
    "--set", "settings", multiple=True, metavar="KEY=VALUE", help="A setting of the step; repeatable."
)

PRESET = click.option(
    "--preset",
    type=click.Choice(["paper"]),
    help="The paper's own settings in place of the defaults; --set and other options take precedence.",
)

DRY_RUN = click.option(
    "--dry-run", is_flag=True, help="Say what would be done and about how long it would take, and stop there."
)

LOSS = click.option(
    "--loss",
    type=click.Choice(["hinge", "mse"]),
    default="hinge",
    show_default=True,
    help="Of scheme 4's laws.",
)

CLASSES = click.option(
    "--classes",
    metavar="A,B[,C...]",
    help="Classes to tell apart, or 'all' for every labelled one; left out: interphase and metaphase where both are "
    "labelled, else every labelled class.",
)

INPUTS = click.option(
    "--inputs",
    type=click.Choice(["latents", "shapes", "both"]),
    help="What is read: latents of the encoder (default), shapes measured in the crop, which need no encoder, or both.",
)

KEEP = click.option(
    "--keep",
    type=click.Choice(["all", "morphology"]),
    help="Latents that may be read: all (default), or morphology: those that follow the cell whatever its "
    "surroundings.",
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


_TRACK_CHOICES = (
    click.option(
        "--frame-offset",
        type=int,
        metavar="N",
        help="Added to the tracks' frame numbers to get the movie's, which count from 0.",
    ),
    click.option(
        "--ids",
        type=click.Choice(["auto", "tracks", "per-frame", "linked", "laptrack"]),
        help="What the numbers in masks mean: tracks, cells of one frame only, or cells to be linked over time, "
        "by overlap (linked) or with LapTrack.",
    ),
    click.option(
        "--frame-interval",
        type=float,
        metavar="S",
        help="Seconds from one frame to the next, for tracks that hold times.",
    ),
    click.option(
        "--swap-xy", is_flag=True, default=None, help="The tracks have x where y is expected: exchange them."
    ),
    click.option(
        "--force",
        is_flag=True,
        default=None,
        help="Go on where inputs contradict each other or no cells are seen at the tracked places.",
    ),
)


def track_choices(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command the options that say how tracks belong to the movie; their values are named as in CropConfig."""
    for option in reversed(_TRACK_CHOICES):
        command = option(command)
    return command


def input_settings(settings: tuple[str, ...], choices: dict[str, Any]) -> dict[str, Any]:
    """Return settings of CropConfig: KEY=VALUE pairs, and over them the options that were given."""
    chosen = {name: value for name, value in choices.items() if value is not None}
    for name in ("channel", "position", "z"):
        if str(chosen.get(name, "")).isdecimal():
            chosen[name] = int(chosen[name])
    return parse_settings(settings) | chosen


def named_classifier(scheme: int | None, name: str | None, does: str) -> int | str:
    """Return the classifier that --scheme or --name says; ``does`` completes "which classifier ..." where none does."""
    chosen = name if scheme is None else scheme
    if chosen is None or (scheme is not None and name is not None):
        raise InputError(f"Give --scheme or --name, to say which classifier {does}.")
    return chosen


def split_names(text: str | None) -> tuple[str, ...]:
    """Return the names in a list such as "interphase, metaphase"; none of no text."""
    return tuple(name.strip() for name in (text or "").split(",") if name.strip())


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
