"""Many small images drawn as a single image in one axes, which is fast and scales as a whole."""

from __future__ import annotations

from collections.abc import Sequence

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import to_rgba
from matplotlib.transforms import ScaledTranslation

from morpholaw.figures.style import SIGNED, SMALL, Theme

Limits = tuple[float, float]
READABLE = 5.0
"""Smallest font size of captions, in points."""
LETTER = 0.6
"""Approximate width of a letter relative to its font size."""


def limits_of(*stacks: np.ndarray) -> Limits:
    """Return black and white levels shared by all images: zero and the 99.9th percentile."""
    values = np.concatenate([stack[np.isfinite(stack)].ravel() for stack in stacks])
    if values.size == 0:
        return 0.0, 1.0
    low, high = min(0.0, float(values.min())), float(np.percentile(values, 99.9))
    return (low, high) if high > low else (low, low + 1.0)


def grey(pictures: np.ndarray, limits: Limits) -> np.ndarray:
    """Convert images (..., s, s) to grey RGBA (..., s, s, 4) in [0, 1]; transparent where not finite."""
    low, high = limits
    level = np.clip((pictures - low) / (high - low), 0, 1)
    rgba = np.repeat(np.nan_to_num(level)[..., None], 4, axis=-1)
    rgba[..., 3] = np.isfinite(pictures)
    return rgba


def signed(pictures: np.ndarray, limit: float) -> np.ndarray:
    """Convert differences (..., s, s) to RGBA: red below zero, white at zero, blue above."""
    level = np.clip(0.5 + 0.5 * np.nan_to_num(pictures) / max(limit, 1e-12), 0, 1)
    return np.asarray(matplotlib.colormaps[SIGNED](level))


def draw_mosaic(
    axes: Axes,
    tiles: np.ndarray,
    theme: Theme,
    row_names: Sequence[str] = (),
    column_names: Sequence[str] = (),
    gap: int = 2,
    row_gap: int | None = None,
) -> np.ndarray:
    """Draw RGBA tiles (rows, columns, height, width, 4); return their corners (rows, columns, 2) as (y, x)."""
    rows, columns, height, width, _ = tiles.shape
    row_gap = gap if row_gap is None else row_gap
    step = np.array([height + row_gap, width + gap])
    below = row_gap if row_gap > gap else 0  # room for captions below the last row too
    canvas = np.empty((rows * step[0] - row_gap + below, columns * step[1] - gap, 4))
    background = np.array(to_rgba(theme.background))
    canvas[:] = background
    corners: np.ndarray = np.stack(np.meshgrid(np.arange(rows), np.arange(columns), indexing="ij"), -1) * step
    for row in range(rows):
        for column in range(columns):
            y, x = corners[row, column]
            tile = tiles[row, column]
            alpha = tile[..., 3:]
            canvas[y : y + height, x : x + width] = alpha * tile + (1 - alpha) * background
    axes.imshow(canvas, aspect="equal", extent=(0, canvas.shape[1], canvas.shape[0], 0))
    for spine in axes.spines.values():
        spine.set_visible(False)
    axes.tick_params(length=0, pad=3)
    axes.set_yticks(corners[:, 0, 0] + height / 2 if row_names else [], list(row_names))
    axes.set_xticks(corners[0, :, 1] + width / 2 if column_names else [], list(column_names))
    return corners


def names_width(names: Sequence[str]) -> float:
    """Estimate the width in inches of the names to the left of a mosaic."""
    longest = max((len(line) for name in names for line in name.replace("$", "").splitlines()), default=0)
    return 0.6 * longest * SMALL / 72 + 0.1


def caption(
    axes: Axes, corner: np.ndarray, tile: tuple[int, int], text: str, theme: Theme, size: float
) -> None:
    """Write ``text`` below the tile at ``corner``."""
    height, width = tile
    axes.text(
        corner[1] + width / 2, corner[0] + height, text,
        ha="center", va="top", color=theme.foreground, fontsize=size, linespacing=1.05,
    )  # fmt: skip


def fit_captions(texts: Sequence[str], tile_inches: float) -> list[str]:
    """Shorten lines that would not be readable otherwise, so that one long name does not shrink all captions."""
    most = max(4, int(72 * tile_inches / (LETTER * READABLE)))
    shortened = [
        [line if len(line) <= most or "$" in line else f"{line[: most - 1]}…" for line in text.splitlines()]
        for text in texts
    ]
    return ["\n".join(lines) for lines in shortened]


def caption_size(texts: Sequence[str], tile_inches: float) -> float:
    """Return the font size in points at which the longest line of all captions fits below its tile."""
    longest = max((len(line) for text in texts for line in text.splitlines()), default=1)
    return float(np.clip(72 * tile_inches / (LETTER * max(longest, 1)), 3.5, SMALL))


def draw_scale_bar(axes: Axes, tile_width: int, pixel_size: float, theme: Theme) -> None:
    """Draw a scale bar of a round length in micrometres above the rightmost tile."""
    length = scale_bar_length(tile_width * pixel_size)
    right = axes.get_xlim()[1]
    pixels = length / pixel_size
    axes.annotate(
        f"{length:g} µm", (right - pixels, 0), xytext=(-3, 5), textcoords="offset points",
        ha="right", va="center", color=theme.foreground, fontsize=SMALL, annotation_clip=False,
    )  # fmt: skip
    figure = axes.get_figure(root=True)
    assert figure is not None
    lift = axes.transData + ScaledTranslation(0, 5 / 72, figure.dpi_scale_trans)
    axes.plot(
        [right - pixels, right], [0, 0], transform=lift, color=theme.foreground, linewidth=2.5,
        clip_on=False, solid_capstyle="butt", scalex=False, scaley=False,
    )  # fmt: skip


def scale_bar_length(width: float) -> float:
    """Return the longest 1, 2 or 5 times a power of ten within two thirds of ``width``, in micrometres."""
    most = width * 2 / 3
    power = 10.0 ** np.floor(np.log10(most))
    return float(max(step * power for step in (1, 2, 5) if step * power <= most * (1 + 1e-9)))
