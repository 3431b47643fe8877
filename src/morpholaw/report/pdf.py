"""A page of sections as PDF, from the same blocks as the HTML: text that can be searched, figures as vectors."""

from __future__ import annotations

import base64
import io
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from markupsafe import Markup

from morpholaw.report.page import (
    PIXELS_PER_INCH,
    Block,
    Bullets,
    Fold,
    Formula,
    Paragraph,
    Picture,
    Section,
    Table,
)

if TYPE_CHECKING:
    from fpdf import FPDF

FONT = "DejaVu"
"""The family that Matplotlib brings along: it has Greek letters and signs of comparison."""
TEXT, SMALL = 9.0, 7.5
"""Sizes of text and of captions and tables, in points."""
UNKNOWN = "\u25a1"
"""Sign that stands for characters that the font lacks, such as Chinese ones."""
LACKING = f"Characters that the font of this file lacks are shown as {UNKNOWN}; the HTML and Markdown files have them."
MARGIN = 15.0
"""Millimetres."""
INK, PALE, SOFT = 26, 92, 245
"""Grey levels of text, of captions, and of a table's first line."""
NARROW, WIDE = 6, 60
"""Minimum and maximum number of letters that a column is made wide enough for."""


def render_pdf(name: str, subtitle: str, sections: Sequence[Section], foot: str) -> bytes:
    """Return sections on A4 pages, as the bytes of a PDF file.

    Parameters
    ----------
    name, subtitle : str
        Heading of the first page.
    sections : sequence of Section
        Sections in order.
    foot : str
        Line at the foot of every page, before its number.

    Returns
    -------
    bytes
    """
    pdf = _document(foot)
    pdf.set_title(name)
    pdf.set_creator("Morpholaw")
    pdf.add_page()
    _text(pdf, name, size=17, style="B")
    _text(pdf, subtitle, size=TEXT, grey=PALE)
    for section in sections:
        if pdf.will_page_break(15 + _first_height(pdf, section)):
            pdf.add_page()
        pdf.ln(4)
        _text(pdf, section.title, size=12, style="B")
        pdf.set_draw_color(200)
        pdf.line(MARGIN, pdf.get_y(), pdf.w - MARGIN, pdf.get_y())
        pdf.ln(2)
        for block in section.blocks:
            _show(pdf, block)
    shown = [name, subtitle, foot, *(text for section in sections for text in _texts(section.blocks))]
    if any(_printable(pdf, text) != text for text in shown):
        pdf.ln(4)
        _text(pdf, LACKING, SMALL, grey=PALE)
    return bytes(pdf.output())


def _texts(blocks: Sequence[Block]) -> Iterator[str]:
    """Yield the texts of some blocks."""
    for block in blocks:
        if isinstance(block, Paragraph):
            yield block.text
        elif isinstance(block, Bullets):
            yield from block.items
        elif isinstance(block, Picture | Formula):
            yield block.caption
        elif isinstance(block, Table):
            yield block.caption
            yield from (_plain(cell) for row in (block.columns, *block.rows) for cell in row)
        elif isinstance(block, Fold):
            yield block.title
            yield from _texts(block.blocks)


def _printable(pdf: FPDF, text: str) -> str:
    """Return a text in which characters that the font lacks are replaced."""
    from fpdf.fonts import TTFFont

    font = pdf.fonts[FONT.lower()]
    known = font.cmap if isinstance(font, TTFFont) else {}
    return "".join(one if ord(one) in known or one.isspace() else UNKNOWN for one in text)


def _first_height(pdf: FPDF, section: Section) -> float:
    """Millimetres that must be free under a section's title, so that it does not stand alone."""
    first = next(iter(section.blocks), None)
    if not isinstance(first, Picture | Formula):
        return 20.0
    width, height = _size(first.image)
    return height * min(1.0, pdf.epw / width) + 6


