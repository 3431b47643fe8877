"""The law card: one page that says all there is to say about one law, fit for a paper's supplement."""

from __future__ import annotations

from dataclasses import astuple
from pathlib import Path
from typing import Any

import numpy as np
from markupsafe import Markup

from morpholaw import __version__
from morpholaw.display import capitalised, correlation, percent, percent_interval
from morpholaw.errors import InputError
from morpholaw.evaluation.bootstrap import accuracy_interval
from morpholaw.interpretation.traversal import TYPICAL, traverse
from morpholaw.models.classes import classes_of_scores
from morpholaw.models.classifier import Classifier
from morpholaw.models.law import Law
from morpholaw.models.law_units import law_in_units
from morpholaw.report.material import Material
from morpholaw.report.page import Absent, Block, Paragraph, Section, Table, photograph
from morpholaw.report.pdf import render_pdf
from morpholaw.report.sections import class_laws, constraints, interventions, laws, performance, provenance
from morpholaw.report.sections import law as law_section
from morpholaw.report.writing import blocks_or_reason, render, write
from morpholaw.store.study_folder import StudyFolder

PLAIN = str.maketrans("", "", "{}")
"""Takes the braces from a symbol."""


def law_card(study: StudyFolder, name: str, k: int, path: Path | str) -> Path:
    """Write the card of one law as HTML, and as PDF and Markdown beside it.

    Parameters
    ----------
    study : Study
    name : str
        The classifier whose law it is, e.g. "scheme4-hinge".
    k : int
        Its place among the laws of that classifier; 0 is the best on the training cells. Of more than two classes
        there is one set of laws, at place 0.
    path : path
        The HTML file; the others have the same name and the endings ``.pdf`` and ``.md``.

    Returns
    -------
    Path
        The HTML file.

    Raises
    ------
    InputError
        When the study has no such law, or a file cannot be written.
    """
    material = Material(study)
    if name not in material.names or material.records[name].scheme != 4:
        raise InputError(f"The study {study.path} has no laws called {name!r}; discover some first.")
    classifier = material.classifier(name)
    if not 0 <= k < classifier.members:
        raise InputError(f"There is no law {k + 1}; {name} has laws 1 to {classifier.members}.")
    path = Path(path)
    if path.suffix.lower() not in (".html", ".htm"):
        raise InputError(
            f"The card's file {path} must end in .html; its PDF and its Markdown are written beside it."
        )
    of_two = len(classifier.classes) == 2
    parts = {
        ("The law" if of_two else "The laws"): lambda: _law(material, name, k),
        **({} if of_two else {"Pairs of classes": lambda: class_laws.pairs(material, name, k)}),
        "Its inputs": lambda: _inputs(material, name, k),
        "Accuracy": lambda: _accuracy(material, name, k),
        "Where it fails": lambda: _failures(material, name, k),
        "Domain constraints": lambda: _constraints(material, name, k),
        "What it reads": lambda: interventions.of_one(material, name, k),
        "Provenance": lambda: _provenance(material, name, k),
    }
    sections = [Section(title, blocks_or_reason(build)) for title, build in parts.items()]
    own = f"Law {k + 1}" if of_two else f"Laws {name}"
    values: dict[str, Any] = {
        "title": f"Law card: {study.name}",
        "name": f"{own} of {study.name}",
        "subtitle": _subtitle(material, name, k),
        "sections": sections,
    }
    foot = f"{own} of {study.name}, written by Morpholaw {__version__}."
    formulas = [
        (f"{symbol}{law.argument}", Markup(law.latex(digits=law_section.DIGITS)), Markup(law.text()))
        for symbol, law in _laws_in_units(classifier, k)
    ]
    write(path, render("law_card.html.j2", **values))
    write(path.with_suffix(".md"), render("law_card.md.j2", formulas=formulas, **values))
    pdf = render_pdf(values["name"], values["subtitle"], sections, foot)
    write(path.with_suffix(".pdf"), pdf)
    return path


def _named_laws(classifier: Classifier, k: int) -> list[tuple[str, Law]]:
    """Return each law of a model with its symbol in formulas: f, or f_1, f_2, ... in the order of the classes."""
    laws = classifier.laws_of(k)
    if len(laws) == 1:
        return [("f", laws[0])]
    return [(f"f_{{{number}}}", law) for number, law in enumerate(laws, 1)]


def _laws_in_units(classifier: Classifier, k: int) -> list[tuple[str, Law]]:
    """Return the laws with their symbols, over inputs in the units in which they are read."""
    return [(symbol, law_in_units(law, classifier.columns)) for symbol, law in _named_laws(classifier, k)]


def _subtitle(material: Material, name: str, k: int) -> str:
    classifier, found = material.classifier(name), laws.search(material.records[name])
    if len(classifier.classes) > 2:
        nodes = [law.size for law in classifier.laws_of(k)]
        numbered = ", ".join(f"{number} {one}" for number, one in enumerate(classifier.classes, 1))
        return (
            f"One law per class, {found}; a cell is of the class whose law is largest. Classes: {numbered}. "
            f"{min(nodes)} to {max(nodes)} nodes a law, {sum(nodes)} in all."
        )
    law = classifier.laws[k]
    f = f"f{law.argument}"
    return (
        f"{f} ≥ 0 is {classifier.positive}, {f} < 0 is {classifier.negative}; {law.size} nodes, complexity "
        f"{law.complexity}, {found}."
    )


