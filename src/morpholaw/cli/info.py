"""The command ``info``: the contents of a study."""

from __future__ import annotations

from pathlib import Path

import click

from morpholaw.cli.options import STUDY

MOST_NAMED = 6
"""Maximum number of classes of a classifier that are listed."""


@click.command()
@STUDY
def info(study: Path) -> None:
    """Show the contents of a study, what is out of date, and the next step."""
    from morpholaw.models.law_units import rule_in_units
    from morpholaw.store.overview import overview, performance, start_sentence
    from morpholaw.store.study_folder import StudyFolder

    contents = overview(StudyFolder(study))
    sets = ", ".join(f"{name} ({count:,})" for name, count in contents.sets.items())
    labels = ", ".join(f"{count:,} {name}" for name, count in contents.labels.items())
    rows = [
        ("study", str(study)),
        ("crops", f"{contents.crops:,}: {sets}" if sets else "none"),
        ("labels", f"{contents.labelled:,}: {labels}" if labels else "none"),
        ("encoder", contents.encoder or "none"),
    ]
    for record in contents.classifiers:
        rows.append((record.name, f"{_shortened(record.classes)}; {performance(record)}"))
        if start := start_sentence(record):
            rows.append(("", start))
        if record.laws and record.two_classes:
            rows.append(("", f"law: {rule_in_units(record.laws[0], record.columns, record.classes[1])}"))
    for heading, text in rows:
        click.echo(f"{heading + ':' if heading else '':<16}{text}")
    for sentence in contents.warnings:
        click.echo(f"Warning: {sentence}", err=True)
    step = contents.next_step
    click.echo(f"{'next step:':<16}{step.text}")
    click.echo(f"{'':<16}{step.command or f'In napari: Plugins > Morpholaw > {step.panel}'}")


def _shortened(classes: tuple[str, ...]) -> str:
    """Return the names of the classes; if there are many, only the first ones."""
    if len(classes) <= MOST_NAMED:
        return ", ".join(classes)
    return f"{', '.join(classes[: MOST_NAMED - 1])} and {len(classes) - MOST_NAMED + 1} more"
