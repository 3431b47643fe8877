"""The law card: a one-page summary of a law, suitable for the supplement of a paper."""

from __future__ import annotations

from dataclasses import astuple
from pathlib import Path
from typing import Any

import numpy as np
from markupsafe import Markup

from morpholaw import __version__
from morpholaw.display import capitalised, correlation, counted, listed, percent, percent_interval
from morpholaw.errors import InputError
from morpholaw.evaluation.bootstrap import accuracy_interval
from morpholaw.models.classes import classes_of_scores
from morpholaw.models.classifier import Classifier
from morpholaw.models.law import DIGITS, Law
from morpholaw.models.law_units import law_in_units
from morpholaw.report.material import Material
from morpholaw.report.page import Absent, Block, Paragraph, Section, Table
from morpholaw.report.pdf import render_pdf
from morpholaw.report.sections import (
    class_laws,
    constraints,
    interventions,
    laws,
    performance,
    provenance,
    traversals,
)
from morpholaw.report.sections import law as law_section
from morpholaw.report.sections.cell_alone import cell_alone
from morpholaw.report.writing import blocks_or_reason, render, write
from morpholaw.store.confounding import confounding_notes
from morpholaw.store.law_reading import CELLS, LawReading
from morpholaw.store.study_folder import StudyFolder

PLAIN = str.maketrans("", "", "{}")
"""Translation table that removes braces from a symbol."""


def law_card(study: StudyFolder, name: str, k: int, path: Path | str) -> Path:
    """Write the card of one law as HTML, PDF and Markdown.

    Parameters
    ----------
    study : Study
        The study.
    name : str
        Name of the laws in the study, e.g. "scheme4-hinge".
    k : int
        Index of the law; 0 is the one that is applied. With more than two classes, 0 stands for the laws of all
        classes.
    path : path
        The HTML file. The other files have the same name and the suffixes ``.pdf`` and ``.md``.

    Returns
    -------
    Path
        The HTML file.

    Raises
    ------
    InputError
        If the study has no such law, or a file cannot be written.
    """
    material = Material(study)
    if name not in material.names or material.records[name].scheme != 4:
        laws = [other for other in material.names if material.records[other].scheme == 4]
        remedy = f"its laws are called {listed(laws)}" if laws else "discover some first"
        raise InputError(f"The study {study.path} has no laws called {name!r}; {remedy}.")
    classifier = material.classifier(name)
    if not 0 <= k < classifier.members:
        raise InputError(f"There is no law {k + 1}; {name} has laws 1 to {classifier.members}.")
    path = Path(path)
    if path.suffix.lower() not in (".html", ".htm"):
        raise InputError(
            f"The file of the card, {path}, must end in .html; the PDF and Markdown files are named after it."
        )
    of_two = len(classifier.classes) == 2
    parts = {
        ("The law" if of_two else "The laws"): lambda: [
            *performance.doubts(material.records[name]),
            *_confounding(material, name),
            *_law(material, name, k),
        ],
        **({} if of_two else {"Pairs of classes": lambda: class_laws.pairs(material, name, k)}),
        "Inputs": lambda: _inputs(material, name, k),
        "Accuracy": lambda: _accuracy(material, name, k),
        "Misclassified cells": lambda: _failures(material, name, k),
        "Domain constraints": lambda: _constraints(material, name, k),
        "Dependence on surroundings": lambda: _surroundings(material, name, k),
        "Provenance": lambda: _provenance(material, name, k),
    }
    sections = [Section(title, blocks_or_reason(build)) for title, build in parts.items()]
    title = f"Law {k + 1}" if of_two else f"Laws {name}"
    values: dict[str, Any] = {
        "title": f"Law card: {study.name}",
        "name": f"{title} of {study.name}",
        "subtitle": _subtitle(material, name, k),
        "sections": sections,
    }
    foot = f"{title} of {study.name}, written by Morpholaw {__version__}."
    digits = _reading(material, name, k).digits
    formulas = [
        (f"{symbol}{law.argument}", Markup(law.latex(digits=digits)), Markup(law.text()))
        for symbol, law in _laws_in_units(classifier, k)
    ]
    write(path, render("law_card.html.j2", **values))
    write(path.with_suffix(".md"), render("law_card.md.j2", formulas=formulas, **values))
    pdf = render_pdf(values["name"], values["subtitle"], sections, foot)
    write(path.with_suffix(".pdf"), pdf)
    return path


