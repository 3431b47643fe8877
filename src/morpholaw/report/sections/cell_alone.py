"""A law of the same search that reads the cell alone, for a law that also reads its surroundings."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import astuple

from morpholaw.display import in_print, percent, percent_interval
from morpholaw.evaluation.estimate import Estimate
from morpholaw.interpretation.interventions import Dependence, dependence
from morpholaw.report.material import Material
from morpholaw.report.page import Absent, Paragraph
from morpholaw.report.sections.interventions import Surroundings, inputs_from_surroundings


def cell_alone(
    material: Material, surroundings: Surroundings, name: str, k: int | None = None
) -> list[Paragraph]:
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
    k : int, optional
        Index of the law that is shown; by default, it is the one that is applied.

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
    inequality, shown = in_print(material.reading(name, best).sentence().inequality), k or 0
    intervals = material.records[name].evaluation.intervals
    there = _accuracy(intervals[best]) + _changes(lambda: surroundings.verdict(name, best))
    here = _accuracy(intervals[shown]) + _changes(lambda: dependence(surroundings.measured(name, k)))
    return [
        Paragraph(
            f"Law {best + 1} of the same search uses no input that the surroundings affect: {classifier.positive} "
            f"where {inequality}. Law {best + 1}: {there}. Law {shown + 1}: {here}. To apply law {best + 1}, choose it "
            f"in the Laws panel or add --law {best + 1} to morpholaw classify."
        )
    ]


def _accuracy(share: Estimate) -> str:
    return f"accuracy {percent_interval(*astuple(share))}"


def _changes(verdict: Callable[[], Dependence]) -> str:
    """Return the share of classes that change with the surroundings; "" if it cannot be measured."""
    try:
        return f", {percent(verdict().worst.flips.value)} of classes change in other surroundings"
    except Absent:
        return ""
