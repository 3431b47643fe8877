"""The style of all figures: themes, colour-blind-safe palettes, and styled axes."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeVar

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.mathtext import MathTextParser
from matplotlib.ticker import MaxNLocator

from morpholaw.display import LOSSES

Entry = TypeVar("Entry")
FigSize = tuple[float, float | None] | None

TEXT = 8.0
"""Font size of labels in points, readable in a dock of 320 pixels and in print."""
SMALL = 7.0
"""Font size of ticks, legends and captions in points."""


@dataclass(frozen=True)
class Theme:
    """Colours that depend on the background of a figure.

    ``positive`` and ``negative`` are for signed quantities (weights, scores), and ``zero`` is for the line f = 0.
    """

    foreground: str
    background: str
    muted: str
    positive: str
    negative: str
    zero: str
    schemes: tuple[str, ...]


LIGHT = Theme(
    foreground="#1a1a1a",
    background="#ffffff",
    muted="#757575",
    positive="#2166ac",
    negative="#b2182b",
    zero="#6a1b9a",
    schemes=("#d55e00", "#0072b2", "#009e73", "#b0508c"),
)
DARK = Theme(
    foreground="#f0f1f2",
    background="#262930",
    muted="#8b9398",
    positive="#6bb3e8",
    negative="#ff7a66",
    zero="#cf9bff",
    schemes=("#f28e3c", "#56b4e9", "#2cc495", "#e08fbf"),
)

ZERO_ON_MAP = "#6a1b9a"
"""Colour of the line f = 0 on heat maps, whose colours are the same in every theme."""

SIGNED = "RdBu"
"""Red below zero, white at zero and blue above, as the paper colours weights (fig. 5)."""

MARKERS = ("o", "s", "^", "D", "v", "P", "X")
LINES: tuple[Any, ...] = ("-", "--", "-.", (0, (1, 1.2)), (0, (4, 1, 1, 1, 1, 1)))


def scheme_look(scheme: int | str, position: int, theme: Theme) -> dict[str, Any]:
    """Return the colour, marker and line style of a scheme, which are the same in every figure.

    Laws of each loss, "scheme 4, hinge" and "scheme 4, MSE", have their own style. Other variants of a scheme share
    only its colour.
    """
    match = re.fullmatch(r"(?:scheme\s*)?([1-4])(?:, (.*))?", str(scheme).strip(), re.IGNORECASE)
    index = int(match[1]) - 1 if match else position
    loss = match[2].lower() if match and match[2] else LOSSES[0]
    line = index + LOSSES.index(loss) if loss in LOSSES else position
    return {
        "color": theme.schemes[index % len(theme.schemes)],
        "marker": MARKERS[line % len(MARKERS)],
        "linestyle": LINES[line % len(LINES)],
    }


def scheme_name(scheme: int | str) -> str:
    """Return "scheme 1" for 1; names are returned unchanged."""
    text = str(scheme).strip()
    return f"scheme {text}" if text.isdigit() else plain(text)


def figure_width(figsize: FigSize, default: float = 6.4) -> float:
    """Return the width of a figure to be made, in inches, which determines its columns."""
    return figsize[0] if figsize else default


def new_figure(
    figsize: FigSize, theme: Theme, height: float, width: float = 6.4, fixed_aspect: bool = False
) -> Figure:
    """Make an empty figure; ``width`` and ``height`` in inches apply where ``figsize`` leaves them open.

    ``fixed_aspect`` is for axes that keep their shape, so that labels beside them are not clipped.
    """
    stated_height = figsize[1] if figsize else None
    size = (figure_width(figsize, width), stated_height if stated_height is not None else height)
    layout: Literal["compressed", "constrained"] = "compressed" if fixed_aspect else "constrained"
    return Figure(figsize=size, facecolor=theme.background, layout=layout)


def one_panel(
    figsize: FigSize,
    theme: Theme,
    width: float,
    ratio: float = 1.0,
    *,
    height: float | None = None,
    frame: bool = False,
    fixed_aspect: bool = False,
) -> tuple[Figure, Axes]:
    """Make a figure with one styled axes; by default the height is ``height`` or ``ratio`` times the width."""
    width = figure_width(figsize, width)
    figure = new_figure(figsize, theme, width * ratio if height is None else height, width, fixed_aspect)
    return figure, dress(figure.add_subplot(), theme, frame)


def dress(axes: Axes, theme: Theme, frame: bool = False) -> Axes:
    """Apply a theme to axes; ``frame`` keeps the top and right spines."""
    axes.set_facecolor(theme.background)
    for side, spine in axes.spines.items():
        spine.set_color(theme.muted)
        spine.set_visible(frame or side in ("left", "bottom"))
    axes.tick_params(colors=theme.foreground, labelsize=SMALL, length=2.5, width=0.6)
    for text in (axes.xaxis.label, axes.yaxis.label, axes.title):
        text.set_color(theme.foreground)
        text.set_fontsize(TEXT)
    for axis in (axes.xaxis, axes.yaxis):
        axis.get_offset_text().set(color=theme.foreground, fontsize=SMALL)
    return axes


def panels(
    figure: Figure, rows: int, columns: int, theme: Theme, frame: bool = False, **options: Any
) -> np.ndarray:
    """Add a grid of styled axes; return an object array (rows, columns)."""
    grid: np.ndarray = figure.subplots(rows, columns, squeeze=False, **options)
    for axes in grid.flat:
        dress(axes, theme, frame)
    return grid


def panel_grid(
    figsize: FigSize,
    theme: Theme,
    count: int,
    wanted: float,
    height: Callable[[float], float],
    *,
    width: float = 6.4,
    above: float = 0.0,
    **options: Any,
) -> tuple[Figure, list[Axes]]:
    """Make a figure with ``count`` styled axes, each about ``wanted`` inches wide, row by row.

    ``height`` returns the height of a row for the width of a panel; ``above`` reserves inches for a legend.
    """
    width = figure_width(figsize, width)
    columns = columns_for(count, width, wanted)
    rows = -(-count // columns)
    figure = new_figure(figsize, theme, rows * height(width / columns) + above, width)
    grid = panels(figure, rows, columns, theme, **options)
    for axes in grid.flat[count:]:
        axes.set_axis_off()
    return figure, list(grid.flat[:count])


def columns_for(count: int, width: float, wanted: float) -> int:
    """Return how many panels of about ``wanted`` inches fit side by side, with rows as equal as possible."""
    most = max(1, min(count, int(width / wanted + 0.25)))
    rows = -(-count // most)
    return -(-count // rows)


def legend(axes: Axes, theme: Theme, **options: Any) -> None:
    """Add a plain legend if there is anything to list."""
    if axes.get_legend_handles_labels()[1] or "handles" in options:
        axes.legend(frameon=False, fontsize=SMALL, labelcolor=theme.foreground, **options)


def row_by_row(entries: Sequence[Entry], columns: int) -> list[Entry]:
    """Reorder legend entries so that matplotlib, which fills columns first, shows them row by row."""
    columns = min(columns, len(entries))
    rows = -(-len(entries) // columns) if columns else 0
    full = len(entries) - columns * (rows - 1)  # columns with an entry in the last row
    order = [row * columns + column for column in range(columns) for row in range(rows - (column >= full))]
    return [entries[place] for place in order]


def colourbar(figure: Figure, mappable: Any, axes: Any, label: str, theme: Theme, **options: Any) -> Any:
    """Add a styled colour bar that takes its space from ``axes``."""
    bar = figure.colorbar(mappable, ax=axes, ticks=MaxNLocator(6), **options)
    dress(bar.ax, theme, frame=True)
    bar.outline.set_edgecolor(theme.muted)
    bar.set_label(label, color=theme.foreground, fontsize=SMALL)
    return bar


def heading(axes: Axes, text: str, theme: Theme, size: float = TEXT) -> None:
    """Write a heading above the axes, smaller than matplotlib's default, and wrapped to the width of the figure."""
    figure = axes.get_figure(root=True)
    columns = 0.92 * figure.get_size_inches()[0] * 72 / (0.56 * size) if figure is not None else 0
    if len(text) > columns > 0 and "$" not in text:
        text = textwrap.fill(text, int(columns), break_long_words=False, break_on_hyphens=False)
    axes.set_title(text, fontsize=size, color=theme.foreground)


