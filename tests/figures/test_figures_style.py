"""Themes, names and export: what all figures share."""

from __future__ import annotations

import base64
import io
import subprocess
import sys
import xml.etree.ElementTree as ElementTree
from itertools import combinations

import numpy as np
import pytest
from matplotlib.colors import to_rgb
from PIL import Image
from skimage.color import deltaE_ciede2000, rgb2lab

from morpholaw.figures.attacks import attack_curves
from morpholaw.figures.export import to_png_data_uri, to_svg
from morpholaw.figures.palette import class_colours, colours_on, seen_on
from morpholaw.figures.pictures import montage
from morpholaw.figures.style import DARK, LIGHT, formula, plain, row_by_row, scheme_look, symbol, symbols


def linear(colour):
    rgb = np.array(to_rgb(colour))
    return np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)


def luminance(colour):
    return float(linear(colour) @ [0.2126, 0.7152, 0.0722])


@pytest.mark.parametrize("theme", [LIGHT, DARK])
def test_text_and_lines_stand_out_from_the_background(theme):
    background = theme.background
    assert contrast(theme.foreground, background) > 7
    for colour in (theme.positive, theme.negative, theme.zero, *theme.schemes):
        assert contrast(colour, background) > 3
    assert contrast(theme.muted, background) >= 4.5  # notes are written in it


def test_classes_keep_their_colours_and_never_share_one():
    both = class_colours(["interphase", "metaphase"])
    assert class_colours(["metaphase", "interphase"]) == both
    mixed = class_colours(["round", "metaphase", "flat", "interphase", "odd"])
    assert len(set(mixed.values())) == 5


def test_schemes_look_the_same_however_they_are_named():
    assert scheme_look(3, 0, LIGHT) == scheme_look("scheme 3", 1, LIGHT) == scheme_look("3", 2, LIGHT)
    looks = [scheme_look(scheme, 0, LIGHT) for scheme in (1, 2, 3, 4)]
    assert len({look["marker"] for look in looks}) == len({look["color"] for look in looks}) == 4
    hinge, mse = scheme_look("scheme 4, hinge", 3, LIGHT), scheme_look("scheme 4, MSE", 4, LIGHT)
    assert hinge["color"] == mse["color"] == looks[3]["color"]
    assert hinge["marker"] != mse["marker"]
    assert hinge == scheme_look("scheme 4, hinge", 2, LIGHT)  # also where scheme 1 is not shown
    assert mse == scheme_look("scheme 4, MSE", 3, LIGHT)
    assert len({str(look["linestyle"]) for look in (*looks, mse)}) == 5


def test_names_are_set_letter_by_letter_and_latents_as_symbols():
    assert symbol("z29") == symbol("z_29") == "z₂₉"
    assert symbol("size $") == plain("size $") == r"size \$"
    assert symbol("z6 (size) *") == "z₆ (size) *"
    assert symbols("z21 = 0, size = 1") == "z₂₁ = 0, size = 1"
    assert formula("z_{1}^{2}") == "$z_{1}^{2}$"
    assert formula(r"\nonsense{") == r"\nonsense{"


@pytest.fixture
def figure():
    return attack_curves(
        [0, 0.1, 0.2], np.random.default_rng(0).random((2, 3, 3)), schemes=[1, 2], theme=DARK
    )


def test_svg_stands_inside_html(figure):
    svg = to_svg(figure, title='accuracy < "attack"')
    root = ElementTree.fromstring(svg)
    assert root.tag.endswith("svg")
    assert root.get("aria-label") == 'accuracy < "attack"'
    used = [e.get("id") for e in root.iter() if e.get("id")]
    assert len(used) == len(set(used))
    assert all(f"#{name}" in svg for name in used)
    assert DARK.background in svg


def test_svg_is_the_same_each_time_and_brings_its_pictures(figure, cells):
    assert to_svg(figure) == to_svg(figure)
    svg = to_svg(montage(cells))
    assert "data:image/png;base64," in svg
    assert 'href="http' not in svg


