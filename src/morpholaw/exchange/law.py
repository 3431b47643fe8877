"""Export of a law to a standalone Python function, LaTeX, or filters for TrackMate."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from morpholaw import __version__, escape
from morpholaw.cells.files import write_bytes
from morpholaw.cells.shape_features import NEIGHBOURHOOD_NAMES, SHAPE_NAMES
from morpholaw.errors import InputError
from morpholaw.interpretation.oriented_law import law_in_words
from morpholaw.models.expressions import Expression, Inequality, Variable, boundary_form
from morpholaw.models.law import Law

SUFFIXES = (".py", ".tex", ".xml")


def write_law(
    path: str | os.PathLike[str],
    law: Law,
    classes: tuple[str, str],
    meanings: Mapping[str, str] | None = None,
) -> Path:
    """Write a law to a .py or .tex file, or as spot filters for TrackMate to an .xml file.

    Parameters
    ----------
    path : path
        File to write; its suffix selects the format.
    law : Law
        Law over inputs in units.
    classes : tuple of str
        Names of the negative (f < 0) and the positive class (f >= 0).
    meanings : mapping, optional
        Names of latents, such as ``{"z3": "size"}``: comments in Python, words in LaTeX.

    Returns
    -------
    Path

    Raises
    ------
    InputError
        If the suffix is not supported, or the law cannot be written as TrackMate filters.
    """
    path, meanings = Path(path), meanings or {}
    if path.suffix not in SUFFIXES:
        raise InputError(
            f"A law is written to a file ending in {', '.join(SUFFIXES)} or .csv, not to {path.name}."
        )
    if path.suffix == ".xml":
        return write_bytes(path, filters_xml(spot_filters(law.expression, classes)[1]))
    words = {name: meanings[name] for name in law.names if name in meanings}
    header = [
        f"A law found by Morpholaw {__version__}: f < 0 is {classes[0]}, f >= 0 is {classes[1]}.",
        inputs_sentence(law),
        *(f"{name}: {word}" for name, word in words.items()),
    ]
    if path.suffix == ".py":
        lines = ["# -*- coding: utf-8 -*-", *map(escape.python_comment, header), "", law.to_python()]
        text = "\n".join(lines)
    else:
        header.append(f"At full precision: f = {law.text()}")
        comments = "".join(f"% {escape.one_line(line)}\n" for line in header)
        text = f"{comments}\\begin{{equation}}\nf{law.argument} = {latex_in_words(law, words)}\n\\end{{equation}}\n"
    return write_bytes(path, text.encode())


def latex_in_words(law: Law, words: Mapping[str, str]) -> str:
    """Return a law as LaTeX over what the names of its inputs say: z1 called "−size" is minus the size."""
    law_of_words, names = law_in_words(law, words)
    return law_of_words.latex(names)


def inputs_sentence(law: Law) -> str:
    """Return a sentence that names the inputs of a law."""
    shapes = [name for name in law.names if name in SHAPE_NAMES or name in NEIGHBOURHOOD_NAMES]
    latents = [name for name in law.names if name not in shapes]
    parts = [f"the latents {', '.join(latents)} (the encoder's means of one cell)"] if latents else []
    if shapes:
        parts.append(f"the shapes {', '.join(shapes)} (in the units in which the study measures them)")
    return f"Inputs: {' and '.join(parts)}."


FEATURES = {
    "area": "AREA",
    "axis_ratio": "ELLIPSE_ASPECTRATIO",
    "solidity": "SOLIDITY",
    "roundness": "CIRCULARITY",
}
"""TrackMate's names for the shapes that it measures in the same way."""


@dataclass(frozen=True)
class SpotFilter:
    """A threshold on a feature of TrackMate spots.

    Attributes
    ----------
    feature : str
        TrackMate's name of the feature.
    value : float
        The threshold, in the units of the image.
    above : bool
        Whether spots above the threshold are kept.
    """

    feature: str
    value: float
    above: bool


def spot_filters(expression: Expression, classes: tuple[str, str]) -> tuple[str, tuple[SpotFilter, ...]]:
    """Convert a law to spot filters, all of which must hold.

    Parameters
    ----------
    expression : Expression
        Law over shapes in units.
    classes : tuple of str
        Names of the classes of f < 0 and f >= 0.

    Returns
    -------
    kept : str
        The class whose spots are kept.
    filters : tuple of SpotFilter

    Raises
    ------
    InputError
        If the law is not a conjunction of thresholds, or uses features that TrackMate does not measure.
    """
    word, parts = boundary_form(expression).parts
    # If one of several conditions is enough for the second class, all of them must fail for the first.
    keeps_second = word != "or"
    filters = []
    for part in parts:
        if not isinstance(part.left, Variable):
            raise InputError(
                f"TrackMate filters by one feature at a time, but {part.text()} compares a formula; use a rule of "
                "thresholds such as area < 100 and axis_ratio > 1.9."
            )
        filters.append(_filter(part, keeps_second))
    return classes[1] if keeps_second else classes[0], tuple(filters)


def _filter(part: Inequality, keeps_second: bool) -> SpotFilter:
    name = part.left.text()
    if name not in FEATURES:
        raise InputError(f"TrackMate has no feature for {name}; a filter can use {', '.join(FEATURES)}.")
    return SpotFilter(FEATURES[name], part.threshold, part.at_least == keeps_second)


def filters_xml(filters: tuple[SpotFilter, ...]) -> bytes:
    """Return the SpotFilterCollection element of a TrackMate settings file."""
    from xml.etree.ElementTree import Element, SubElement, indent, tostring

    collection = Element("SpotFilterCollection")
    for one in filters:
        values = {"feature": one.feature, "value": repr(one.value), "isabove": str(one.above).lower()}
        SubElement(collection, "Filter", values)
    indent(collection)
    text: bytes = tostring(collection, encoding="utf-8", xml_declaration=True)
    return text + b"\n"
