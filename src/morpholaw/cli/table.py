"""Tables of results in the terminal; Table 1 fits into 80 columns."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import click
from rich.markup import escape as escape_markup

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd

    from morpholaw.store.classifier_record import ClassifierRecord

COLUMNS = {
    "weights": "head weights",
    "size": "head expression size",
    "accuracy %": "accuracy %",
    "balanced %": "balanced accuracy %",
    "interval": "balanced 95 % interval",
}
"""Short headings of Table 1, and the columns that they stand for."""
MANY = 6
"""With more classes than this, the columns of a confusion matrix are numbered instead of named."""


def show_table(study: Any) -> None:
    """Print the study's Table 1."""
    from rich.box import SIMPLE_HEAD
    from rich.console import Console
    from rich.table import Table

    from morpholaw.store import classifiers
    from morpholaw.store.guessing import GUESSING

    rows, records = study.table1(), classifiers.records(study)
    table = Table(
        title=f"Table 1 of {study.name}: mean ± SD over (models), held-out groups",
        box=SIMPLE_HEAD,
        padding=(0, 1, 0, 0),
    )
    several = len(rows) > 0 and rows["test set"].nunique() > 1
    columns = {**COLUMNS, "set": "test set"} if several else COLUMNS
    table.add_column("scheme", no_wrap=True)
    for heading in columns:
        table.add_column(heading, justify="right", no_wrap=True)
    for _, row in rows.iterrows():
        record = records.get(row["name"])
        name = str(row["name"]) if record is None else f"{record.short_label} ({record.members})"
        table.add_row(name.replace("shapes-", "shapes, "), *(str(row[column]) for column in columns.values()))
    Console().print(table)
    if len(rows):
        for first in rows.drop_duplicates("test set").to_dict("records"):
            letter = f"Test set {first['test set']} ({first['classes']}): " if several else ""
            click.echo(f"{letter}{first['test cells']} test cells, split {first['split']}.")
        click.echo(
            "interval: 95 % interval of the balanced accuracy of the models' median score, of laws of the first one."
        )
        if doubtful := [record.name for record in records.values() if not record.beats_guessing]:
            click.echo(f"{GUESSING.capitalize()}: {', '.join(doubtful)}.")
        if several:
            remedy = ""
            if rows["classes"].nunique() == 1:
                remedy = " To compare classifiers of different sets, train them again."
            click.echo(f"Only rows with the same test set can be compared.{remedy}")


def show_cross_validation(table: pd.DataFrame, classes: Sequence[str], shuffled: bool) -> None:
    """Print the accuracies of a cross-validation, and the precision for a rare class."""
    from morpholaw.display import percent, percent_interval
    from morpholaw.store.cross_validation import MEDIAN, accuracy_in_words

    totals = table[table["fold"] == "all"]
    first = totals.iloc[0]
    note = f", with shuffled labels ({percent(1 / len(classes), 0)} are expected)" if shuffled else ""
    click.echo(
        f"Cross-validated balanced accuracy on {first['test_cells']} cells of {first['test_groups']} groups "
        f"({', '.join(classes)}){note}, with 95 % confidence intervals over groups and folds:"
    )
    for row in totals.to_dict("records"):
        click.echo(f"  {row['classifier']:16} {accuracy_in_words(table, row['classifier'])}")
    method = totals["classifier"].iloc[0]
    models = "laws" if method.startswith("scheme4") else "models"
    meanings = [f"{method}: mean over its {models}."]
    if (median := f"{method}{MEDIAN}") in set(totals["classifier"]):
        meanings.append(f"{median}: their median score, by which cells are classified.")
    click.echo(f"{' '.join(meanings)} The others are baselines on measured shapes.")
    if len(classes) > 2 or shuffled:
        return
    click.echo(
        f"Precision for {classes[1]} (share of cells predicted to be {classes[1]} that are) at a prevalence of "
        f"{percent(first['prevalence'])}:"
    )
    for row in totals.to_dict("records"):
        values = (row["precision"], row["precision_low"], row["precision_high"])
        shown = "none was predicted" if math.isnan(values[0]) else percent_interval(*values)
        click.echo(f"  {row['classifier']:16} {shown}")


def show_confusion(record: ClassifierRecord) -> None:
    """Print the confusion matrix of a classifier on the held-out cells, with precision, recall and F1 per class."""
    from rich.box import SIMPLE_HEAD
    from rich.console import Console
    from rich.table import Table

    evaluation = record.evaluation
    table = Table(
        title=f"{record.label}: held-out cells by class (rows) and predicted class (columns)",
        box=SIMPLE_HEAD,
        padding=(0, 1, 0, 0),
    )
    table.add_column("class", no_wrap=True)
    numbered = len(record.classes) > MANY
    headings = [str(place) if numbered else name for place, name in enumerate(record.classes, 1)]
    for heading in headings:
        table.add_column(escape_markup(heading), justify="right", no_wrap=True)
    for heading in ("recall %", "precision %", "F1 %"):
        table.add_column(heading, justify="right", no_wrap=True)
    names = [f"{place} {name}" if numbered else name for place, name in enumerate(record.classes, 1)]
    for name, counts, metrics in zip(names, evaluation.confusion, evaluation.by_class, strict=True):
        shares = (metrics.recall.value, metrics.precision.value, metrics.f1.value)
        percentages = ["n/a" if math.isnan(share) else f"{100 * share:.1f}" for share in shares]
        table.add_row(escape_markup(name), *map(str, counts), *percentages)
    # A table of many classes may be wider than the terminal, but wrapped numbers would be unreadable.
    needed = 44 + max(map(len, record.classes)) + sum(max(len(heading), 4) + 2 for heading in headings)
    Console(width=max(Console().width, needed)).print(table)
