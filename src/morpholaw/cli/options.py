"""Options that several commands share, and how KEY=VALUE settings are read."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click

from morpholaw.errors import InputError

STUDY = click.option("--study", required=True, type=click.Path(path_type=Path), help="The study's folder.")
SET = click.option(
    "--set", "settings", multiple=True, metavar="KEY=VALUE", help="A setting of the step; repeatable."
)


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
