"""Axes with decoded cells in place of ticks, each at the latent value it was decoded from (paper, fig. 7-10)."""

from __future__ import annotations

from typing import Literal

import numpy as np
from matplotlib.axes import Axes
from matplotlib.image import AxesImage
from matplotlib.patches import Rectangle
from matplotlib.transforms import ScaledTranslation

from morpholaw.display import number
from morpholaw.figures import validation
from morpholaw.figures.mosaic import grey, limits_of
from morpholaw.figures.style import SMALL, Theme


def picture_axis(
    axes: Axes,
    which: Literal["x", "y"],
    pictures: np.ndarray,
    values: np.ndarray,
    theme: Theme,
    offset: float = 0.0,
) -> float:
    """Draw images (k, s, s) outside the axes at ``values`` (k,) in place of ticks; return their depth.

    Limits, label and box aspect of the axes must be set before. Sizes are fractions of the axes, so that the images
    follow when the figure is resized. ``offset`` moves the images away from the axes. The returned depth is the size of
    an image as a share of the axes' other side.
    """
    pictures = validation.pictures(pictures, ("k", "s", "s"), f"pictures along {which}")
    values = validation.numbers(values, (len(pictures),), f"values along {which}")
    aspect = float(axes.get_box_aspect() or 1.0)  # height over width
    low, high = axes.get_xlim() if which == "x" else axes.get_ylim()
    centres = (values - low) / (high - low)
    room = np.min(np.diff(np.sort(centres)), initial=0.25)
    length = 0.92 * float(np.clip(room, 0.02, 0.25))
    depth = length / aspect if which == "x" else length * aspect
    limits = limits_of(pictures)
    digits = 0 if np.allclose(values, np.round(values)) else 1
    for centre, picture, value in zip(centres, pictures, values, strict=True):
        start = centre - length / 2
        left, bottom = (start, -offset - depth) if which == "x" else (-offset - depth, start)
        width, height = (length, depth) if which == "x" else (depth, length)
        image = AxesImage(
            axes,
            extent=(left, left + width, bottom, bottom + height),
            origin="upper",
            transform=axes.transAxes,
            clip_on=False,
        )
        image.set_data(grey(picture, limits))
        axes.add_image(image)
        frame = Rectangle((left, bottom), width, height, transform=axes.transAxes, clip_on=False)
        frame.set(facecolor="none", edgecolor=theme.muted, linewidth=0.5)
        axes.add_artist(frame)
        axes.annotate(
            number(value, digits),
            (centre, bottom) if which == "x" else (left, centre),
            xytext=(0, -2) if which == "x" else (-2, 0),
            xycoords="axes fraction", textcoords="offset points", annotation_clip=False,
            ha="center" if which == "x" else "right", va="top" if which == "x" else "center_baseline",
            color=theme.foreground, fontsize=SMALL,
        )  # fmt: skip
    _replace_ticks(axes, which, values, offset + depth)
    return depth


def _replace_ticks(axes: Axes, which: Literal["x", "y"], values: np.ndarray, distance: float) -> None:
    """Draw unlabelled ticks at the images, and the axis label beyond them."""
    figure = axes.get_figure(root=True)
    assert figure is not None
    points = (0, -13) if which == "x" else (-22, 0)
    shift = axes.transAxes + ScaledTranslation(points[0] / 72, points[1] / 72, figure.dpi_scale_trans)
    if which == "x":
        axes.set_xticks(values, [""] * len(values))
        axes.xaxis.set_label_coords(0.5, -distance, transform=shift)
    else:
        axes.set_yticks(values, [""] * len(values))
        axes.yaxis.set_label_coords(-distance, 0.5, transform=shift)
