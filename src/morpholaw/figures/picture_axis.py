"""Axes with decoded cells in place of ticks, each at the latent value it was decoded from (paper, fig. 7-10)."""

from __future__ import annotations

from typing import Literal

import numpy as np
from matplotlib.axes import Axes
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
        box = (
            (start, -offset - depth, length, depth)
            if which == "x"
            else (-offset - depth, start, depth, length)
        )
        inset = axes.inset_axes(box)
        inset.imshow(grey(picture, limits), aspect="auto")
        inset.set(xticks=[], yticks=[])
        inset.tick_params(colors=theme.foreground, labelsize=SMALL, length=0, pad=2)
        for spine in inset.spines.values():
            spine.set_color(theme.muted)
            spine.set_linewidth(0.5)
        middle = [picture.shape[-1] / 2 - 0.5]
        if which == "x":
            inset.set_xticks(middle, [number(value, digits)])
        else:
            inset.set_yticks(middle, [number(value, digits)])
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
