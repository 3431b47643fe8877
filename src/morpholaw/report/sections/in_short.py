"""The laws in words, the accuracy of every classifier, and the warnings of all sections."""

from __future__ import annotations

from collections.abc import Sequence

from markupsafe import Markup

from morpholaw.display import capitalised, in_print, number, span
from morpholaw.evaluation.estimate import Estimate
from morpholaw.interpretation.interventions import dependence
from morpholaw.report.material import Material
from morpholaw.report.page import Absent, Block, Bullets, Paragraph, Section, Table, with_notes
from morpholaw.report.sections.cell_alone import cell_alone
from morpholaw.report.sections.interventions import MOST_INPUTS, Surroundings, inputs_from_surroundings


def in_short(material: Material, surroundings: Surroundings, sections: Sequence[Section]) -> list[Block]:
    """State each law in words and how reliable each classifier is, and repeat the warnings of the other sections.

    Parameters
    ----------
    material : Material
        The study.
    surroundings : Surroundings
        The measured dependence of the classifiers on surroundings.
    sections : sequence of Section
        The other sections.

    Raises
    ------
    Absent
        If no classifier has been trained.
    """
    if not material.names:
        raise Absent("No classifier has been trained yet, so nothing has been found.")
    laws = [name for name in material.names if _has_sentence(material, name)]
    rows = [_row(material, surroundings, name) for name in material.names]
    columns = (
        "Classifier",
        "Test cells",
        "Accuracy, %",
        "Changed classes, %",
        "Depends on surroundings",
        "Inputs that surroundings affect",
    )
    caption = (
        "Accuracy on test cells, with 95 % confidence intervals over groups of cells. Changed classes: share of "
        "predicted classes that change when only the surroundings of the cell are replaced or removed, whichever "
        "decides. Percentages of inputs: share of their variance that surroundings cause."
    )
    stated = [paragraph for name in laws for paragraph in _law(material, surroundings, name)]
    blocks: list[Block] = [*stated, Table(columns, rows, caption)]
    if warnings := _warnings(sections):
        blocks += [Paragraph("To be careful about:"), Bullets(warnings)]
    return blocks


def _has_sentence(material: Material, name: str) -> bool:
    return material.records[name].scheme == 4 and material.records[name].two_classes


def _law(material: Material, surroundings: Surroundings, name: str) -> list[Paragraph]:
    """Return the law that is applied as an inequality and in words, and one that surroundings do not affect."""
    try:
        sentence = material.reading(name, 0).sentence()
    except Absent as reason:
        return [Paragraph(f"{material.title(name)}: {reason}", "absent")]
    positive = capitalised(material.records[name].positive)
    stated = Paragraph(f"{positive} where {in_print(sentence.inequality)} ({name}). {sentence.text}")
    return [stated, *cell_alone(material, surroundings, name)]


def _row(material: Material, surroundings: Surroundings, name: str) -> tuple[object, ...]:
    evaluation = material.records[name].evaluation
    return (
        material.title(name),
        f"{evaluation.test_cells:,}",
        _with_interval(evaluation.ensemble_accuracy),
        *_on_surroundings(surroundings, name),
        _inputs(material, name),
    )


def _with_interval(share: Estimate) -> Markup:
    """Return a share in per cent, with its interval below it."""
    return with_notes(number(100 * share.value, 1), f"({span(100 * share.low, 100 * share.high, 1)})")


def _on_surroundings(surroundings: Surroundings, name: str) -> tuple[object, str]:
    """Return the share of classes that change with the surroundings, and what follows from it."""
    try:
        verdict = dependence(surroundings.measured(name))
    except Absent:
        return "not measured", ""
    answers = {True: "yes", False: "hardly", None: "not certain"}
    return _with_interval(verdict.worst.flips), answers[verdict.reads]


def _inputs(material: Material, name: str) -> str:
    """Return the inputs that surroundings affect."""
    if material.records[name].scheme == 1:
        return "all pixels of the crop"
    inputs = inputs_from_surroundings(material, name)
    return f"{len(inputs)} latents" if len(inputs) > MOST_INPUTS else ", ".join(inputs) or "none"


def _warnings(sections: Sequence[Section]) -> list[Markup]:
    """Return the warnings of all sections, each once and with a link to its section.

    Of two that begin alike, such as that a classifier is no better than guessing and the same with the reason, the
    longer is kept.
    """
    found: dict[str, Section] = {}
    for section in sections:
        for block in section.blocks:
            if isinstance(block, Paragraph) and block.tone == "warning":
                found.setdefault(block.text, section)
    return [
        Markup('{} (<a href="#{}">{}</a>)').format(text, section.anchor, section.title)
        for text, section in found.items()
        if not any(other != text and other.startswith(text.removesuffix(".")) for other in found)
    ]
