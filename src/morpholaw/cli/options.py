"""Options that several commands share, and the parsing of KEY=VALUE settings."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from morpholaw.errors import InputError


class StepCommand(click.Command):
    """A command whose help lists the settings of its step.

    Parameters
    ----------
    *args, **keywords
        Arguments of click.Command.
    settings : str
        Name of the settings model in :mod:`morpholaw.config`.
    """

    def __init__(self, *args: Any, settings: str, **keywords: Any) -> None:
        super().__init__(*args, **keywords)
        self.settings = settings

    def format_epilog(self, context: click.Context, formatter: click.HelpFormatter) -> None:
        """Write each setting with its description and default."""
        from morpholaw import config  # pydantic is slow to import, and only the help needs it

        rows = []
        for name, field in getattr(config, self.settings).model_fields.items():
            default = field.get_default(call_default_factory=True)
            shown = "empty" if default in (None, "", (), {}) else default
            rows.append((name, f"{field.description or ''} [default: {shown}]"))
        with formatter.section("Settings (--set NAME=VALUE)"):
            formatter.write_dl(rows, col_max=24)


STUDY = click.option("--study", required=True, type=click.Path(path_type=Path), help="Folder of the study.")
SET = click.option(
    "--set", "settings", multiple=True, metavar="KEY=VALUE", help="Change a setting; repeatable."
)

PRESET = click.option(
    "--preset",
    type=click.Choice(["paper"]),
    help="Use the paper's settings instead of the defaults; --set and other options take precedence.",
)

DRY_RUN = click.option(
    "--dry-run", is_flag=True, help="Only print what would be done and about how long it would take."
)

SCHEME_HELP = "Scheme of the classifier: 1 CNN, 2 dense head, 3 sparse head, 4 law."
SCHEME = click.option("--scheme", type=click.IntRange(1, 4), help=SCHEME_HELP)
CLASSIFIER = click.option("--name", help="Name of the classifier in the study; replaces --scheme.")

LOSS = click.option(
    "--loss",
    type=click.Choice(["hinge", "mse"]),
    default="hinge",
    show_default=True,
    help="Loss that the laws of scheme 4 were found with.",
)

LAW = click.option(
    "--law",
    type=click.IntRange(1),
    default=1,
    show_default=True,
    help="Number of the law; 1 is the one applied.",
)
NAMED_LAWS = click.option("--name", help="Name of the laws in the study; replaces --loss.")

_WHICH = "Classes to distinguish, or 'all' for every labelled class. Default: "
_USUAL = "interphase and metaphase if both are labelled, otherwise every labelled class."
CLASSES = click.option("--classes", metavar="A,B[,C...]", help=f"{_WHICH}{_USUAL}")
LAW_CLASSES = click.option(
    "--classes",
    metavar="A,B[,C...]",
    help=f"{_WHICH}those of scheme 3 once it is trained; until then {_USUAL}",
)

INPUTS = click.option(
    "--inputs",
    type=click.Choice(["latents", "shapes", "both"]),
    help="Inputs of the models: latents of the encoder (default), shapes measured in the crop, which need no encoder, "
    "or both.",
)

KEEP = click.option(
    "--keep",
    type=click.Choice(["all", "morphology"]),
    help="Latents to use: all (default), or only those that describe the morphology of the cell and not its "
    "surroundings.",
)

_MOVIE_CHOICES = (
    click.option("--pixel-size", type=float, metavar="UM", help="Micrometres per pixel of the movie."),
    click.option("--channel", help="Channel to read: its name, or its number from 0."),
    click.option(
        "--position", help="Position (field, scene, series) to read: its name, or its number from 0."
    ),
    click.option(
        "--z", metavar="max|mean|N", help="Projection of a z-stack (max or mean), or a slice number from 0."
    ),
    click.option("--axes", help="One letter per axis (tyx, yxt, tcyx), if the file does not name its axes."),
)


def movie_choices(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options that select what is read from a movie file, named as in CropConfig."""
    for option in reversed(_MOVIE_CHOICES):
        command = option(command)
    return command


_TRACK_CHOICES = (
    click.option(
        "--frame-offset",
        type=int,
        metavar="N",
        help="Number to add to the frame numbers of the tracks to get those of the movie, which start at 0.",
    ),
    click.option(
        "--ids",
        type=click.Choice(["auto", "tracks", "per-frame", "linked", "laptrack"]),
        help="Meaning of the numbers in label images: tracks; cells of a single frame (per-frame); or cells to link "
        "over time, by overlap (linked) or with LapTrack (laptrack).",
    ),
    click.option(
        "--frame-interval",
        type=float,
        metavar="S",
        help="Seconds between frames, for tracks that are given in times.",
    ),
    click.option("--swap-xy", is_flag=True, default=None, help="Exchange x and y of the tracks."),
    click.option(
        "--force",
        is_flag=True,
        default=None,
        help="Continue although the inputs contradict each other or no cells are found at the tracked positions.",
    ),
)


def track_choices(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options that say how tracks relate to the movie, named as in CropConfig."""
    for option in reversed(_TRACK_CHOICES):
        command = option(command)
    return command


def input_settings(settings: tuple[str, ...], choices: dict[str, Any]) -> dict[str, Any]:
    """Return settings of CropConfig from KEY=VALUE pairs and options; options take precedence."""
    options = {name: value for name, value in choices.items() if value is not None}
    for name in ("channel", "position", "z"):
        if str(options.get(name, "")).isdecimal():
            options[name] = int(options[name])
    return parse_settings(settings) | options


def named_classifier(scheme: int | None, name: str | None, does: str) -> int | str:
    """Return the classifier given by --scheme or --name; ``does`` completes "which classifier ..." in the error."""
    classifier = name if scheme is None else scheme
    if classifier is None or (scheme is not None and name is not None):
        raise InputError(f"Give --scheme or --name, to say which classifier {does}.")
    return classifier


def split_names(text: str | None) -> tuple[str, ...]:
    """Return the names in a list such as "interphase, metaphase"."""
    return tuple(name.strip() for name in (text or "").split(",") if name.strip())


def parse_settings(pairs: tuple[str, ...], file: Path | None = None) -> dict[str, Any]:
    """Read settings from a JSON file and from KEY=VALUE pairs, which take precedence. Values are JSON or text."""
    values: dict[str, Any] = {}
    if file is not None:
        from morpholaw.cells.files import read_json

        values = read_json(file)
        if not isinstance(values, dict):
            raise InputError(f"{file} does not contain settings; expected a JSON object.")
    for pair in pairs:
        key, separator, value = pair.partition("=")
        if not separator:
            raise InputError(f"--set {pair!r} is not KEY=VALUE.")
        try:
            values[key.strip()] = json.loads(value)
        except ValueError:
            values[key.strip()] = value
    return values
