"""Themes, names and export: what all figures share."""

from __future__ import annotations

import base64
import io
import subprocess
import sys
import xml.etree.ElementTree as ElementTree

import numpy as np
import pytest
from matplotlib.colors import to_rgb
from PIL import Image

from morpholaw.figures.attacks import attack_curves
from morpholaw.figures.export import to_png_data_uri, to_svg
from morpholaw.figures.palette import class_colours
from morpholaw.figures.pictures import montage
from morpholaw.figures.style import (
    DARK,
    LIGHT,
    formula,
    plain,
    row_by_row,
    scheme_look,
    symbol,
    symbols,
)


def luminance(colour):
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in to_rgb(colour)]
    return float(np.dot(linear, [0.2126, 0.7152, 0.0722]))


@pytest.mark.parametrize("theme", [LIGHT, DARK])
def test_text_and_lines_stand_out_from_the_background(theme):
    def contrast(colour):
        dark, light = sorted([luminance(colour), luminance(theme.background)])
        return (light + 0.05) / (dark + 0.05)

    assert contrast(theme.foreground) > 7
    for colour in (theme.positive, theme.negative, theme.zero, *theme.schemes):
        assert contrast(colour) > 3
    assert contrast(theme.muted) >= 4.5  # notes are written in it


def test_classes_keep_their_colours_and_never_share_one():
    both = class_colours(["interphase", "metaphase"])
    assert class_colours(["metaphase", "interphase"]) == both[::-1]
    mixed = class_colours(["round", "metaphase", "flat", "interphase", "odd"])
    assert len(set(mixed)) == 5


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
    assert symbol("z29") == symbol("z_29") == "$z_{29}$"
    assert symbol("size $") == plain("size $") == r"size \$"
    assert symbol("z6 (size) *") == "$z_{6}$ (size) *"
    assert symbols("z21 = 0, size = 1") == "$z_{21}$ = 0, size = 1"
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
    assert len(np.unique(np.asarray(canvas.buffer_rgba()).reshape(-1, 4), axis=0)) > 20


def test_no_pyplot_state():
    code = """
import importlib, pkgutil, sys
import morpholaw.figures
for module in pkgutil.iter_modules(morpholaw.figures.__path__):
    importlib.import_module("morpholaw.figures." + module.name)
assert not {"matplotlib.pyplot", "torch"} & set(sys.modules)
"""
    subprocess.run([sys.executable, "-c", code], check=True)


def test_colours_of_classes_stand_out_from_the_dark_theme():
    """3 to 1, as WCAG 2.1 asks of graphics; on white none is as good as white."""
    many = class_colours([f"class {number}" for number in range(18)])
    ground = luminance(DARK.background) + 0.05
    assert min((luminance(colour) + 0.05) / ground for colour in many) >= 3
    assert max(luminance(colour) for colour in many) < 0.8
    assert len(set(many)) == 18


@pytest.mark.parametrize(("count", "columns"), [(1, 3), (3, 3), (4, 3), (5, 4), (7, 3), (9, 4), (0, 3)])
def test_entries_of_a_legend_are_read_row_by_row(count, columns):
    """As matplotlib fills its columns: the first ones have one entry more."""
    filled = np.array_split(row_by_row(list(range(count)), columns), max(1, min(columns, count)))
    rows = [list(column) for column in filled]
    read = [column[row] for row in range(count) for column in rows if row < len(column)]
    assert read == list(range(count))