def _reading(material: Material, name: str, k: int) -> LawReading:
    """Return the law, or those of all classes, with the cells for its interpretation."""
    classes = material.classifier(name).classes
    return material.reading(name, k, None if len(classes) == 2 else classes[0])


def _named_laws(classifier: Classifier, k: int) -> list[tuple[str, Law]]:
    """Return the laws of a model with their symbols: f, or f_1, f_2, ... in the order of the classes."""
    laws = classifier.laws_of(k)
    if len(laws) == 1:
        return [("f", laws[0])]
    return [(f"f_{{{number}}}", law) for number, law in enumerate(laws, 1)]


def _laws_in_units(classifier: Classifier, k: int) -> list[tuple[str, Law]]:
    """Return the laws of a model with their symbols, for inputs in their units."""
    return [(symbol, law_in_units(law, classifier.columns)) for symbol, law in _named_laws(classifier, k)]


def _subtitle(material: Material, name: str, k: int) -> str:
    classifier, origin = material.classifier(name), laws.search(material.records[name])
    if len(classifier.classes) > 2:
        nodes = [law.size for law in classifier.laws_of(k)]
        numbered = ", ".join(f"{number} {label}" for number, label in enumerate(classifier.classes, 1))
        return (
            f"One law per class, {origin}. A cell belongs to the class whose law is largest. Classes: {numbered}. "
            f"Size: {min(nodes)} to {max(nodes)} nodes per law, {sum(nodes)} in total."
        )
    law = classifier.laws[k]
    f = f"f{law.argument}"
    return (
        f"{f} ≥ 0 is {classifier.positive}, {f} < 0 is {classifier.negative}. {counted(law.size, 'node')}, complexity "
        f"{law.complexity}, {origin}."
    )


def _confounding(material: Material, name: str) -> list[Block]:
    """Return a warning if the classes of a law and the crop sets of the study are confounded."""
    record = material.records[name]
    if record.trained_elsewhere:
        return []
    notes = confounding_notes(material.study, material.labels, record.classes)
    return [Paragraph(sentence, "warning") for sentence in notes]


def _law(material: Material, name: str, k: int) -> list[Block]:
    """Show the formula, description and decision boundary of one law, or of one law per class."""
    if material.records[name].two_classes:
        return law_section.law_figures(material, name, k)
    parts = (class_laws.formulas, class_laws.in_words, class_laws.regions)
    return [block for part in parts for block in part(material, name, k)]


def _inputs(material: Material, name: str, k: int) -> list[Block]:
    """Show a traversal of each latent of the law, and the shapes with which it correlates."""
    classifier = material.classifier(name)
    if classifier.columns is not None and not classifier.columns.latents:
        raise Absent("All inputs are measured shapes, which are listed with their units above.")
    latents, encoder = list(classifier.kept_latents(k)), classifier.encoder
    if not latents or encoder is None:
        raise Absent("The law is a constant and has no inputs.")
    summary, given = material.latents_of(name), material.given_names(name)
    table = summary.correlations
    rows = []
    for latent in latents:
        shapes = table[table["latent"] == latent].sort_values("spearman", key=np.abs, ascending=False)
        strongest = ", ".join(
            f"{str(row.shape).replace('_', ' ')} {correlation(row.spearman, sign=True)}"
            for row in shapes.head(3).itertuples()
        )
        rows.append(
            (
                f"z{latent}",
                given.get(latent, ""),
                summary.names.get(latent, ""),
                strongest,
            )
        )
    columns = ("Latent", "Given name", "Suggested name", "Strongest rank correlations with measured shapes")
    names = [material.called(z, name) for z in latents]
    shown = traversals.pictures(material, latents, names, "Latents of the law", name)
    return [*shown, Table(columns, rows)]


