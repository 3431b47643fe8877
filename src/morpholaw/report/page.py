"""The building blocks of a page: paragraphs, tables, figures, formulas and sections. Templates render them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, ClassVar

from markupsafe import Markup, escape

if TYPE_CHECKING:
    from matplotlib.figure import Figure

PIXELS_PER_INCH = 96
"""CSS pixels per inch of a figure."""


_SIGNED = r"[-\u2212+]?[\d.,]+"
_NUMBER = re.compile(rf"n/a|{_SIGNED}( ?%)?( (±|to|of) {_SIGNED}( ?%)?)?")
"""A number, a number with its deviation, or an interval."""


class Absent(Exception):
    """Raised if the study lacks what a section shows; the message says so in one sentence."""


@dataclass(frozen=True)
class Paragraph:
    """Sentences; ``tone`` is "plain", "warning" or "absent"."""

    text: str
    tone: str = "plain"
    kind: ClassVar[str] = "paragraph"


@dataclass(frozen=True)
class Bullets:
    """A list of sentences."""

    items: Sequence[str]
    kind: ClassVar[str] = "bullets"


@dataclass(frozen=True)
class Picture:
    """A figure as markup, with its caption."""

    image: Markup
    caption: str
    kind: ClassVar[str] = "picture"


@dataclass(frozen=True)
class Formula:
    """A typeset formula, with its caption."""

    image: Markup
    caption: str = ""
    kind: ClassVar[str] = "formula"


@dataclass(frozen=True)
class Table:
    """A table of texts or markup, with column headings and a caption."""

    columns: Sequence[str]
    rows: Sequence[Sequence[object]]
    caption: str = ""
    kind: ClassVar[str] = "table"

    @property
    def numeric(self) -> list[bool]:
        """Whether each column holds only numbers, which are right-aligned."""
        return [bool(cells) and all(map(_is_number, cells)) for cells in zip(*self.rows, strict=True)] or [
            False
        ] * len(self.columns)


@dataclass(frozen=True)
class Fold:
    """Blocks that are hidden until their title is clicked."""

    title: str
    blocks: Sequence[Block]
    kind: ClassVar[str] = "fold"


Block = Paragraph | Bullets | Picture | Formula | Table | Fold


@dataclass(frozen=True)
class Section:
    """A heading and the blocks below it."""

    title: str
    blocks: Sequence[Block] = field(default_factory=list)

    @property
    def anchor(self) -> str:
        """The target of links to the section."""
        return re.sub(r"[^a-z0-9]+", "-", self.title.lower()).strip("-")


def with_notes(value: object, *notes: str) -> Markup:
    """Return the contents of a table cell: a value with notes in small print below it."""
    small = (Markup("<small>{}</small>").format(note) for note in notes)
    return Markup("<br>").join([escape(value), *small])


def drawing(figure: Figure, title: str, caption: str) -> Picture:
    """Return a line drawing as SVG."""
    from morpholaw.figures.export import to_svg

    return Picture(Markup(to_svg(figure, title)), caption)


def photograph(figure: Figure, title: str, caption: str) -> Picture:
    """Return a figure with images of cells as PNG."""
    from morpholaw.figures.export import to_png_data_uri

    width = round(float(figure.get_size_inches()[0]) * PIXELS_PER_INCH)
    image = Markup('<img src="{}" alt="{}" width="{}">').format(to_png_data_uri(figure, 144), title, width)
    return Picture(image, caption)


def _is_number(cell: object) -> bool:
    return not isinstance(cell, Markup) and bool(_NUMBER.fullmatch(str(cell)))
