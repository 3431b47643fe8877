"""What the panel shows of a law, computed in the live process, which imports torch."""

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
    """Where a law is, and the state of what it is read by: calls with the same one have the same answer.

    Attributes
    ----------
    study : str
        Folder of the study.
    name : str
        The set of laws.
    member : int
        Place of the law, or of the laws of all classes.
    class_name : str, (str, str) or None
        Where there are more than two, the class that is told from all others; or two: that, and the one it is told
        from.
    stamp : tuple
        When the laws, the labels and the names were last changed.
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
        What it says, and the simplest inequality with the same classes.
    law : Law
        The law over inputs in units.
    words, units : dict
        Names of its latents with their signs, and units of its shapes.
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
        Where the other inputs are.
    inputs : tuple of str
        All inputs of the law, the one that changes the score (or the class of most cells) most first.
    input_labels : tuple of str
        The same as axes are labelled.
    cells : ndarray, float64 (n, axes)
        Labelled cells, as many as are drawn.
    cell_labels : ndarray, str (n,)
        Their classes.
    indices : ndarray, int64 (n,)
        Those cells among the study's crops.
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
    """Put a law into words."""
    reading = _reading(place)
    sentence = reading.sentence()
    used = reading.law.expression.variables()
    words = {name: word for name, word in reading.words.items() if name in used}
    return LawPage(sentence.text, sentence.inequality, reading.law, words, reading.units, reading.ranges)


def law_vetoes(place: LawPlace) -> list[str]:
    """Return sentences about inputs that exclude a class."""
    return _reading(place).vetoes()


def law_boundary(place: LawPlace, names: Sequence[str]) -> Boundary:
    """Return a slice over the inputs ``names``; over those that change most where there are none.

    Of one class among several it shows where each class is called around the median cell of this one, if the laws read
    two inputs or more.
    """
    from morpholaw.figures.law_boundary import drawn_rows
    from morpholaw.interpretation.class_regions import class_regions, inputs_by_changes, read_inputs
    from morpholaw.interpretation.input_slice import held_text, input_slice, inputs_by_effect

    reading = _reading(place)
    computed: InputSlice | ClassRegions
    middle = "their median"
    if reading.laws is not None and len(read_inputs(reading.laws)) > 1:
        ranges = reading.map_ranges(read_inputs(reading.laws))
        own = reading.cells_of(reading.classes[1])
        inputs = inputs_by_changes(reading.laws, own, ranges)
        chosen = tuple(names) if set(names) <= set(inputs) and len(names) == 2 else ()
        computed = class_regions(reading.laws, own, ranges, chosen)
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
    """Say why a cell is called what it is."""
    from morpholaw.store import classifiers
    from morpholaw.store.law_reading import explain_cells
    from morpholaw.study import Study

    study = Study(Path(place.study))
    return explain_cells(study, classifiers.load(study, place.name), [cell], place.member)[0]


def sheet(place: LawPlace) -> LawSheet:
    """Return cells that show what the law does."""
    from morpholaw.store import classifiers
    from morpholaw.study import Study
    from morpholaw.study.law_sheet_step import law_sheet

    study = Study(Path(place.study))
    return law_sheet(study, classifiers.load(study, place.name), place.member, place.class_name)


def write_card(place: LawPlace, out: str) -> str:
    """Write a law's card as HTML, PDF and Markdown; return the path of the HTML file."""
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
