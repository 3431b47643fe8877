"""The report of a study, and how any page of ours is written."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from functools import cache, partial
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from morpholaw import __version__, escape
from morpholaw.cells.files import write_bytes
from morpholaw.errors import MorpholawError, file_error
from morpholaw.events import SILENT, Monitor, Progress
from morpholaw.report.material import Material
from morpholaw.report.page import Absent, Block, Paragraph, Section
from morpholaw.store.study_folder import StudyFolder

Builder = Callable[[], list[Block]]


def write_report(study: StudyFolder, path: Path | str, monitor: Monitor = SILENT) -> Path:
    """Write what a study found as one HTML file that needs nothing else.

    What the study lacks is said in a sentence where it would stand.

    Parameters
    ----------
    study : Study
    path : path
        The file to write; one that is there is replaced when the new one is whole.
    monitor : Monitor
        Receives a ``Progress`` for each section.

    Returns
    -------
    Path
        The file.

    Raises
    ------
    NoSpaceError, InputError
        When the file cannot be written.
    """
    material = Material(study)
    parts = _parts(material)
    sections = []
    for done, (title, build) in enumerate(parts.items()):
        monitor.emit(Progress(done, len(parts), title))
        sections.append(Section(title, blocks_or_reason(build)))
    page = render(
        "report.html.j2", title=f"Morpholaw report: {study.name}", name=study.name, sections=sections
    )
    monitor.emit(Progress(len(parts), len(parts), "written"))
    return write(path, page)


def _parts(material: Material) -> dict[str, Builder]:
    """Title to what builds the section, in the order of the page."""
    from morpholaw.report.sections import (
        attacked_cells,
        class_laws,
        constraints,
        encoder,
        interventions,
        laws,
        networks,
        out_of_distribution,
        performance,
        provenance,
        study,
        timeline,
    )

    curves = constraints.Attacks(material)
    return {
        "The study": lambda: study.overview(material),
        "Table 1": lambda: study.table1(material),
        "Reconstructions": lambda: encoder.reconstructions(material),
        "Training of the encoder": lambda: encoder.training(material),
        "Latents": lambda: encoder.latents(material),
        "Traversals": lambda: encoder.traversals(material),
        "Sparse networks": lambda: networks.networks(material),
        "Parts of a sparse network": lambda: networks.network_parts(material),
        **{title: partial(laws.laws, material, name) for name, title in laws.titles(material).items()},
        "Laws of more than two classes": lambda: class_laws.class_laws(material),
        "ROC and confusion": lambda: performance.performance(material),
        "Most wrong cells": lambda: performance.wrong_cells(material),
        "What the cells did": lambda: timeline.timeline(material),
        "Attacks": lambda: constraints.attacks(material, curves),
        "Attacked cells": lambda: attacked_cells.attacked_cells(material),
        "Domain constraints": lambda: constraints.constraints(material),
        "What the classifiers read": lambda: interventions.interventions(material),
        "Pictures that are no cells": lambda: out_of_distribution.out_of_distribution(material),
        "Rashomon set": lambda: performance.rashomon_set(material, curves.constraints),
        "Settings and provenance": lambda: provenance.provenance(material),
    }


def blocks_or_reason(build: Builder) -> list[Block]:
    """Return what ``build`` gives, or the sentence that says why there is nothing."""
    try:
        return build()
    except (Absent, MorpholawError) as reason:
        return [Paragraph(str(reason), "absent")]


def render(template: str, **values: Any) -> str:
    """Return a page from a template of this package; everything that is not markup of ours is escaped."""
    written_at = datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC")
    return _environment().get_template(template).render(made=written_at, version=__version__, **values)


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("morpholaw.report", "."),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["markdown"] = _to_markdown
    return environment


def _to_markdown(value: object) -> Markup:
    """Return a value of the page as Markdown; of markup of ours only the text is left."""
    text = value.striptags() if isinstance(value, Markup) else str(value)
    return Markup(escape.markdown(text))


def write(path: Path | str, page: str | bytes) -> Path:
    """Write a page whole or not at all; NoSpaceError or InputError where that is impossible."""
    try:
        return write_bytes(Path(path), page.encode() if isinstance(page, str) else page)
    except OSError as error:
        raise file_error(f"The report cannot be written to {path}", error) from None
