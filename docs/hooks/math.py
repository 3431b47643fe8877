"""A hook of mkdocs: formulas become MathML when the site is built, so that pages need no script and no network."""

from __future__ import annotations

import re
from html import unescape
from typing import Any

from latex2mathml.converter import convert

_FORMULA = re.compile(r'<(span|div) class="arithmatex">\\([(\[])(.*?)\\[)\]]</\1>', re.DOTALL)


def on_page_content(html: str, **_: Any) -> str:
    """Set every formula that the arithmatex extension marked."""
    return _FORMULA.sub(_mathml, html)


def _mathml(found: re.Match[str]) -> str:
    block = found[2] == "["
    formula = convert(unescape(found[3]).strip(), display="block" if block else "inline")
    return f'<div class="formula">{formula}</div>' if block else formula
