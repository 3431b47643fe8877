"""The command ``bench``: performance against other programs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from morpholaw.bench import ROWS
from morpholaw.errors import InputError


@click.command()
@click.argument("rows", nargs=-1, metavar="[ROW]...")
@click.option("--json", "file", type=click.Path(path_type=Path), help="JSON file for the numbers.")
@click.option("--full", is_flag=True, help="Use data of the paper's size instead of samples; takes hours.")
def bench(rows: tuple[str, ...], file: Path | None, full: bool) -> None:
    """Compare the performance of Morpholaw with that of other programs, one ROW at a time; by default all rows.

    Rows: tcvae heads search fgsm crops classify laws growth busy gui startup. A ratio above 1 means that Morpholaw is
    better. Each row runs in a new process.
    """
    from morpholaw.bench.run import run_row
    from morpholaw.cells.files import write_json

    unknown = [name for name in rows if name not in ROWS]
    if unknown:
        raise InputError(f"There is no row {unknown[0]!r}; the rows are {', '.join(ROWS)}.")
    measured: dict[str, Any] = {}
    for name in rows or ROWS:
        measured[name] = run_row(name, full)
        _show(name, measured[name])
        if file is not None:
            write_json(file, measured)
    if file is not None:
        click.echo(f"The numbers are in {file}.")


def _show(name: str, row: dict[str, Any]) -> None:
    click.echo(f"{name}: {row['title']}")
    for one in (row, *row["also"]):
        if one["ours"] is not None:
            click.echo(f"  {_comparison(one)}")
    for note in dict.fromkeys(one["note"] for one in (row, *row["also"]) if one["note"]):
        click.echo(f"  {note}")
    if row["peak_memory_mb"] is not None:
        click.echo(f"  Peak memory {row['peak_memory_mb']:.0f} MiB; {row['seconds']:.0f} s.")


def _comparison(one: dict[str, Any]) -> str:
    ours = f"{one['ours']:g} {one['unit']}"
    if one["ratio"] is None:
        return f"{ours}; {one['peer_name']}: not measured"
    goal = "" if one["goal"] is None else f" (goal {one['goal']:g}{'' if one['met'] else ', not reached'})"
    return f"{ours}; {one['peer_name']}: {one['peer']:g} {one['unit']}; ratio {one['ratio']:g}{goal}"
