"""Reconstructions, traversals and montages show every picture, with its names and captions."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from morpholaw.errors import InputError
from morpholaw.figures.mosaic import draw_mosaic, grey, scale_bar_length, signed
from morpholaw.figures.pictures import montage, reconstructions, traversal_grid
from morpholaw.figures.style import DARK, LIGHT, new_figure


@pytest.mark.parametrize("count", [1, 5, 12])
@pytest.mark.parametrize("width", [3.2, 6.4])
def test_reconstructions_fit_a_dock_and_a_page(draw, texts, cells, count, width):
    figure = reconstructions(cells[:count], cells[:count] / 255, pixel_size=0.333, figsize=(width, None))
    draw(figure)
    assert {"image", "reconstruction", "5 µm"} <= texts(figure)


def test_traversals_name_latents_and_values(draw, texts, cells):
    pictures = np.stack([cells[:5]] * 2)
    figure = traversal_grid(pictures, ["z29", "size"], np.linspace(-3, 3, 5), pixel_size=0.333)
    draw(figure)
    assert {"z₂₉", "size", "−1.5", "0.0", "value of the latent"} <= texts(figure)


def test_one_latent_and_one_step(draw, cells):
    draw(traversal_grid(cells[None, :1], ["z0"], [0.0]))


def test_montage_captions_say_label_score_and_place(draw, texts, cells):
    figure = montage(
        cells,
        scores=[np.nan, *range(11)],
        labels=["metaphase"] * 12,
        captions=[f"track {i}" for i in range(12)],
        pixel_size=0.333,
        theme=DARK,
    )
    draw(figure)
    assert {"metaphase\nf = n/a\ntrack 0", "metaphase\nf = 0.00\ntrack 1"} <= texts(figure)


def test_names_from_files_are_never_mathematics(draw, cells):
    draw(montage(cells[:2], labels=["$\\frac$", "$x$ and $\\bad$"]))


def test_a_blank_and_a_partly_missing_picture_can_be_drawn(draw, cells):
    pictures = cells / 255.0
    pictures[0] = 0
    pictures[1, :16] = np.nan
    draw(montage(pictures))


def test_one_long_name_makes_no_other_unreadable(draw, texts, cells):
    names = ["metaphase", "metaphase and then some more", *["interphase"] * 6]
    figure = montage(cells[:8], labels=names, columns=8, figsize=(6.4, None))
    draw(figure)
    assert {"metaphase", "interphase"} < texts(figure)
    assert any(text.startswith("metaphase and") and text.endswith("…") for text in texts(figure))
    assert all(text.get_fontsize() >= 4.5 for text in figure.axes[0].texts)


def test_every_tile_stands_at_its_corner():
    tiles = np.random.default_rng(0).uniform(size=(2, 3, 8, 8, 4))
    tiles[..., 3] = 1
    axes = new_figure(None, LIGHT, 3).add_subplot()
    corners = draw_mosaic(axes, tiles, LIGHT)
    canvas = axes.images[0].get_array()
    for (row, column), _ in np.ndenumerate(tiles[..., 0, 0, 0]):
        y, x = corners[row, column]
        np.testing.assert_allclose(canvas[y : y + 8, x : x + 8], tiles[row, column])


def test_grey_levels_and_signs():
    np.testing.assert_allclose(grey(np.array([[0.0, 0.5, 2.0]]), (0, 1))[0, :, 0], [0, 0.5, 1])
    red, white, blue = signed(np.array([-1.0, 0.0, 1.0]), 1.0)
    assert red[0] > red[2]
    assert blue[2] > blue[0]
    assert white[:3].min() > 0.9


@given(st.floats(1e-3, 1e4))
def test_scale_bar_is_round_and_fits(width):
    length = scale_bar_length(width)
    assert width / 4 < length <= width * 2 / 3 * (1 + 1e-6)
    assert round(length / 10 ** np.floor(np.log10(length) + 1e-9), 6) in (1, 2, 5)


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda c: reconstructions(c, c[:3]), "reconstructions must have shape"),
        (lambda c: reconstructions(c[:0], c[:0]), "contain no images"),
        (lambda c: traversal_grid(c[None], ["z0", "z1"], np.zeros(12)), "latent names must have 1 items"),
        (lambda c: montage(c, labels=["a"]), "labels must have 12 items"),
        (lambda c: montage(c, scores=["?"] * 12), "scores must be an array of numbers"),
        (lambda c: montage(c[0]), "images must have shape"),
    ],
)
def test_wrong_arrays_are_named(cells, call, words):
    with pytest.raises(InputError, match=words):
        call(cells)


def test_a_name_of_any_length_leaves_room_for_the_pictures():
    pictures = np.zeros((3, 5, 8, 8), np.uint8)
    figure = traversal_grid(pictures, ["z1", "x" * 5000, "elongation"], np.linspace(-2, 2, 5))
    assert figure.get_size_inches()[1] > 1