def _document(foot: str) -> FPDF:
    import matplotlib
    from fpdf import FPDF

    class Document(FPDF):
        def footer(self) -> None:
            self.set_y(-MARGIN + 3)
            self.set_font(FONT, "", SMALL)
            self.set_text_color(PALE)
            self.cell(0, 4, f"{_printable(self, foot)} Page {self.page_no()} of {{nb}}.")

    pdf = Document(format="A4")
    fonts = Path(matplotlib.get_data_path()) / "fonts" / "ttf"
    for style, file in (
        ("", "DejaVuSans.ttf"),
        ("B", "DejaVuSans-Bold.ttf"),
        ("I", "DejaVuSans-Oblique.ttf"),
    ):
        pdf.add_font(FONT, style, fonts / file)
    pdf.set_margins(MARGIN, MARGIN)
    pdf.set_auto_page_break(True, MARGIN)
    return pdf


def _show(pdf: FPDF, block: Block) -> None:
    if isinstance(block, Paragraph):
        _text(pdf, block.text, style="I" if block.tone == "absent" else "")
    elif isinstance(block, Bullets):
        for item in block.items:
            _text(pdf, f"•  {item}")
    elif isinstance(block, Picture | Formula):
        _picture(pdf, block.image, block.caption)
    elif isinstance(block, Table):
        _table(pdf, block)
    elif isinstance(block, Fold):
        _text(pdf, block.title, style="B")
        for inner in block.blocks:
            _show(pdf, inner)


def _text(pdf: FPDF, text: str, size: float = TEXT, style: str = "", grey: int = INK) -> None:
    pdf.set_font(FONT, style, size)
    pdf.set_text_color(grey)
    pdf.multi_cell(0, size * 0.5, _printable(pdf, text), align="L", new_x="LMARGIN", new_y="NEXT")
    pdf.ln(1)


def _picture(pdf: FPDF, image: Markup, caption: str) -> None:
    """Return an SVG element or an image data address, no wider than the page, with its caption on the same page."""
    width, height = _size(image)
    share = min(1.0, pdf.epw / width)
    width, height = width * share, height * share
    if pdf.will_page_break(height + 6 * bool(caption)):
        pdf.add_page()
    if image.startswith("<img"):
        match = re.search(r"base64,([A-Za-z0-9+/=]+)", image)
        assert match is not None  # pictures are ours
        data = base64.b64decode(match[1])
    else:
        data = (
            re.sub(r"<title>.*?</title>", "", image, flags=re.DOTALL).replace("currentColor", "#000").encode()
        )
    pdf.image(io.BytesIO(data), w=width, h=height)
    pdf.ln(1.5)
    if caption:
        _text(pdf, caption, SMALL, grey=PALE)


def _size(image: Markup) -> tuple[float, float]:
    """Width and height in millimetres; of a raster image by its width on the page and its shape."""
    if image.startswith("<img"):
        from PIL import Image

        match = re.search(r'base64,([A-Za-z0-9+/=]+)".*width="(\d+)"', image)
        assert match is not None
        with Image.open(io.BytesIO(base64.b64decode(match[1]))) as picture:
            width = int(match[2]) * 25.4 / PIXELS_PER_INCH
            return width, width * picture.height / picture.width
    opening = image[: image.index(">")]
    return _millimetres(opening, "width"), _millimetres(opening, "height")


def _millimetres(opening: str, side: str) -> float:
    match = re.search(rf'\s{side}="([\d.]+)(pt)?"', opening)
    assert match is not None
    return float(match[1]) * 25.4 / (72 if match[2] else PIXELS_PER_INCH)


def _table(pdf: FPDF, table: Table) -> None:
    from fpdf.fonts import FontFace

    rows = [[_plain(cell) for cell in row] for row in table.rows]
    lengths = [max(map(len, column)) for column in zip(table.columns, *rows, strict=True)]
    pdf.set_font(FONT, "", SMALL)
    pdf.set_text_color(INK)
    with pdf.table(
        borders_layout="HORIZONTAL_LINES",
        col_widths=tuple(min(max(length, NARROW), WIDE) for length in lengths),
        text_align=tuple("RIGHT" if number else "LEFT" for number in table.numeric),
        line_height=SMALL * 0.5,
        padding=(0.6, 1.2),
        headings_style=FontFace(emphasis="BOLD", color=PALE, fill_color=SOFT),
    ) as lines:
        for line in (table.columns, *rows):
            lines.row([_printable(pdf, cell) for cell in line])
    pdf.ln(2)
    if table.caption:
        _text(pdf, table.caption, SMALL, grey=PALE)


def _plain(cell: object) -> str:
    return Markup(cell).striptags() if isinstance(cell, Markup) else str(cell)
