"""Table 1 in the terminal, narrow enough for 80 columns."""

from __future__ import annotations

from typing import Any

import click

COLUMNS = {
    "models": "models",
    "weights": "head weights",
    "size": "head expression size",
    "accuracy %": "accuracy %",
    "balanced %": "balanced accuracy %",
    "paper %": "paper's accuracy %",
}
"""Short headings and the table's own columns."""


def show_table(study: Any) -> None:
    """Print the study's Table 1."""
    from rich.box import SIMPLE_HEAD
    from rich.console import Console
    from rich.table import Table

    from morpholaw.store import classifiers

    rows, records = study.table1(), classifiers.records(study)
    table = Table(
        title=f"Table 1 of {study.name}: mean ± sd over models, held-out groups",
        box=SIMPLE_HEAD,
        padding=(0, 1, 0, 0),
    )
    table.add_column("scheme", no_wrap=True)
    for heading in COLUMNS:
        table.add_column(heading, justify="right", no_wrap=True)
    for _, row in rows.iterrows():
        table.add_row(records[row["name"]].short_label, *(str(row[column]) for column in COLUMNS.values()))
    Console().print(table)
    if len(rows):
        splits = rows.groupby("split", sort=False)["test cells"].first()
        click.echo("; ".join(f"{count} test cells, split {split}" for split, count in splits.items()) + ".")
        if len(splits) > 1:
            click.echo("These schemes were tested on different cells; train them again to compare them.")
