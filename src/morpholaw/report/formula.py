"""Typesetting of formulas as SVG paths, in the colour of the surrounding text."""

from __future__ import annotations

from markupsafe import Markup

from morpholaw.interpretation.oriented_law import rename
from morpholaw.models.expressions.latex import word
from morpholaw.models.law import Law


def typeset(
    law: Law,
    names: dict[str, str] | None = None,
    digits: int = 3,
    size: float = 15,
    class_name: str = "",
) -> Markup:
    """Typeset a law as ``f(z) = ...`` or, over shapes, ``f = ...``.

    Parameters
    ----------
    law : Law
        The law.
    names : dict, optional
        Names to show instead of latents, e.g. ``{"z3": "size"}``.
    digits : int
        Significant digits of constants.
    size : float
        Font size in CSS pixels.
    class_name : str
        With more than two classes, the class of the law, which becomes the index of f. Names with letters that the
        font lacks are omitted.

    Returns
    -------
    Markup
        An SVG element with the text of the law for screen readers.
    """
    left = _left_side(law, class_name)
    spoken = rename(law.rounded(digits).expression, names or {}).text()
    return typeset_latex(f"{left} = {law.latex(names, digits)}", spoken, size)


def _left_side(law: Law, class_name: str) -> str:
    index = f"_{{{word(class_name)}}}" if class_name.isascii() and class_name else ""
    return f"f{index}{law.argument}"


def typeset_latex(latex: str, spoken: str, size: float = 15) -> Markup:
    """Typeset LaTeX that matplotlib's mathtext understands as SVG; ``spoken`` is its text for screen readers."""
    from matplotlib.font_manager import FontProperties
    from matplotlib.textpath import TextPath

    path = TextPath(
        (0, 0), f"${latex}$", size=size, prop=FontProperties(family="DejaVu Sans", math_fontfamily="cm")
    )
    box = path.get_extents()
    margin = 1.0
    left, top = box.x0 - margin, -box.y1 - margin
    width, height = box.width + 2 * margin, box.height + 2 * margin
    return Markup(
        '<svg class="formula" role="img" aria-label="{}" width="{:.1f}" height="{:.1f}" '
        'viewBox="{:.2f} {:.2f} {:.2f} {:.2f}"><path fill="currentColor" d="{}"/></svg>'
    ).format(spoken, width, height, left, top, width, height, _commands(path))


def _commands(path: object) -> str:
    """Return the path data of a matplotlib path for SVG, whose y axis points down."""
    letters = {1: "M", 2: "L", 3: "Q", 4: "C", 79: "Z"}
    parts = []
    for points, code in path.iter_segments(simplify=False, curves=True):  # type: ignore[attr-defined]
        pairs = (
            ""
            if code == 79
            else " ".join(f"{x:.2f} {-y:.2f}" for x, y in zip(points[::2], points[1::2], strict=True))
        )
        parts.append(letters[int(code)] + pairs)
    return "".join(parts)
