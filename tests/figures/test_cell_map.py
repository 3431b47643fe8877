"""Maps of cells and lineage trees show classes in the colours that the study has given them."""

from __future__ import annotations

import numpy as np
from matplotlib.collections import LineCollection
from matplotlib.colors import to_hex

from morpholaw.figures.cell_map import cell_map
from morpholaw.figures.lineage_tree import Tree, lineage_tree
from morpholaw.figures.palette import ByClass, colours_on
from morpholaw.figures.style import LIGHT

CLASSES = ("interphase", "metaphase", "anaphase")
COLOURS = dict(zip(CLASSES, ("#112233", "#445566", "#707f8c"), strict=True))
LABELS = ["metaphase", "", "anaphase", "metaphase"]


def test_a_map_has_the_colours_of_the_study() -> None:
    points = np.arange(8.0).reshape(4, 2)

    def colours(*chosen) -> dict[str, str]:
        axes = cell_map(points, ("area", "width"), ByClass(LABELS, *chosen)).axes[0]
        return {str(line.get_label()): to_hex(line.get_color()) for line in axes.lines}

    chosen = colours(COLOURS)
    assert (chosen["metaphase"], chosen["anaphase"]) == (COLOURS["metaphase"], COLOURS["anaphase"])
    assert colours()["metaphase"] == colours_on(LIGHT.background, CLASSES)["metaphase"]


def test_a_lineage_tree_has_the_colours_of_the_study() -> None:
    tree = Tree(["1"], np.array([-1]), np.zeros(4, np.int64), np.arange(4))
    axes = lineage_tree(tree, ByClass(LABELS, COLOURS)).axes[0]
    drawn = {
        to_hex(colour)
        for lines in axes.collections
        if isinstance(lines, LineCollection)
        for colour in lines.get_colors()
    }
    assert {COLOURS["metaphase"], COLOURS["anaphase"]} <= drawn


def test_long_names_of_classes_leave_room_for_the_map() -> None:
    names = ["interphase", f"mitotic catastrophe with {'very ' * 12}multipolar spindle"]
    points = np.random.default_rng(0).normal(size=(40, 2))
    figure = cell_map(points, ("x", "y"), ByClass(names * 20), figsize=(4.8, 4.0))
    figure.canvas.draw()
    axes = figure.axes[0]
    assert axes.get_window_extent().width > 0.75 * figure.bbox.width
    texts = [text.get_text() for text in axes.get_legend().get_texts()]
    assert texts == ["interphase", "mitotic catast…r spindle"]
