"""Table 1 in the terminal."""

from __future__ import annotations

from typing import Any

import click


def show_table(study: Any) -> None:
    """Print the study's Table 1."""
    from rich.console import Console
    from rich.table import Table

    rows = study.table1()
    columns = [
        "scheme",
        "model",
        "models",
        "head weights",
        "head expression size",
        "accuracy %",
        "balanced accuracy %",
    ]
    table = Table(title=f"Table 1 of {study.name}: mean ± sd over models, held-out groups")
    for column in [*columns, "paper's accuracy %"]:
        table.add_column(column, justify="right" if column not in ("model",) else "left")
    for _, row in rows.iterrows():
        table.add_row(*(str(row[column]) for column in columns), row["paper's accuracy %"])
    Console().print(table)
    if len(rows):
        click.echo(f"{rows['test cells'].iloc[0]} test cells, split {rows['split'].iloc[0]}.")
