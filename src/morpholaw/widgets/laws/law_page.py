"""Everything that the panel shows about a law, computed in the live process, which imports torch."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from morpholaw.models.law import Law

if TYPE_CHECKING:
    from morpholaw.interpretation.cell_reasons import CellReasons
    from morpholaw.interpretation.class_regions import ClassRegions
    from morpholaw.interpretation.input_slice import InputSlice
    from morpholaw.interpretation.sheet import LawSheet
    from morpholaw.store.law_reading import LawReading


@dataclass(frozen=True)
class LawPlace:
    """Location of a law and the state of the files it depends on; equal places give equal results.

    Attributes
    ----------
    study : str
        Folder of the study.
    name : str
        Name of the set of laws.
    member : int
        Index of the law, or of the laws of all classes.
    class_name : str, (str, str) or None
        With more than two classes, the class read against all others, or the pair of classes read against each other;
        None with two classes.
    stamp : tuple
        Times of change of the laws, the labels and the study, and the names of the latents.
    """

    study: str
    name: str
    member: int
    class_name: str | tuple[str, str] | None
    stamp: tuple[object, ...]


@dataclass(frozen=True)
class LawPage:
    """A law in words.

    Attributes
    ----------
    sentence, inequality : str
        The law as a sentence, and as the simplest inequality that predicts the same classes.
    law : Law
        The law over inputs in units.
    words, units : dict
        Names of the latents with their signs, and units of the shapes.
    ranges : dict
        Range of each input.
    """

    sentence: str
    inequality: str
    law: Law
    words: dict[str, str]
    units: dict[str, str]
    ranges: dict[str, tuple[float, float]]


@dataclass(frozen=True)
class Boundary:
    """A slice of a law, or of the laws of all classes, with labelled cells.

    Attributes
    ----------
    computed : InputSlice or ClassRegions
        The scores of a law, or the class whose law is the largest.
    labels : tuple of str
        Labels of the axes.
    held : str
        Values of the other inputs, in words.
    inputs : tuple of str
        All inputs of the law, sorted by their effect on the score (or on the classes of the cells), largest first.
    input_labels : tuple of str
        Labels of ``inputs`` for axes and menus.
    cells : ndarray, float64 (n, axes)
        Inputs of the labelled cells that are drawn.
    cell_labels : ndarray, str (n,)
        Classes of these cells.
    indices : ndarray, int64 (n,)
        Global indices of these cells.
    """

    computed: InputSlice | ClassRegions
    labels: tuple[str, ...]
    held: str
    inputs: tuple[str, ...]
    input_labels: tuple[str, ...]
    cells: np.ndarray
    cell_labels: np.ndarray
    indices: np.ndarray


def law_page(place: LawPlace) -> LawPage:
    """Return a law in words."""
    reading = _reading(place)
    sentence = reading.sentence()
    used = reading.law.expression.variables()
    words = {name: word for name, word in reading.words.items() if name in used}
    return LawPage(sentence.text, sentence.inequality, reading.law, words, reading.units, reading.ranges)


def law_vetoes(place: LawPlace) -> list[str]:
    """Return sentences about the inputs that exclude a class."""
    return _reading(place).vetoes()


def law_boundary(place: LawPlace, names: Sequence[str]) -> Boundary:
    """Return a slice over the inputs ``names``, or over those with the largest effect if ``names`` is empty.

    For one class among several, it shows which class is predicted around the median cell of this class, provided that
    the laws read at least two inputs.
    """
    from morpholaw.figures.law_boundary import drawn_rows
    from morpholaw.interpretation.class_regions import class_regions, inputs_by_changes, read_inputs
    from morpholaw.interpretation.input_slice import held_text, input_slice, inputs_by_effect

    reading = _reading(place)
    computed: InputSlice | ClassRegions
    middle = "their median"
    if reading.laws is not None and len(read_inputs(reading.laws)) > 1:
        ranges = reading.map_ranges(read_inputs(reading.laws))
        of_class = reading.cells_of(reading.classes[1])
        inputs = inputs_by_changes(reading.laws, of_class, ranges)
        chosen = tuple(names) if set(names) <= set(inputs) and len(names) == 2 else ()
        computed = class_regions(reading.laws, of_class, ranges, chosen)
        middle = f"the median of {reading.classes[1]}"
    else:
        ranges = reading.map_ranges(reading.law.expression.variables())
        inputs = inputs_by_effect(reading.law, reading.cells, ranges)
        chosen = tuple(names) if set(names) <= set(inputs) and names else inputs[:2]
        computed = input_slice(reading.law, reading.cells, ranges, chosen)
    held = held_text(computed.held, reading.units_of(computed.held))
    cells = reading.cells.select(computed.names)
    rows = drawn_rows(cells, reading.labels, np.unique(reading.labels).tolist())
    return Boundary(
        computed,
        tuple(reading.axis_label(name) for name in computed.names),
        f"Others at {middle}: {held}" if held else "",
        inputs,
        tuple(reading.axis_label(name) for name in inputs),
        cells[rows],
        reading.labels[rows],
        reading.index[rows],
    )


def explained_cell(place: LawPlace, cell: int) -> CellReasons:
    """Return why a law predicts the class of a cell."""
    from morpholaw.store import classifiers
    from morpholaw.store.explained_cells import explain_cells
    from morpholaw.study import Study

    study = Study(Path(place.study))
    return explain_cells(study, classifiers.load(study, place.name), [cell], place.member, place.name)[0]


def sheet(place: LawPlace) -> LawSheet:
    """Return typical cells of each class that a law predicts, and cells near its boundary."""
    from morpholaw.store import classifiers
    from morpholaw.study import Study
    from morpholaw.study.law_sheet_step import law_sheet

    study = Study(Path(place.study))
    return law_sheet(study, classifiers.load(study, place.name), place.member, place.class_name)


def write_card(place: LawPlace, out: str) -> str:
    """Write the card of a law as HTML, PDF and Markdown; return the path of the HTML file."""
    from morpholaw.study import Study

    Path(out).parent.mkdir(exist_ok=True)
    return str(Study(Path(place.study)).law_card(out, place.member, name=place.name))


@lru_cache(maxsize=8)
def _reading(place: LawPlace) -> LawReading:
    from morpholaw.store import classifiers
    from morpholaw.store.law_reading import read_law
    from morpholaw.study import Study
    from morpholaw.training.devices import torch_threads

    study = Study(Path(place.study))
    with torch_threads(1):
        return read_law(study, classifiers.load(study, place.name), place.member, place.class_name)
