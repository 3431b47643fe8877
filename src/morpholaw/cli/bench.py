"""The command that measures: bench."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from morpholaw.bench import ROWS
from morpholaw.errors import InputError


@click.command()
@click.argument("rows", nargs=-1, metavar="[ROW]...")
@click.option("--json", "file", type=click.Path(path_type=Path), help="Write the numbers to this file.")
@click.option("--full", is_flag=True, help="The paper's whole sizes instead of samples of them; takes hours.")
def bench(rows: tuple[str, ...], file: Path | None, full: bool) -> None:
    """Measure each ROW against its peer in one run, in a fresh process; all rows where none is named.

    Rows: tcvae heads search fgsm crops classify laws growth busy gui startup. A ratio above 1 is ahead.
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
    goal = "" if one["goal"] is None else f" (goal {one['goal']:g}{'' if one['met'] else ', short of it'})"
    return f"{ours}; {one['peer_name']}: {one['peer']:g} {one['unit']}; ratio {one['ratio']:g}{goal}"
