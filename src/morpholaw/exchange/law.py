"""One law as a file: a Python function that needs nothing but the standard library, LaTeX, or TrackMate's filters."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from morpholaw import __version__, escape
from morpholaw.cells.files import write_bytes
from morpholaw.cells.shape_features import NEIGHBOURHOOD_NAMES, SHAPE_NAMES
from morpholaw.errors import InputError
from morpholaw.models.expressions import Expression, Inequality, Variable, boundary_form
from morpholaw.models.law import Law

SUFFIXES = (".py", ".tex", ".xml")


def write_law(
    path: str | os.PathLike[str],
    law: Law,
    classes: tuple[str, str],
    meanings: Mapping[str, str] | None = None,
) -> Path:
    """Write ``law`` to a .py or .tex file, or as filters of TrackMate's spots to an .xml file.

    Parameters
    ----------
    path
        Its suffix says which.
    classes
        Names of the negative (f < 0) and the positive class (f >= 0).
    meanings
        Names given to latents, e.g. ``{"z3": "size"}``: comments in Python, words in LaTeX.

    Raises
    ------
    InputError
        The suffix is another one, or the law is no filter of TrackMate.
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
        comments = "".join(f"% {escape.one_line(line)}\n" for line in header)
        text = f"{comments}\\begin{{equation}}\nf{law.argument} = {law.latex(words)}\n\\end{{equation}}\n"
    return write_bytes(path, text.encode())


def inputs_sentence(law: Law) -> str:
    """Say what the law reads."""
    shapes = [name for name in law.names if name in SHAPE_NAMES or name in NEIGHBOURHOOD_NAMES]
    latents = [name for name in law.names if name not in shapes]
    parts = [f"the latents {', '.join(latents)} (the encoder's means of one cell)"] if latents else []
    if shapes:
        parts.append(f"the shapes {', '.join(shapes)} (in the units that the study measures them in)")
    return f"It reads {' and '.join(parts)}."


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