def note(axes: Axes, text: str, theme: Theme) -> None:
    """Write a note in the middle of empty axes that says why they are empty."""
    axes.text(
        0.5,
        0.5,
        text,
        transform=axes.transAxes,
        ha="center",
        va="center",
        color=theme.muted,
        fontsize=TEXT,
        wrap=True,
    )


def plain(text: object) -> str:
    """Escape text so that a name from a file is never interpreted as mathematics."""
    return str(text).replace("$", r"\$")


_LONGEST_LABEL = 24


def short_name(name: object) -> str:
    """Return the name of a class or condition for a legend or an axis; the middle of a long name is left out."""
    text = str(name)
    if len(text) > _LONGEST_LABEL:
        text = f"{text[: _LONGEST_LABEL - 10].rstrip()}…{text[-9:].lstrip()}"
    return plain(text)


_LONGEST_NAME = 40


_SUBSCRIPTS = str.maketrans("0123456789", "₀₁₂₃₄₅₆₇₈₉")


def symbol(name: str) -> str:
    """Return a name with ``z29`` or ``z_29`` as ``z₂₉``, a plain text; long names are truncated.

    As mathematics, the symbols of 32 latents would be parsed again in each figure, which took most of its time.
    """
    match = re.fullmatch(r"([A-Za-z])_?\{?(\d+)\}?", name.strip())
    short = name if len(name) <= _LONGEST_NAME else f"{name[: _LONGEST_NAME - 3]}..."
    return match[1] + match[2].translate(_SUBSCRIPTS) if match else symbols(short)


def symbols(text: str) -> str:
    """Return a sentence in which every ``z29`` is a subscripted symbol."""
    return re.sub(r"\bz_?\d+\b", lambda match: symbol(match[0]), plain(text))


def formula(latex: str) -> str:
    """Return LaTeX that matplotlib can draw between dollar signs, and anything else as plain text."""
    text = latex.strip().strip("$")
    try:
        MathTextParser("path").parse(f"${text}$")
    except ValueError:
        return plain(latex)
    return f"${text}$"
