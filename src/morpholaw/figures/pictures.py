"""Figures made of cell images: reconstructions, latent traversals, montages (paper, fig. 2-4, 24, 26)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.figure import Figure

from morpholaw.display import number
from morpholaw.figures import validation
from morpholaw.figures.mosaic import (
    caption,
    caption_size,
    draw_mosaic,
    draw_scale_bar,
    fit_captions,
    grey,
    limits_of,
    names_width,
)
from morpholaw.figures.style import (
    LIGHT,
    FigSize,
    Theme,
    columns_for,
    figure_width,
    one_panel,
    plain,
    symbol,
)


def reconstructions(
    images: np.ndarray,
    reconstructed: np.ndarray,
    *,
    columns: int | None = None,
    pixel_size: float | None = None,
    theme: Theme = LIGHT,
    figsize: FigSize = None,
) -> Figure:
    """Plot crops above their reconstructions by the beta-TCVAE (paper, fig. 3; fig. 26 for a blank image).

    Parameters
    ----------
    images, reconstructed : ndarray
        Images, (n, s, s), uint8 or float in [0, 1].
    columns : int, optional
        Images per row; by default as many as are readable.
    pixel_size : float, optional
        Micrometres per pixel, for a scale bar.
    theme : Theme
        Colours of the figure.
    figsize : tuple of float, optional
        Width and height in inches; with a height of None, the function chooses it.

    Returns
    -------
    Figure

    Raises
    ------
    InputError
        If the shapes are wrong or differ.
    """
    images = validation.pictures(images, ("n", "s", "s"), "images")
    reconstructed = validation.pictures(reconstructed, images.shape, "reconstructions")
    width = figure_width(figsize, min(6.4, 1.0 + 0.9 * len(images)))
    columns = min(columns or columns_for(len(images), width, 0.62), len(images))
    shown = limits_of(images, reconstructed)
    kinds = [("image", grey(images, shown)), ("reconstruction", grey(reconstructed, shown))]
    tiles, names = _in_blocks(kinds, columns)
    height = (width - names_width(names)) / columns * len(tiles) + 0.3
    figure, axes = one_panel(figsize, theme, width, height=height, fixed_aspect=True)
    draw_mosaic(axes, tiles, theme, row_names=names)
    if pixel_size:
        draw_scale_bar(axes, images.shape[2], pixel_size, theme)
    return figure


def _in_blocks(kinds: list[tuple[str, np.ndarray]], columns: int) -> tuple[np.ndarray, list[str]]:
    """Wrap stacks of RGBA tiles into blocks that have one row per kind."""
    count = len(kinds[0][1])
    blocks = -(-count // columns)
    tiles = np.zeros((blocks, len(kinds), columns, *kinds[0][1].shape[1:]))
    for row, (_, stack) in enumerate(kinds):
        for index, tile in enumerate(stack):
            tiles[index // columns, row, index % columns] = tile
    return tiles.reshape(-1, *tiles.shape[2:]), [name for name, _ in kinds] * blocks


def traversal_grid(
    pictures: np.ndarray,
    names: Sequence[str],
    values: np.ndarray,
    *,
    pixel_size: float | None = None,
    theme: Theme = LIGHT,
    figsize: FigSize = None,
) -> Figure:
    """Plot decoded images as one latent at a time varies, one row per latent (paper, fig. 4 and 24).

    Parameters
    ----------
    pictures : ndarray
        Decoded images, (latents, steps, s, s), uint8 or float in [0, 1].
    names : sequence of str
        Names of the latents; ``z29`` is drawn with a subscript.
    values : ndarray
        Value of the latent in each column, (steps,).
    pixel_size : float, optional
        Micrometres per pixel, for a scale bar.
    theme : Theme
        Colours of the figure.
    figsize : tuple of float, optional
        Width and height in inches; with a height of None, the function chooses it.

    Returns
    -------
    Figure

    Raises
    ------
    InputError
        If the shapes do not match.
    """
    pictures = validation.pictures(pictures, ("latents", "steps", "s", "s"), "traversal pictures")
    validation.same_length(names, pictures.shape[0], "latent names")
    values = validation.numbers(values, (pictures.shape[1],), "latent values")
    width = figure_width(figsize)
    rows, steps = pictures.shape[:2]
    height = (width - names_width([symbol(name) for name in names])) / steps * rows + 0.65
    figure, axes = one_panel(figsize, theme, width, height=height, fixed_aspect=True)
    digits = 0 if np.allclose(values, np.round(values)) else 1
    draw_mosaic(
        axes,
        grey(pictures, limits_of(pictures)),
        theme,
        row_names=[symbol(name) for name in names],
        column_names=[number(value, digits) for value in values],
    )
    axes.set_xlabel("value of the latent")
    if pixel_size:
        draw_scale_bar(axes, pictures.shape[3], pixel_size, theme)
    return figure


def montage(
    images: np.ndarray,
    *,
    scores: np.ndarray | None = None,
    labels: Sequence[str] | None = None,
    captions: Sequence[str] | None = None,
    columns: int | None = None,
    pixel_size: float | None = None,
    theme: Theme = LIGHT,
    figsize: FigSize = None,
) -> Figure:
    """Plot cells side by side, each with its label, score and caption, such as the worst errors of a classifier.

    Parameters
    ----------
    images : ndarray
        Images, (n, s, s), uint8 or float in [0, 1].
    scores : ndarray, optional
        Scores f(x), (n,); "n/a" where not finite.
    labels, captions : sequence of str, optional
        One text per cell, each on its own line below the image.
    columns : int, optional
        Images per row; by default as many as are readable.
    pixel_size : float, optional
        Micrometres per pixel, for a scale bar.
    theme : Theme
        Colours of the figure.
    figsize : tuple of float, optional
        Width and height in inches; with a height of None, the function chooses it.

    Returns
    -------
    Figure

    Raises
    ------
    InputError
        If the shapes or lengths do not match.
    """
    images = validation.pictures(images, ("n", "s", "s"), "images")
    texts = _captions(len(images), scores, labels, captions)
    width = figure_width(figsize, min(6.4, 0.2 + 1.1 * len(images)))
    columns = min(columns or columns_for(len(images), width, 0.8 if texts else 0.62), len(images))
    tiles, _ = _in_blocks([("", grey(images, limits_of(images)))], columns)
    rows, tile = len(tiles), (images.shape[1], images.shape[2])
    inches = (width - 0.1) / columns * tile[1] / (tile[1] + 3)
    texts = fit_captions(texts, inches)
    size = caption_size(texts, inches)
    lines = max((text.count("\n") + 1 for text in texts), default=0)
    row_gap = 3 + round(lines * size * 1.3 / 72 / inches * tile[1])
    height = rows * inches * (tile[0] + row_gap) / tile[1] + (0.25 if pixel_size else 0.05)
    figure, axes = one_panel(figsize, theme, width, height=height, fixed_aspect=True)
    corners = draw_mosaic(axes, tiles, theme, gap=3, row_gap=row_gap).reshape(-1, 2)
    for corner, text in zip(corners, texts, strict=False):
        caption(axes, corner, tile, text, theme, size)
    if pixel_size:
        draw_scale_bar(axes, tile[1], pixel_size, theme)
    return figure


def _captions(
    count: int, scores: np.ndarray | None, labels: Sequence[str] | None, captions: Sequence[str] | None
) -> list[str]:
    """Return one text per cell with label, score and caption on separate lines."""
    columns: list[list[str]] = []
    if labels is not None:
        columns.append([plain(label) for label in validation.same_length(labels, count, "labels")])
    if scores is not None:
        columns.append([f"f = {number(score)}" for score in validation.numbers(scores, (count,), "scores")])
    if captions is not None:
        columns.append([plain(text) for text in validation.same_length(captions, count, "captions")])
    return ["\n".join(lines) for lines in zip(*columns, strict=True)]