def _accuracy(material: Material, name: str, k: int) -> list[Block]:
    """Show the test accuracy with its interval, the split, and the effect of rounding."""
    evaluation = material.records[name].evaluation
    share = evaluation.intervals[k]
    classifier = material.classifier(name)
    search_accuracy = classifier.laws_of(k)[0].metadata.get("accuracy")
    elsewhere = material.records[name].trained_elsewhere
    in_other_study = " in the study of origin" if elsewhere else ""
    rows = [
        (
            f"Test accuracy{in_other_study}",
            f"{percent_interval(*astuple(share))} of {counted(evaluation.test_cells, 'cell')} in "
            f"{counted(evaluation.test_groups, 'group')} (tracks, lineages or movies)",
        ),
        *([_accuracy_here(material, name, k)] if elsewhere else []),
        (f"Balanced test accuracy{in_other_study}", laws.balanced(evaluation, k)),
        *(
            []
            if search_accuracy is None
            else [("Accuracy on the data of the search", percent(float(search_accuracy)))]
        ),
        (
            f"Significant digits of the constants with which the formulas above classify the labelled cells alike (at "
            f"most {CELLS:,} of them)",
            str(_reading(material, name, k).digits),
        ),
        (
            "Split by groups",
            f"{evaluation.split}: {evaluation.training_cells:,} training cells, {evaluation.test_cells:,} test cells",
        ),
    ]
    if len(classifier.classes) == 2:
        return [Table(("Measure", "Value"), rows)]
    return [Table(("Measure", "Value"), rows), *performance.of_classes(material, name)]


def _accuracy_here(material: Material, name: str, k: int) -> tuple[str, str]:
    """Return a row with the accuracy of laws of another study on the labelled cells of this one."""
    test = material.test(name)
    predicted = classes_of_scores(material.scores(name)[k], len(material.classifier(name).classes))
    share = accuracy_interval(predicted == test.targets, test.groups)
    return (
        "Accuracy on the labelled cells of this study, which were not in the training set",
        f"{percent_interval(*astuple(share))} of {counted(len(test), 'cell')} in "
        f"{counted(len(set(test.groups)), 'group')}",
    )


def _failures(material: Material, name: str, k: int) -> list[Block]:
    return performance.most_wrong(material, name, material.scores(name)[k], "This law")


def _constraints(material: Material, name: str, k: int) -> list[Block]:
    measured = constraints.measure(
        material.classifier(name).select(k), material.test(name), material.morphology_of(name)
    )
    rows = [(capitalised(one.meaning), constraints.in_words(one)) for one in measured]
    caption = (
        f"Domain constraints, measured on at most {constraints.CONSTRAINED} test cells, with 95 % confidence "
        "intervals over groups of cells."
    )
    return [Table(("Constraint", "Value"), rows, caption)]


def _surroundings(material: Material, name: str, k: int) -> list[Block]:
    surroundings = interventions.Surroundings(material)
    shown = interventions.of_one(material, surroundings, name, k)
    return [
        *shown,
        *(cell_alone(material, surroundings, name, k) if material.records[name].two_classes else []),
    ]


def _provenance(material: Material, name: str, k: int) -> list[Block]:
    classifier = material.classifier(name)
    named = _named_laws(classifier, k)
    metadata = {key: value for key, value in named[0][1].metadata.items() if key not in ("class", DIGITS)}
    details = [(key.replace("_", " ").capitalize(), str(value)) for key, value in metadata.items()]
    texts = [
        f"At full precision: {symbol.translate(PLAIN)}{law.argument} = {law.text()}" for symbol, law in named
    ]
    if classifier.columns is not None:
        texts = [f"{text}, with standardised shapes." for text in texts]
        texts += [
            f"In units: {symbol.translate(PLAIN)}{law.argument} = {law.text()}"
            for symbol, law in _laws_in_units(classifier, k)
        ]
    blocks: list[Block] = [Paragraph(text) for text in texts]
    if details:
        blocks.append(Table(("Search", "Value"), details))
    return [*blocks, *provenance.record(material.records[name])]
