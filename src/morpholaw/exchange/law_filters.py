"""A law that is a set of thresholds as filters of TrackMate spots."""

from __future__ import annotations

from dataclasses import dataclass

from morpholaw.errors import InputError
from morpholaw.models.expressions import Expression, Inequality, Variable, boundary_form

FEATURES = {
    "area": "AREA",
    "axis_ratio": "ELLIPSE_ASPECTRATIO",
    "solidity": "SOLIDITY",
    "roundness": "CIRCULARITY",
}
"""Shapes that TrackMate measures in the same way, and what it calls them."""


@dataclass(frozen=True)
class SpotFilter:
    """A threshold on a feature of TrackMate's spots.

    Attributes
    ----------
    feature : str
        TrackMate's name of it.
    value : float
        The threshold, in the units of the image.
    above : bool
        Whether spots above it are kept.
    """

    feature: str
    value: float
    above: bool


def spot_filters(expression: Expression, classes: tuple[str, str]) -> tuple[str, tuple[SpotFilter, ...]]:
    """Return the class whose spots are kept, and the filters that keep them; all of them must hold.

    Parameters
    ----------
    expression : Expression
        A law over shapes in units.
    classes : (str, str)
        The classes of f < 0 and of f >= 0.

    Raises
    ------
    InputError
        If the law is no set of thresholds that all hold, or reads what TrackMate does not measure.
    """
    word, parts = boundary_form(expression).parts
    # Where one of several is enough for the second class, all must fail for the first.
    keeps_second = word != "or"
    filters = []
    for part in parts:
        if not isinstance(part.left, Variable):
            raise InputError(
                f"TrackMate filters by one feature at a time, and {part.text()} compares a formula; test a rule of "
                "thresholds such as area < 100 and axis_ratio > 1.9."
            )
        filters.append(_filter(part, keeps_second))
    return classes[1] if keeps_second else classes[0], tuple(filters)


def _filter(part: Inequality, keeps_second: bool) -> SpotFilter:
    name = part.left.text()
    if name not in FEATURES:
        raise InputError(f"TrackMate has no feature for {name}; a filter can read {', '.join(FEATURES)}.")
    return SpotFilter(FEATURES[name], part.threshold, part.at_least == keeps_second)


def filters_xml(filters: tuple[SpotFilter, ...]) -> bytes:
    """Return the element SpotFilterCollection of a TrackMate file's settings."""
    from xml.etree.ElementTree import Element, SubElement, indent, tostring

    collection = Element("SpotFilterCollection")
    for one in filters:
        values = {"feature": one.feature, "value": repr(one.value), "isabove": str(one.above).lower()}
        SubElement(collection, "Filter", values)
    indent(collection)
    text: bytes = tostring(collection, encoding="utf-8", xml_declaration=True)
    return text + b"\n"