def _law(material: Material, name: str, k: int) -> list[Block]:
    """Return the formula, what it says and where it decides, of one law or of one law per class."""
    if material.records[name].two_classes:
        return law_section.law_figures(material, name, k)
    parts = (class_laws.formulas, class_laws.in_words, class_laws.regions)
    return [block for part in parts for block in part(material, name, k)]


def _inputs(material: Material, name: str, k: int) -> list[Block]:
    """Return what each latent of the law looks like, and which measured shape it follows."""
    from morpholaw.figures.pictures import traversal_grid

    classifier = material.classifier(name)
    if classifier.columns is not None and not classifier.columns.latents:
        raise Absent("Only measured shapes are read, which are listed with their units above.")
    latents, encoder = list(classifier.kept_latents(k)), classifier.encoder
    if not latents or encoder is None:
        raise Absent("The law reads no latent: it is a constant.")
    pictures = traverse(encoder, material.latents.median, latents, TYPICAL)
    figure = traversal_grid(
        pictures, [material.called(z) for z in latents], np.array(TYPICAL), pixel_size=material.pixel_size
    )
    table = material.latents.correlations
    rows = []
    for latent in latents:
        own = table[table["latent"] == latent].sort_values("spearman", key=np.abs, ascending=False)
        follows = ", ".join(
            f"{str(r.shape).replace('_', ' ')} {correlation(r.spearman, sign=True)}"
            for r in own.head(3).itertuples()
        )
        rows.append(
            (
                f"z{latent}",
                material.study.latent_names.get(latent, ""),
                material.latents.names.get(latent, ""),
                follows,
            )
        )
    columns = ("Latent", "Given name", "Suggested name", "Strongest rank correlations with measured shapes")
    caption = "Decoded cells along each latent that is read, all others at their median."
    return [photograph(figure, "What the latents look like", caption), Table(columns, rows)]


def _accuracy(material: Material, name: str, k: int) -> list[Block]:
    """Test accuracy with its interval, on which split, and what rounding does."""
    evaluation = material.records[name].evaluation
    share = evaluation.intervals[k]
    classifier = material.classifier(name)
    searched = classifier.laws_of(k)[0].metadata.get("accuracy")
    elsewhere = material.records[name].trained_elsewhere
    rows = [
        (
            "Test accuracy" + (" where it was trained" if elsewhere else ""),
            f"{percent_interval(*astuple(share))}, with {laws.interval_kind(evaluation)}",
        ),
        *([_accuracy_here(material, name, k)] if elsewhere else []),
        (
            "Balanced test accuracy" + (" there" if elsewhere else ""),
            laws.balanced(evaluation, k),
        ),
        *([] if searched is None else [("Accuracy on the rows of the search", percent(float(searched)))]),
        (f"With constants at {law_section.DIGITS} digits", laws.rounding(material, name)[k]),
        (
            "Split",
            f"{evaluation.split}: {evaluation.training_cells:,} cells in training, "
            f"{evaluation.test_cells:,} in test, whole groups at a time",
        ),
    ]
    doubts = laws.doubts(material.records[name])
    if len(classifier.classes) == 2:
        return [*doubts, Table(("Measure", "Value"), rows)]
    return [*doubts, Table(("Measure", "Value"), rows), *performance.of_classes(material, name)]


def _accuracy_here(material: Material, name: str, k: int) -> tuple[str, str]:
    """Return the accuracy of laws of another study on the labelled cells of this one, as a row."""
    test = material.test(name)
    called = classes_of_scores(material.scores(name)[k], len(material.classifier(name).classes))
    share = accuracy_interval(called == test.targets, test.groups)
    return (
        "Accuracy on this study's labelled cells, which it was not trained on",
        f"{percent_interval(*astuple(share))} of {len(test):,} cells in {len(set(test.groups)):,} groups",
    )


def _failures(material: Material, name: str, k: int) -> list[Block]:
    return performance.most_wrong(material, name, material.scores(name)[k], "This law")


def _constraints(material: Material, name: str, k: int) -> list[Block]:
    measured = constraints.measure(
        material.classifier(name).select(k), material.test(name), material.morphology
    )
    rows = [(capitalised(one.meaning), constraints.in_words(one)) for one in measured]
    caption = f"On at most {constraints.CONSTRAINED} test cells, with 95 % bootstrap intervals over groups of cells."
    return [Table(("Constraint", "Measured"), rows, caption)]


def _provenance(material: Material, name: str, k: int) -> list[Block]:
    classifier = material.classifier(name)
    named = _named_laws(classifier, k)
    metadata = {key: value for key, value in named[0][1].metadata.items() if key != "class"}
    found = [(key.replace("_", " ").capitalize(), str(value)) for key, value in metadata.items()]
    texts = [
        f"At full precision: {symbol.translate(PLAIN)}{law.argument} = {law.text()}" for symbol, law in named
    ]
    if classifier.columns is not None:
        texts = [f"{text}, with each shape less its mean, in its standard deviations." for text in texts]
        texts += [
            f"In units: {symbol.translate(PLAIN)}{law.argument} = {law.text()}"
            for symbol, law in _laws_in_units(classifier, k)
        ]
    blocks: list[Block] = [Paragraph(text) for text in texts]
    if found:
        blocks.append(Table(("Of the search", "Value"), found))
    return [*blocks, *provenance.record(material.records[name])]
