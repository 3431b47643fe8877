"""The report of a study, and the rendering of pages from templates."""

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
from morpholaw.report.sections import (
    attacked_cells,
    class_laws,
    constraints,
    encoder,
    in_short,
    interventions,
    laws,
    networks,
    out_of_distribution,
    performance,
    provenance,
    rashomon,
    study,
    timeline,
    traversals,
)
from morpholaw.store.study_folder import StudyFolder

Builder = Callable[[], list[Block]]


def write_report(study: StudyFolder, path: Path | str, monitor: Monitor = SILENT) -> Path:
    """Write a report of the results of a study, as a single self-contained HTML file.

    Sections about results that the study lacks say so in one sentence.

    Parameters
    ----------
    study : Study
        The study.
    path : path
        The HTML file. An existing file is replaced once the new one is complete.
    monitor : Monitor
        Receives a ``Progress`` event for each section, and can cancel.

    Returns
    -------
    Path
        The file.

    Raises
    ------
    NoSpaceError, InputError
        If the file cannot be written.
    InterruptedError
        If the step was cancelled; an earlier report is kept.
    """
    material = Material(study)
    surroundings = interventions.Surroundings(material)
    parts = _parts(material, surroundings)
    sections: list[Section] = []
    for done, (title, build) in enumerate(parts.items()):
        if monitor.should_stop():
            raise InterruptedError("The report was not written; an earlier one was kept.")
        monitor.emit(Progress(done, len(parts), title))
        sections.append(Section(title, blocks_or_reason(build)))
    short = blocks_or_reason(lambda: in_short.in_short(material, surroundings, sections))
    sections.insert(0, Section("In short", short))
    page = render(
        "report.html.j2", title=f"Morpholaw report: {study.name}", name=study.name, sections=sections
    )
    monitor.emit(Progress(len(parts), len(parts), "written"))
    return write(path, page)


def _parts(material: Material, surroundings: interventions.Surroundings) -> dict[str, Builder]:
    """Return the function that builds each section, by its title and in the order of the page."""
    curves = constraints.Attacks(material)
    return {
        "The study": lambda: study.overview(material),
        "Table 1": lambda: study.table1(material),
        "Reconstructions": lambda: encoder.reconstructions(material),
        "Training of the encoder": lambda: encoder.training(material),
        "Latents": lambda: encoder.latents(material),
        "Traversals": lambda: traversals.traversals(material),
        "Sparse networks": lambda: networks.networks(material),
        "Parts of a sparse network": lambda: networks.network_parts(material),
        **{title: partial(laws.laws, material, name) for name, title in laws.titles(material).items()},
        "Laws of more than two classes": lambda: class_laws.class_laws(material),
        "Accuracy by class and group": lambda: performance.performance(material),
        "Misclassified cells": lambda: performance.wrong_cells(material),
        "Behaviour of tracked cells": lambda: timeline.timeline(material),
        "Attacks": lambda: constraints.attacks(material, curves),
        "Attacked cells": lambda: attacked_cells.attacked_cells(material),
        "Domain constraints": lambda: constraints.constraints(material),
        "Dependence on surroundings": lambda: interventions.interventions(material, surroundings),
        "Images without cells": lambda: out_of_distribution.out_of_distribution(material),
        "Rashomon set": lambda: rashomon.rashomon_set(material, curves.constraints),
        "Settings and provenance": lambda: provenance.provenance(material),
    }


def blocks_or_reason(build: Builder) -> list[Block]:
    """Return the blocks that ``build`` returns, or a paragraph with the reason for their absence."""
    try:
        return build()
    except (Absent, MorpholawError) as reason:
        return [Paragraph(str(reason), "absent")]


def render(template: str, **values: Any) -> str:
    """Render a template of this package. All values except ``Markup`` are escaped."""
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
    """Return a value as Markdown; of markup, only the text is kept."""
    text = value.striptags() if isinstance(value, Markup) else str(value)
    return Markup(escape.markdown(text))


def write(path: Path | str, page: str | bytes) -> Path:
    """Write a complete file, or raise NoSpaceError or InputError and leave none behind."""
    try:
        return write_bytes(Path(path), page.encode() if isinstance(page, str) else page)
    except OSError as error:
        raise file_error(f"The report cannot be written to {path}", error) from None
