"""A law of the same search that reads the cell alone, for a law that also reads its surroundings."""

from __future__ import annotations

from dataclasses import astuple

from morpholaw.display import in_print, percent, percent_interval
from morpholaw.report.material import Material
from morpholaw.report.page import Absent, Paragraph
from morpholaw.report.sections.interventions import Surroundings, inputs_from_surroundings


def cell_alone(material: Material, surroundings: Surroundings, name: str, k: int = 0) -> list[Paragraph]:
    """Point to the best law of a search whose inputs the surroundings do not affect.

    The best is the most accurate on the training set. Choosing it on the test cells would make the accuracy that is
    stated for them too high.

    Parameters
    ----------
    material : Material
        The study.
    surroundings : Surroundings
        The measured dependence of laws on surroundings.
    name : str
        Name of the laws, e.g. "scheme4-hinge", of two classes.
    k : int
        Index of the law that is shown; 0 is the one that is applied.

    Returns
    -------
    list of Paragraph
        One paragraph, or none if the surroundings affect no input of the law that is shown, or inputs of all laws.
    """
    classifier = material.classifier(name)
    if classifier.encoder is None or not inputs_from_surroundings(material, name, k):
        return []
    others = (
        other
        for other in range(classifier.members)
        if classifier.kept_columns(other) and not inputs_from_surroundings(material, name, other)
    )
    best = next(others, None)
    if best is None:
        return []
    inequality = in_print(material.reading(name, best).sentence().inequality)
    there, here = (_measured(material, surroundings, name, i) for i in (best, k))
    return [
        Paragraph(
            f"Law {best + 1} of the same search uses no input that the surroundings affect: {classifier.positive} "
            f"where {inequality}. Law {best + 1}: {there}. Law {k + 1}: {here}. To apply law {best + 1}, choose it in "
            f"the Laws panel or add --law {best + 1} to morpholaw classify."
        )
    ]


def _measured(material: Material, surroundings: Surroundings, name: str, k: int) -> str:
    """Return the accuracy of a law and, if it was measured, its dependence on surroundings."""
    accuracy = f"accuracy {percent_interval(*astuple(material.records[name].evaluation.intervals[k]))}"
    try:
        flips = surroundings.verdict(name, k).worst.flips
    except Absent:
        return accuracy
    return f"{accuracy}, {percent(flips.value)} of classes change in other surroundings"
