"""The colours of classes, the same in the viewer as in the figures; matplotlib is loaded when first asked."""

from __future__ import annotations

from collections.abc import Sequence


def class_colours(classes: Sequence[str]) -> list[str]:
    """One colour-blind safe colour a class, as "#rrggbb"."""
    from morpholaw.figures.style import class_colours as colours

    return colours(list(classes))
