"""Opening of the study that a command works on."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from morpholaw.study import Study


def open_study(path: Path) -> Study:
    """Open a study, and warn about damaged parts, which the command ignores."""
    from morpholaw.study import Study

    study = Study(path)
    for sentence in study.problems:
        click.echo(f"Warning: {sentence}", err=True)
    return study