def test_png_has_the_asked_resolution(figure):
    uri = to_png_data_uri(figure, dpi=100)
    head, data = uri.split(",")
    assert head == "data:image/png;base64"
    image = Image.open(io.BytesIO(base64.b64decode(data)))
    assert image.size[0] == round(figure.get_size_inches()[0] * 100)
    assert image.convert("RGB").getpixel((0, 0)) == tuple(round(255 * c) for c in to_rgb(DARK.background))


def test_a_figure_lives_in_a_qt_canvas(qtbot, figure):
    from matplotlib.backends.backend_qtagg import FigureCanvasQTAgg

    canvas = FigureCanvasQTAgg(figure)
    qtbot.addWidget(canvas)
    canvas.resize(320, 240)
    canvas.draw()
    assert len(np.unique(np.asarray(canvas.buffer_rgba()).view(np.uint32))) > 20


def test_no_pyplot_state():
    code = """
import importlib, pkgutil, sys
import morpholaw.figures
for module in pkgutil.iter_modules(morpholaw.figures.__path__):
    importlib.import_module("morpholaw.figures." + module.name)
assert not {"matplotlib.pyplot", "torch"} & set(sys.modules)
"""
    subprocess.run([sys.executable, "-c", code], check=True)


def contrast(one: str, other: str) -> float:
    dark, light = sorted([luminance(one), luminance(other)])
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("background", [LIGHT.background, DARK.background, "#efebe9", "#000000"])
def test_colours_of_classes_stand_out_from_what_they_lie_on(background):
    """3 to 1, as WCAG 2.1 asks of graphics: on paper, in both of napari's themes, and the colours a person chose."""
    many = colours_on(background, [f"class {number}" for number in range(18)])
    assert min(contrast(colour, background) for colour in many.values()) >= 3
    assert len(set(many.values())) == 18
    phases = ("interphase", "prometaphase", "metaphase", "anaphase", "apoptosis")
    assert len(set(colours_on(background, phases).values())) == 5
    chosen = {"pale": "#fff7b0", "navy": "#00004f", "black": "#000000", "white": "#ffffff"}
    seen = colours_on(background, tuple(chosen), chosen)
    assert min(contrast(colour, background) for colour in seen.values()) >= 3
    assert seen_on(background, "#737373") == "#737373"  # what is seen stays as it was chosen


def test_on_white_the_phases_are_told_apart_by_whoever_cannot_see_red_or_green():
    """No two phases are nearer on white than the nearest two of Okabe and Ito's own colours."""
    phases = ("interphase", "prometaphase", "metaphase", "anaphase", "apoptosis")

    def nearest(colours):
        return min(unlikeness(one, other) for one, other in combinations(colours.values(), 2))

    assert nearest(colours_on(LIGHT.background, phases)) >= nearest(class_colours(phases))


def unlikeness(one: str, other: str) -> float:
    """CIEDE2000 between two colours for whoever sees it worst: all cones, no red ones, no green ones."""
    views = (
        np.eye(3),
        np.array([[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]]),
        np.array([[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.01182, 0.04294, 0.968881]]),
    )  # fmt: skip
    seen = [[_lab(view, colour) for colour in (one, other)] for view in views]
    return min(float(deltaE_ciede2000(*pair)) for pair in seen)


def _lab(view: np.ndarray, colour: str) -> np.ndarray:
    light = np.clip(view @ linear(colour), 0, 1)
    return rgb2lab(np.where(light <= 0.0031308, 12.92 * light, 1.055 * light ** (1 / 2.4) - 0.055))


@pytest.mark.parametrize(("count", "columns"), [(1, 3), (3, 3), (4, 3), (5, 4), (7, 3), (9, 4), (0, 3)])
def test_entries_of_a_legend_are_read_row_by_row(count, columns):
    """As matplotlib fills its columns: the first ones have one entry more."""
    filled = np.array_split(row_by_row(list(range(count)), columns), max(1, min(columns, count)))
    rows = [list(column) for column in filled]
    read = [column[row] for row in range(count) for column in rows if row < len(column)]
    assert read == list(range(count))
