"""The command that shows what a study holds."""

from __future__ import annotations

from pathlib import Path

import click

from morpholaw.cli.options import STUDY

MOST_NAMED = 6
"""Classes of a classifier that are named, at most."""


@click.command()
@STUDY
def info(study: Path) -> None:
    """Show what a study holds, what is out of date, and what comes next."""
    from morpholaw.models.law_units import law_in_units
    from morpholaw.store.overview import overview, performance, start_sentence
    from morpholaw.store.study_folder import StudyFolder

    found = overview(StudyFolder(study))
    sets = ", ".join(f"{name} ({count:,})" for name, count in found.sets.items())
    labels = ", ".join(f"{count:,} {name}" for name, count in found.labels.items())
    rows = [
        ("study", str(study)),
        ("crops", f"{found.crops:,}: {sets}" if sets else "none"),
        ("labels", f"{found.labelled:,}: {labels}" if labels else "none"),
        ("encoder", found.encoder or "none"),
    ]
    for record in found.classifiers:
        rows.append((record.name, f"{_in_short(record.classes)}; {performance(record)}"))
        if start := start_sentence(record):
            rows.append(("", start))
        if record.laws and record.two_classes:
            rows.append(("", f"law: {law_in_units(record.laws[0], record.columns).rounded()}"))
    for heading, text in rows:
        click.echo(f"{heading + ':' if heading else '':<16}{text}")
    for sentence in found.warnings:
        click.echo(f"Warning: {sentence}", err=True)
    click.echo(f"{'next:':<16}{found.next_step.text}")
    where = found.next_step.command or f"In napari: Plugins > Morpholaw > {found.next_step.panel}"
    click.echo(f"{'':<16}{where}")


def _in_short(classes: tuple[str, ...]) -> str:
    """Return the names of classes, of many the first ones."""
    if len(classes) <= MOST_NAMED:
        return ", ".join(classes)
    return f"{', '.join(classes[: MOST_NAMED - 1])} and {len(classes) - MOST_NAMED + 1} more"
